import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The portal is served by provisioning; in development Vite stands in front of one. */
const provisioning = process.env.ISTHMUS_PORTAL_PROVISIONING ?? 'http://127.0.0.10:7000';

export default defineConfig({
  plugins: [react()],
  // Read the libs' sources, as tsc and vitest do, so that a build never depends on another build's output.
  resolve: { conditions: ['@isthmus/source', 'module', 'browser'] },
  build: {
    target: 'es2022',
    // Colours are written once for light and dark with light-dark(), which must reach the browser as it is.
    cssTarget: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    outDir: 'dist',
    emptyOutDir: true,
    sourcemap: true,
    assetsInlineLimit: 0,
    // React, Mantine and zod in one chunk, cytoscape in another; both are loaded once and kept for good.
    chunkSizeWarningLimit: 900,
  },
  // The Host header stays the browser's, so that provisioning sees requests from its own origin.
  server: { host: '127.0.0.1', proxy: { '/v1': { target: provisioning, changeOrigin: false } } },
});
