/** How the page is built: relative URLs, hashed files, nothing inlined. */
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds a running app. */
const app = process.env.OSSICLE_APP ?? 'http://127.0.0.1:7860';

export default defineConfig({
  plugins: [svelte()],
  base: './', // relative: the page may be mounted under any prefix
  build: {
    outDir: '../runtime/frontends/web/static', // outside web/, so it must be told to empty it
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // never data: URLs, which a content security policy refuses
    reportCompressedSize: true,
  },
  worker: { format: 'es' },
  // Without the browser's build of Svelte a test could not mount a component.
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  test: { environment: 'happy-dom', include: ['tests/**/*.test.ts'] },
  server: {
    host: '127.0.0.1',
    port: 7951,
    strictPort: true,
    proxy: { '/ws': { target: app, ws: true }, '/files': app, '/upload': app },
  },
});
