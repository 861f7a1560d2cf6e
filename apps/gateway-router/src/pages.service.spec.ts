import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatewayWorld, type World } from './testing/world.js';

let folder: string;
let world: World;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-meet-'));
  mkdirSync(join(folder, 'meet', 'assets'), { recursive: true });
  writeFileSync(join(folder, 'meet', 'index.html'), '<!doctype html><title>Isthmus</title>');
  writeFileSync(join(folder, 'meet', 'assets', 'app-1a2b.js'), 'export {};');
  writeFileSync(join(folder, 'meet', '.env'), 'nobody should see this');
  writeFileSync(join(folder, 'secret.txt'), 'outside');
  world = await gatewayWorld({ meetDir: join(folder, 'meet') });
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

/** Sends a path as it stands; `fetch` would tidy it up. */
const raw = (path: string): Promise<{ readonly status: number; readonly body: string }> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(world.gateway.url);
    request({ hostname, port, path }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });

describe("the meeting client's page", () => {
  it.each(['/', '/r/board', '/r/board/', '/r/no-such-room', '/r/b%6Fard?x=1'])('is served at %s', async (path) => {
    const response = await fetch(`${world.gateway.url}${path}`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await response.text()).toContain('Isthmus');
    expect(response.headers.get('cache-control')).toBe('no-cache');
  });

  it('comes with headers that keep others out', async () => {
    const { headers } = await fetch(world.gateway.url);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('permissions-policy')).toContain('camera=(self)');
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it('has its files cached for good, for they are named by their content', async () => {
    const response = await fetch(`${world.gateway.url}/assets/app-1a2b.js`);
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
    expect(response.headers.get('content-type')).toContain('javascript');
  });

  it.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/.env',
    '/r/../../secret.txt',
    '/%00',
    '/nowhere',
    '/r/a/b',
  ])('does not give away %s', async (path) => {
    const { status, body } = await raw(path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(body).not.toMatch(/outside|nobody should see/);
  });

  it('is not there for anything but reading', async () => {
    expect((await fetch(world.gateway.url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })).status).toBe(
      404,
    );
  });

  it('is missed in one sentence at the start, not by people later', async () => {
    await expect(gatewayWorld({ meetDir: '/nowhere' })).rejects.toMatchObject({
      code: 'gateway.no-client',
      message: expect.stringContaining('/nowhere holds no built meeting client') as string,
    });
  });
});
