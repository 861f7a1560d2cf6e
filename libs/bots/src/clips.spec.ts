import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cached, clipOf } from './clips.js';
import { runTool } from './media-tools.js';
import { personaOf } from './persona.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isthmus-clips-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

describe('the cache of clips', () => {
  const target = () => join(folder, 'thing');
  const make = (text: string) => (into: string) => writeFile(join(into, 'file'), text);

  it('makes a thing once', async () => {
    const makes = vi.fn(make('x'));
    await cached(target(), makes);
    await cached(target(), makes);
    expect(makes).toHaveBeenCalledTimes(1);
  });

  it('serves both who make the same at the same time, and leaves nothing half', async () => {
    await Promise.all([cached(target(), make('a')), cached(target(), make('b'))]);
    expect(await readdir(folder)).toEqual(['thing']);
    expect(await readdir(target())).toEqual(['file']);
  });

  it('keeps nothing of an attempt that failed, and the next one may succeed', async () => {
    await expect(cached(target(), () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');
    expect(await readdir(folder)).toEqual([]);
    await cached(target(), make('x'));
    expect(await readdir(folder)).toEqual(['thing']);
  });

  it('says which folder cannot be written, and what to set', async () => {
    await writeFile(join(folder, 'file'), '');
    const attempt = clipOf(personaOf(0), { folder: join(folder, 'file') });
    await expect(attempt).rejects.toMatchObject({
      code: 'bots.cache-unwritable',
      message: expect.stringContaining('set XDG_CACHE_HOME') as string,
    });
  });
});

describe('a program that makes clips', () => {
  it('is named with its Debian package when it is missing', async () => {
    vi.stubEnv('PATH', folder);
    await expect(runTool('espeak-ng', ['--version'])).rejects.toMatchObject({
      code: 'bots.tool-missing',
      message: expect.stringContaining('apt-get install espeak-ng') as string,
    });
  });

  it('is quoted when it fails', async () => {
    await expect(runTool('ffmpeg', ['-hide_banner', '-i', join(folder, 'nothing.wav')])).rejects.toMatchObject({
      code: 'bots.tool-failed',
      message: expect.stringContaining('nothing.wav') as string,
    });
  });
});
