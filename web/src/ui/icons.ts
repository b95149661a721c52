/** The page's pictures: 24-unit paths, drawn as strokes unless said otherwise. */

export const icons = {
  play: { path: 'M7 4.5v15l12.5-7.5z', fill: true },
  pause: { path: 'M7 5h3.5v14H7zM13.5 5H17v14h-3.5z', fill: true },
  stop: { path: 'M6 6h12v12H6z', fill: true },
  record: { path: 'M12 5a7 7 0 1 0 0 14a7 7 0 0 0 0-14z', fill: true },
  back: { path: 'M12 5a8 8 0 1 1-7.6 5.5M12 1.8 8.6 5 12 8.2' },
  forward: { path: 'M12 5a8 8 0 1 0 7.6 5.5M12 1.8 15.4 5 12 8.2' },
  download: { path: 'M12 4v11m-4.5-4.5L12 15l4.5-4.5M5 19.5h14' },
  share: { path: 'M12 14V3.5M8.5 7 12 3.5 15.5 7M7 10.5H5.5v9h13v-9H17' },
  close: { path: 'M6 6l12 12M18 6 6 18' },
  volume: { path: 'M4 9.5h3.5L12 5.5v13l-4.5-4H4zM15.5 9a4.5 4.5 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11' },
  muted: { path: 'M4 9.5h3.5L12 5.5v13l-4.5-4H4zM16 9.5l5 5m0-5-5 5' },
  loop: { path: 'M6 9.5V9a3 3 0 0 1 3-3h10m-3-3 3 3-3 3M18 14.5v.5a3 3 0 0 1-3 3H5m3 3-3-3 3-3' },
  trim: { path: 'M8 3v13a1 1 0 0 0 1 1h12M3 8h13M16 11v10' },
  undo: { path: 'M8.5 5 4.5 9l4 4M5 9h9.5a5 5 0 0 1 0 10H9' },
  zoomIn: { path: 'M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13zM15.5 15.5 20 20M10.5 7.8v5.4M7.8 10.5h5.4' },
  zoomOut: { path: 'M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13zM15.5 15.5 20 20M7.8 10.5h5.4' },
  microphone: { path: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21' },
  camera: { path: 'M4 8h3.5L9 5.5h6L16.5 8H20v11H4zM12 10a3.2 3.2 0 1 0 0 6.4a3.2 3.2 0 0 0 0-6.4z' },
  warning: { path: 'M12 4 2.8 19.5h18.4zM12 10v4.5M12 16.8v.4' },
  info: { path: 'M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17zM12 11v5M12 7.8v.4' },
  success: { path: 'M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17zM8.5 12.2l2.4 2.4 4.6-5' },
  error: { path: 'M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17zM12 7.5V13M12 15.8v.4' },
  down: { path: 'M6 9.5l6 6 6-6' },
  right: { path: 'M9.5 6l6 6-6 6' },
  file: { path: 'M6 3.5h8l4 4v13H6zM14 3.5v4h4' },
  copy: { path: 'M9 8.5h10.5V20H9zM15 8.5V4H4.5v11.5H9' },
  check: { path: 'M5 12.5l4.5 4.5L19 7.5' },
  reset: { path: 'M5 12a7 7 0 1 0 2.2-5.1M5 4.5v4h4' },
} as const satisfies Record<string, { path: string; fill?: boolean }>;

export type IconName = keyof typeof icons;
