import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The page is served by a site's gateway-router at `/` and `/r/<alias>`; in development Vite stands in front of one. */
const gateway = process.env.ISTHMUS_MEET_GATEWAY ?? 'http://127.0.0.11:7100';

export default defineConfig({
  plugins: [react()],
  // Read the libs' sources, as tsc and vitest do, so that a build never depends on another build's output.
  resolve: { conditions: ['@isthmus/source', 'module', 'browser'] },
  build: { target: 'es2022', outDir: 'dist', emptyOutDir: true, sourcemap: true, assetsInlineLimit: 0 },
  server: { host: '127.0.0.1', proxy: { '/ws': { target: gateway, ws: true } } },
});
