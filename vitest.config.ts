import { defineConfig } from 'vitest/config';

// 'import' and 'module' must not be listed: Vitest hands these to Node as --conditions, where they would also apply to
// require() inside CommonJS packages (express' router breaks).
const conditions = ['@isthmus/source', 'node'];
const resolve = { resolve: { conditions }, ssr: { resolve: { conditions } } };

/** Real media, sockets and browsers have deadlines, and a busy machine may miss one once. What misses it twice is ours. */
const retry = 1;

/** What of `e2e` is run a second time in `apart`: meetings, and split and re-join. */
const APART = ['management', 'many-nodes', 'split-and-rejoin', 'white-paper'];

/**
 * `unit`: beside the code, seconds. `service`: a service over its real adapters. `e2e`: the whole product, real media and browsers.
 * `apart`: services in processes of their own, beside brokers (tools/test/brokers.mjs). `long`: the same for hours.
 */
export default defineConfig({
  ...resolve,
  test: {
    projects: [
      {
        ...resolve,
        test: {
          name: 'unit',
          include: ['{apps,libs,tools}/**/src/**/*.spec.ts', 'tools/**/*.spec.ts'],
          exclude: ['**/node_modules/**', '**/dist/**', '**/*.{service,e2e,apart,long}.spec.ts'],
        },
      },
      {
        ...resolve,
        test: {
          name: 'service',
          include: ['{apps,libs,tools}/**/*.service.spec.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          retry,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        ...resolve,
        test: {
          name: 'e2e',
          include: ['{apps,libs,tools}/**/*.e2e.spec.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          retry,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        ...resolve,
        test: {
          name: 'apart',
          include: ['{apps,libs,tools}/**/*.apart.spec.ts', ...APART.map((name) => `apps/isthmus/src/e2e/${name}.e2e.spec.ts`)],
          exclude: ['**/node_modules/**', '**/dist/**'],
          retry,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        ...resolve,
        test: {
          name: 'long',
          include: ['{apps,libs,tools}/**/*.long.spec.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: 3_600_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
