/** How the page is built: relative URLs, hashed files, nothing inlined. */
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

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
  server: {
    host: '127.0.0.1',
    port: 7951,
    strictPort: true,
    proxy: { '/ws': { target: app, ws: true }, '/files': app, '/upload': app },
  },
});
