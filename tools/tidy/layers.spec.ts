import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT, packages, read } from './tree.js';

/** Each import stands in a real file of its lib, for ESLint only: the tree on disk is not touched. */
const FORBIDDEN = [
  {
    file: 'libs/kernel/src/error.ts',
    plant: `import '@isthmus/conference';`,
    rule: '@nx/enforce-module-boundaries',
    why: 'the kernel knows no domain',
  },
  {
    file: 'libs/conference/src/stage.ts',
    plant: `import '@isthmus/ports';`,
    rule: '@nx/enforce-module-boundaries',
    why: 'a domain knows no port',
  },
  {
    file: 'libs/ports/src/bus.ts',
    plant: `import '@isthmus/bus-embedded';`,
    rule: '@nx/enforce-module-boundaries',
    why: 'a port knows no adapter',
  },
  {
    file: 'apps/registrar/src/index.ts',
    plant: `import '@isthmus/conference-brain';`,
    rule: '@nx/enforce-module-boundaries',
    why: 'services talk over the bus only',
  },
  {
    file: 'libs/simulator/src/world.ts',
    plant: `import '@isthmus/gateway-router';`,
    rule: '@nx/enforce-module-boundaries',
    why: 'the simulator runs the brain and no other service',
  },
  {
    file: 'apps/registrar/src/index.ts',
    plant: `import '@isthmus/simulator';`,
    rule: '@nx/enforce-module-boundaries',
    why: 'no service knows the simulator',
  },
  { file: 'libs/kernel/src/error.ts', plant: `import 'node:fs';`, rule: 'no-restricted-imports', why: 'the kernel touches no disk' },
  { file: 'libs/estate/src/estate.ts', plant: `import 'zod';`, rule: 'no-restricted-imports', why: 'a domain uses no package' },
  {
    file: 'libs/conference/src/stage.ts',
    plant: `export const now = Date.now();`,
    rule: 'no-restricted-globals',
    why: 'time arrives in the command',
  },
  {
    file: 'libs/placement/src/desire.ts',
    plant: `export const dice = Math.random();`,
    rule: 'no-restricted-properties',
    why: 'chance arrives in the command',
  },
] as const;

describe('the layers', () => {
  const eslint = new ESLint({ cwd: ROOT });
  const rulesBroken = async (file: string, plant: string) => {
    const [result] = await eslint.lintText(`${plant}\n${read(file)}`, { filePath: join(ROOT, file) });
    return (result?.messages ?? []).filter(({ line }) => line === 1).map(({ ruleId, message }) => ruleId ?? message);
  };

  // Without a project graph the boundary rule says nothing at all, so it is made first: exactly what `npm run lint` does.
  beforeAll(() => {
    execFileSync(join(ROOT, 'node_modules/.bin/nx'), ['show', 'projects'], {
      cwd: ROOT,
      stdio: 'ignore',
      env: { ...process.env, NX_DAEMON: 'false' },
    });
  }, 60_000);

  it.each(FORBIDDEN)('$why: $file refuses `$plant`', { timeout: 60_000 }, async ({ file, plant, rule }) => {
    expect(await rulesBroken(file, plant)).toContain(rule);
  });

  it('let a domain import the kernel', { timeout: 60_000 }, async () => {
    expect(await rulesBroken('libs/conference/src/stage.ts', `import '@isthmus/kernel';`)).toEqual([]);
  });

  it('have a place for every app and lib', () => {
    const known = [...read('eslint.config.mjs').matchAll(/sourceTag: '(layer:[a-z-]+)'/g)].map(([, tag]) => tag);
    expect(known.length).toBeGreaterThan(5);
    const lost = packages().filter(({ tags }) => tags.filter((tag) => known.includes(tag)).length !== 1);
    expect(lost.map(({ folder }) => folder)).toEqual([]);
  });
});
