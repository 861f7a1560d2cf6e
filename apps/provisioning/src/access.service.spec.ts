import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SHAPES, type ShapeName } from './shapes.js';
import { CHOSEN, FIRST, settledAdministrator, startTestManagement, type Answer, type SignedIn, type TestManagement } from './testing.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
/** Signing in is the one thing that nobody has to be signed in for. */
const OPEN = ['POST /v1/sessions'];

interface Operation {
  readonly method: string;
  readonly path: string;
}

const operationsIn = (document: Record<string, unknown>): Operation[] =>
  Object.entries(document['paths'] as Record<string, object>).flatMap(([path, methods]) =>
    METHODS.filter((method) => method in methods).map((method) => ({
      method: method.toUpperCase(),
      path: path.replace(/\{[^}]+\}/g, 'x'),
    })),
  );

describe('access', () => {
  let management: TestManagement;
  let session: SignedIn;
  let document: Answer;
  let operations: Operation[];

  beforeAll(async () => {
    management = await startTestManagement();
    document = await management.ask('GET', '/v1/openapi.json');
    operations = operationsIn(document.body);
  });
  beforeEach(async () => {
    session ??= await settledAdministrator(management);
  });
  afterAll(() => management.close());

  it('is described whole: an OpenAPI 3.1 document in which every reference leads somewhere', () => {
    expect(document.body['openapi']).toBe('3.1.0');
    expect(operations.length).toBeGreaterThan(20);
    const schemas = (document.body['components'] as { schemas: object }).schemas;
    const references = [...document.text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name);
    expect(references.length).toBeGreaterThan(20);
    for (const name of references) expect(Object.keys(schemas)).toContain(name);
  });

  it('needs a session for every operation but signing in', async () => {
    for (const { method, path } of operations.filter((one) => !OPEN.includes(`${one.method} ${one.path}`))) {
      const answer = await management.ask(method, path, method === 'GET' || method === 'DELETE' ? undefined : {}, {
        origin: management.provisioning.url,
      });
      expect([`${method} ${path}`, answer.status, answer.body['code']]).toEqual([`${method} ${path}`, 401, 'session.needed']);
    }
  });

  it('is refused to a made-up session', async () => {
    for (const cookie of ['isthmus-session=x', 'isthmus-session=', 'isthmus-session=../../etc', `isthmus-session=${'a'.repeat(4000)}`]) {
      for (const { method, path } of operations.filter((one) => one.method === 'GET')) {
        expect((await management.ask(method, path, undefined, { cookie })).status).toBe(401);
      }
    }
  });

  it('is refused to other web sites that use somebody’s session, for every operation that changes something', async () => {
    const foreign: Record<string, string>[] = [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `${management.provisioning.url}.evil.example` },
      { origin: management.provisioning.url, 'sec-fetch-site': 'cross-site' },
      { origin: management.provisioning.url, 'sec-fetch-site': 'same-site' },
    ];
    for (const { method, path } of operations.filter((one) => one.method !== 'GET' && !OPEN.includes(`${one.method} ${one.path}`))) {
      for (const headers of foreign) {
        const answer = await management.ask(method, path, method === 'DELETE' ? undefined : {}, { cookie: session.cookie, ...headers });
        expect([`${method} ${path}`, headers, answer.status, answer.body['code']]).toEqual([
          `${method} ${path}`,
          headers,
          403,
          'session.origin',
        ]);
      }
    }
  });

  it('is refused to a foreign site that wants to sign somebody in', async () => {
    const body = { name: FIRST.name, password: CHOSEN };
    expect(await management.ask('POST', '/v1/sessions', body, { origin: 'https://evil.example' })).toMatchObject({ status: 403 });
  });

  it('is given by a session from the portal, for every operation', async () => {
    const stranger = ['DELETE /v1/sessions/current'];
    for (const { method, path } of operations.filter(
      (one) => !stranger.includes(`${one.method} ${one.path}`) && !one.path.endsWith('/stream'),
    )) {
      const answer = await management.as(session, method, path, method === 'GET' || method === 'DELETE' ? undefined : {});
      expect([`${method} ${path}`, answer.status]).not.toEqual([`${method} ${path}`, 401]);
      expect([`${method} ${path}`, answer.status]).not.toEqual([`${method} ${path}`, 403]);
      expect(answer.status, `${method} ${path}: ${answer.text}`).not.toBe(500);
    }
  });

  it('to anything under /v1 is never kept in a cache, and pages run no script but ours', async () => {
    const { headers } = await management.as(session, 'GET', '/v1/rooms');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(headers.get('content-security-policy')).not.toContain('unsafe-eval');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it('to the reference page needs no network: everything it loads comes from here', async () => {
    const page = await management.ask('GET', '/docs', undefined, { accept: 'text/html' });
    expect(page.status).toBe(200);
    const loaded = [...page.text.matchAll(/(?:src|href)="([^"#]+)"/g)].map(
      ([, url]) => new URL(url ?? '', `${management.provisioning.url}/docs`),
    );
    expect(loaded.length).toBeGreaterThan(3);
    for (const { origin, pathname } of loaded) {
      expect(origin).toBe(management.provisioning.url);
      expect((await management.ask('GET', pathname)).status, pathname).toBe(200);
    }
    expect(page.text).not.toMatch(/<script(?![^>]*src=)/);
  });
});

describe('answers', () => {
  it('are what the document says they are, for every operation that shows something', async () => {
    const management = await startTestManagement();
    const session = await settledAdministrator(management);
    const id = await management.provisioning.ensureRoom({ name: 'Shown', aliases: ['shown'], hostPin: '246810' });
    await management.provisioning.ensureSite({
      id: 'lon' as never,
      name: 'London',
      meetUrl: 'http://lon.example',
      linkUrl: 'wss://lon.example',
    });
    const token = await management.as(session, 'POST', '/v1/sites/lon/enrolment-tokens');
    const shown: Record<string, ShapeName> = {
      '/v1/rooms': 'Rooms',
      [`/v1/rooms/${id}`]: 'Room',
      [`/v1/rooms/${id}/ways-to-join`]: 'WaysToJoin',
      '/v1/sites': 'Sites',
      '/v1/sites/lon': 'Site',
      '/v1/administrators': 'Administrators',
      '/v1/sessions/current': 'Session',
    };
    const exactly = (shape: ShapeName, body: unknown) => expect(SHAPES[shape].parse(body)).toEqual(body);
    for (const [path, shape] of Object.entries(shown)) exactly(shape, (await management.as(session, 'GET', path)).body);
    exactly('EnrolmentToken', token.body);
    exactly('Problem', (await management.ask('GET', '/v1/rooms')).body);
    await management.close();
  });
});

describe('signing in', () => {
  let management: TestManagement;
  let monotonic = 0;
  const clock = { now: () => Date.now(), monotonic: () => performance.now() + monotonic };
  const tryTo = (name: string, password: string) => management.ask('POST', '/v1/sessions', { name, password });

  beforeEach(async () => {
    monotonic = 0;
    management = await startTestManagement({ clock });
    return () => management.close();
  });

  it('sets a cookie that neither scripts nor other sites can use', async () => {
    const { status, headers, body } = await tryTo(FIRST.name, FIRST.password);
    expect(status).toBe(201);
    expect(headers.getSetCookie()[0]).toMatch(/^isthmus-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(body).toMatchObject({ administrator: { name: 'ada' }, mustChangePassword: true });
  });

  it('with the one-time password allows nothing but changing it', async () => {
    const session = await management.signIn(FIRST.name, FIRST.password);
    const refused = { status: 403, body: { code: 'session.password-change-needed' } };
    expect(await management.as(session, 'GET', '/v1/rooms')).toMatchObject(refused);
    expect(await management.as(session, 'POST', '/v1/administrators', {})).toMatchObject(refused);
    expect((await management.as(session, 'GET', '/v1/sessions/current')).status).toBe(200);

    const change = (current: string, next: string) => management.as(session, 'POST', '/v1/sessions/current/password', { current, next });
    expect(await change('wrong-password', CHOSEN)).toMatchObject({ status: 401 });
    expect(await change(FIRST.password, FIRST.password)).toMatchObject({ status: 422 });
    expect(await change(FIRST.password, 'ada-ada-ada-ada')).toMatchObject({ status: 422, body: { code: 'administrator.password-weak' } });
    expect((await change(FIRST.password, CHOSEN)).status).toBe(204);
    expect((await management.as(session, 'GET', '/v1/rooms')).status).toBe(200);
    expect((await tryTo(FIRST.name, FIRST.password)).status).toBe(401);
    expect((await tryTo(FIRST.name, CHOSEN)).status).toBe(201);
  });

  it('answers alike for a wrong name and a wrong password', async () => {
    const wrongs = [await tryTo('ada', 'wrong-password-1'), await tryTo('nobody', 'wrong-password-1'), await tryTo('__proto__', 'x')];
    expect(new Set(wrongs.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  });

  it('is blocked after five wrong passwords, also for the right one, and for longer each time', async () => {
    for (let n = 0; n < 5; n++) expect((await tryTo('ada', `wrong-${n}`)).status).toBe(401);
    const blocked = await tryTo('ada', FIRST.password);
    expect(blocked).toMatchObject({ status: 429, body: { code: 'session.locked' } });
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(20);
    monotonic += 31_000;
    expect((await tryTo('ada', 'wrong-again')).status).toBe(401);
    monotonic += 31_000;
    expect((await tryTo('ada', FIRST.password)).status).toBe(429);
    monotonic += 30_000;
    expect((await tryTo('ada', FIRST.password)).status).toBe(201);
  });

  it('lets no more than five guesses through, however many come at once', async () => {
    const many = await Promise.all(Array.from({ length: 30 }, (_, n) => tryTo('ada', `guess-${n}`)));
    expect(many.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(many.filter(({ status }) => status === 429)).toHaveLength(25);
  });

  it('ends by signing out, after an hour of nothing, and after twelve hours at most', async () => {
    const session = await settledAdministrator(management);
    const current = (one: SignedIn) => management.as(one, 'GET', '/v1/sessions/current').then(({ status }) => status);
    expect((await management.as(session, 'DELETE', '/v1/sessions/current')).status).toBe(204);
    expect(await current(session)).toBe(401);

    const idle = await management.signIn('ada', CHOSEN);
    monotonic += 61 * 60_000;
    expect(await current(idle)).toBe(401);

    const busy = await management.signIn('ada', CHOSEN);
    for (let half = 0; half < 23; half++) {
      monotonic += 30 * 60_000;
      expect(await current(busy)).toBe(200);
    }
    monotonic += 31 * 60_000;
    expect(await current(busy)).toBe(401);
  });
});

describe('administrators', () => {
  let management: TestManagement;
  let session: SignedIn;
  beforeAll(async () => {
    management = await startTestManagement();
    session = await settledAdministrator(management);
  });
  afterAll(() => management.close());

  it('make others, who change the password that they were given', async () => {
    const made = await management.as(session, 'POST', '/v1/administrators', { name: 'Bo', password: 'given-by-ada-42' });
    expect(made.status).toBe(201);
    expect(made.text).not.toMatch(/argon2|given-by/);
    const bo = await management.signIn('bo', 'given-by-ada-42');
    expect((await management.as(bo, 'GET', '/v1/rooms')).status).toBe(403);
    expect(await management.as(session, 'POST', '/v1/administrators', { name: 'BO', password: 'given-by-ada-43' })).toMatchObject({
      status: 409,
    });
  });

  it('who are deleted, or given a new password, are signed out everywhere at once', async () => {
    const { body } = await management.as(session, 'POST', '/v1/administrators', { name: 'Cy', password: 'chosen-for-the-third' });
    const cy = await management.signIn('Cy', 'chosen-for-the-third');
    const look = () => management.as(cy, 'GET', '/v1/sessions/current').then(({ status }) => status);
    expect(await look()).toBe(200);
    expect(
      (await management.as(session, 'PUT', `/v1/administrators/${String(body['id'])}/password`, { password: 'another-good-one' })).status,
    ).toBe(204);
    expect(await look()).toBe(401);
    await management.signIn('Cy', 'another-good-one');
    expect((await management.as(session, 'DELETE', `/v1/administrators/${String(body['id'])}`)).status).toBe(204);
    expect((await management.ask('POST', '/v1/sessions', { name: 'Cy', password: 'another-good-one' })).status).toBe(401);
  });

  it('cannot delete the last of them', async () => {
    const { items } = (await management.as(session, 'GET', '/v1/administrators')).body as { items: { id: string; name: string }[] };
    const ada = items.find(({ name }) => name === 'ada');
    for (const { id } of items.filter((one) => one !== ada)) await management.as(session, 'DELETE', `/v1/administrators/${id}`);
    expect(await management.as(session, 'DELETE', `/v1/administrators/${ada?.id}`)).toMatchObject({
      status: 409,
      body: { code: 'administrator.last' },
    });
  });
});
