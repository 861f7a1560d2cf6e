import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateFolder, type RunningDemo } from './state-folder.js';

describe('the state folder', () => {
  let parent: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'isthmus-state-'));
  });
  afterEach(() => {
    chmodSync(parent, 0o700);
    rmSync(parent, { recursive: true });
  });
  const note = (pid: number): RunningDemo => ({ pid, portalUrl: 'http://127.0.0.10:7000', relay: '/tmp/r.sock', sites: [] });

  it('is made, and only its owner may look inside', () => {
    const state = StateFolder.open(join(parent, 'a', 'b'));
    expect(statSync(state.path).mode & 0o777).toBe(0o700);
    expect(statSync(state.keep('secret.json', { token: 'x' })).mode & 0o777).toBe(0o600);
  });

  it('is refused in one sentence when a file has its name', () => {
    writeFileSync(join(parent, 'taken'), '');
    expect(() => StateFolder.open(join(parent, 'taken'))).toThrow(
      /cannot be used: it, or a part of its path, is a file\. Name another with --state/,
    );
    expect(() => StateFolder.open(join(parent, 'taken', 'deeper'))).toThrow(/cannot be used: it, or a part of its path, is a file/);
  });

  it('is refused in one sentence on a file system that takes no files', () => {
    expect(() => StateFolder.open('/proc/isthmus')).toThrow(
      /The state folder \/proc\/isthmus cannot be used: .+ Name another with --state/,
    );
  });

  it('belongs to one demo at a time', async () => {
    // `demo` among its arguments is what a demo is known by.
    const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 20000)', 'demo'], { stdio: 'ignore' });
    try {
      const state = StateFolder.open(parent);
      state.announce(note(other.pid!));
      await expect.poll(() => StateFolder.find(parent)?.pid).toBe(other.pid);
      expect(() => StateFolder.open(parent)).toThrow(`A demo is running with ${parent} already (process ${other.pid}`);
    } finally {
      other.kill();
    }
  });

  it('is free again when the demo was killed, even if its number belongs to another program now', () => {
    const state = StateFolder.open(parent);
    state.announce(note(2 ** 22 - 1));
    expect(StateFolder.open(parent).running()).toBeUndefined();
    state.announce(note(process.ppid));
    expect(StateFolder.open(parent).running()).toBeUndefined();
  });

  it('takes a damaged note for none', () => {
    writeFileSync(join(parent, 'demo.json'), '{"pid":');
    expect(StateFolder.find(parent)).toBeUndefined();
  });

  it('puts the relay’s socket elsewhere when its own path is too long for one', () => {
    const deep = join(parent, 'd'.repeat(100));
    mkdirSync(deep);
    expect(StateFolder.open(deep).relaySocket.length).toBeLessThan(107);
    expect(StateFolder.open(parent).relaySocket).toBe(join(parent, 'relay.sock'));
  });
});
