import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestManagement, type TestManagement } from './testing.js';

const HTML = { accept: 'text/html,application/xhtml+xml' };

describe('the portal’s files', () => {
  let management: TestManagement;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isthmus-portal-'));
    await mkdir(join(folder, 'dist/assets'), { recursive: true });
    await writeFile(join(folder, 'dist/index.html'), '<!doctype html><title>Isthmus</title>');
    await writeFile(join(folder, 'dist/assets/index-a1b2.js'), 'export {};');
    await writeFile(join(folder, 'secret.txt'), 'canary-9321');
    management = await startTestManagement({ portalDir: join(folder, 'dist') });
  });
  afterAll(async () => {
    await management.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** `fetch` tidies paths up; an attacker does not. */
  const raw = (path: string) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const { hostname, port } = new URL(management.provisioning.url);
      const asking = request({ hostname, port, path, headers: HTML }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      asking.on('error', reject);
      asking.end();
    });

  it('are one page under every path of the portal, fresh each time', async () => {
    for (const path of ['/', '/rooms', '/rooms/7f3a', '/live?room=7f3a']) {
      const { status, text, headers } = await management.ask('GET', path, undefined, HTML);
      expect([path, status, text]).toEqual([path, 200, '<!doctype html><title>Isthmus</title>']);
      expect(headers.get('cache-control')).toBe('no-cache');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });

  it('are kept by browsers for good where the name changes with the content', async () => {
    const { status, headers } = await management.ask('GET', '/assets/index-a1b2.js');
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toContain('immutable');
    expect((await management.ask('GET', '/assets/gone.js')).status).toBe(404);
  });

  it('do not hide that an address of the API does not exist', async () => {
    expect(await management.ask('GET', '/v1/nowhere', undefined, HTML)).toMatchObject({ status: 404, body: { code: 'http.not-found' } });
  });

  it('end at their folder', async () => {
    for (const path of [
      '/../secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '/assets/../../secret.txt',
      '/....//secret.txt',
      '/%00',
      '/%ff',
      '//evil.example/',
    ]) {
      const { status, text } = await raw(path);
      expect(text, path).not.toContain('canary-9321');
      expect(status, path).toBeLessThan(500);
    }
  });
});
