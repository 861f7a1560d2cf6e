import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { embeddedBus } from '@isthmus/bus-embedded';
import type { SiteId } from '@isthmus/kernel';
import { startRegistrar } from './start.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** The built process with these settings; its exit code and what it wrote. */
const run = async (settings: Record<string, string>, until?: (output: string) => boolean) => {
  const child = spawn(process.execPath, [MAIN], { env: { PATH: process.env['PATH'], ...settings } });
  let output = '';
  let asked = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (!asked && until?.(output)) asked = child.kill('SIGTERM');
    });
  }
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, output };
};

describe('the registrar', () => {
  it('starts and answers for its health, and is quiet when closed twice', async () => {
    const bus = embeddedBus();
    const registrar = await startRegistrar({ site: 'nyc' as SiteId, listen: { host: '127.0.0.1', port: 0 }, bus });
    expect(await (await fetch(`${registrar.url}/healthz/ready`)).json()).toMatchObject({ status: 'ok', service: 'registrar' });
    expect(await (await fetch(`${registrar.url}/version`)).json()).toMatchObject({ service: 'registrar' });
    await registrar.close();
    await registrar.close();
    await bus.close();
  });

  it('runs as a process of its own until it is told to stop, and then exits 0', async () => {
    const { code, output } = await run({ ISTHMUS_REGISTRAR_SITE: 'nyc', ISTHMUS_REGISTRAR_PORT: '0' }, (text) => text.includes('started'));
    expect(output).toContain('registrations are not taken yet');
    expect(code).toBe(0);
  });

  it('refuses wrong settings with every fault in one message, and exits 2', async () => {
    const { code, output } = await run({ ISTHMUS_REGISTRAR_SITE: 'New York', ISTHMUS_REGISTRAR_PROT: '7102' });
    expect(code).toBe(2);
    expect(output).toContain('2 settings are wrong');
    expect(output).toContain('Did you mean ISTHMUS_REGISTRAR_PORT?');
    expect(output).not.toContain('    at ');
  });

  it('says in one sentence that it cannot have its address, and exits 1', async () => {
    const { code, output } = await run({ ISTHMUS_REGISTRAR_SITE: 'nyc', ISTHMUS_REGISTRAR_HOST: '192.0.2.1' });
    expect([
      code,
      output
        .split('\n')
        .filter((line) => !line.startsWith('{'))
        .join('\n')
        .trim(),
    ]).toEqual([1, 'registrar cannot listen on 192.0.2.1:7102: this machine has no such address. Choose one of its own.']);
  });
});
