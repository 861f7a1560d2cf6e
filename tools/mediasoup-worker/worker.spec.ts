import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { prepareSources } from './build-worker.mjs';
import { downloadWorker } from './download-worker.mjs';
import { cachedWorker, ensureWorker, runsHere } from './ensure-worker.mjs';
import { PATCHES, PATCH_LEVEL } from './patches.mjs';

const PACKAGE = join(import.meta.dirname, '..', '..', 'node_modules', 'mediasoup');

describe("mediasoup's worker", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-worker-'));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  /** A program that answers as a worker does when its parent is not mediasoup. */
  const standIn = (status: number) => {
    const path = join(folder, 'mediasoup-worker');
    writeFileSync(path, `#!/bin/sh\nexit ${status}\n`, { mode: 0o755 });
    return path;
  };

  it('is known by its answer to a stranger', () => {
    expect(runsHere(standIn(41))).toBe(true);
    expect(runsHere(standIn(0))).toBe(false);
    expect(runsHere(join(folder, 'not-there'))).toBe(false);
  });

  it('is the named one if one is named', async () => {
    const path = standIn(41);
    vi.stubEnv('MEDIASOUP_WORKER_BIN', path);
    expect(await ensureWorker()).toBe(path);
  });

  it('is refused in words if the named one does not run', async () => {
    vi.stubEnv('MEDIASOUP_WORKER_BIN', standIn(1));
    await expect(ensureWorker()).rejects.toThrow('MEDIASOUP_WORKER_BIN names');
  });

  it('is kept per user and version', () => {
    vi.stubEnv('XDG_CACHE_HOME', folder);
    expect(cachedWorker('3.27.1')).toBe(
      join(folder, 'isthmus/mediasoup-worker', ['3.27.1', '3.27.1-p1', '3.27.1-p2'][PATCH_LEVEL] ?? '', 'mediasoup-worker'),
    );
  });

  it('can be built from the installed sources: every patch fits exactly once, no download is left', () => {
    const copy = join(folder, 'worker');
    prepareSources(join(PACKAGE, 'worker'), copy);
    for (const { file, find, replace } of PATCHES) {
      expect(readFileSync(join(copy, file), 'utf8')).toContain(replace);
      expect(readFileSync(join(copy, file), 'utf8')).not.toContain(find);
    }
    expect(spawnSync('grep', ['-rl', 'source_url', join(copy, 'subprojects')], { encoding: 'utf8' }).stdout).toBe('');
    expect(existsSync(join(copy, 'subprojects', 'libsrtp3', 'include', 'srtp.h'))).toBe(true);
  });

  describe('where its publisher can be reached', () => {
    let server: Server;
    let answer: { status: number; body: Buffer };
    const asked: string[] = [];
    beforeEach(async () => {
      server = createServer((req, res) => {
        asked.push(req.url ?? '');
        res.writeHead(answer.status).end(answer.body);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      vi.stubEnv('MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
    afterEach(() => new Promise((resolve) => server.close(resolve)));

    const download = (target: string) => downloadWorker(PACKAGE, '3.27.1', target, () => undefined);

    it('is taken prebuilt', async () => {
      const original = standIn(41);
      spawnSync('tar', ['-czf', 'worker.tgz', 'mediasoup-worker'], { cwd: folder });
      answer = { status: 200, body: readFileSync(join(folder, 'worker.tgz')) };
      const target = join(folder, 'cache', 'mediasoup-worker');
      expect(await download(target)).toBe(true);
      expect(runsHere(target)).toBe(true);
      const sum = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
      expect(sum(target)).toBe(sum(original));
      expect(asked.at(-1)).toMatch(/^\/3\.27\.1\/mediasoup-worker-3\.27\.1-/);
    });

    it('is not taken when there is none for this platform, or what came is no archive', async () => {
      answer = { status: 404, body: Buffer.alloc(0) };
      expect(await download(join(folder, 'cache', 'mediasoup-worker'))).toBe(false);
      answer = { status: 200, body: Buffer.from('<html>Please log in</html>') };
      expect(await download(join(folder, 'cache', 'mediasoup-worker'))).toBe(false);
      expect(existsSync(join(folder, 'cache', 'mediasoup-worker'))).toBe(false);
    });
  });
});
