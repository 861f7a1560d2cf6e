import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settledAdministrator, startTestManagement, type SignedIn, type TestManagement } from './testing.js';

describe('rooms over REST', () => {
  let management: TestManagement;
  let session: SignedIn;
  const as = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    management.as(session, method, path, body, headers);
  const make = async (body: object) => {
    const answer = await as('POST', '/v1/rooms', body);
    expect(answer.text).toContain('"id"');
    return answer.body as { id: string; revision: number };
  };

  beforeAll(async () => {
    management = await startTestManagement();
    session = await settledAdministrator(management);
  });
  afterAll(() => management.close());

  it('are made, shown, changed in part and deleted', async () => {
    const made = await as('POST', '/v1/rooms', { name: 'Board room', aliases: ['Board', '4711'], hostPin: '123456' });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`/v1/rooms/${String(made.body['id'])}`);
    expect(made.headers.get('etag')).toBe(`"${String(made.body['revision'])}"`);
    expect(made.body).toMatchObject({
      name: 'Board room',
      aliases: ['board', '4711'],
      hostPinSet: true,
      guestPinSet: false,
      seatsMax: 50,
      disabled: false,
    });
    expect(made.text).not.toMatch(/argon2|123456/);

    const path = `/v1/rooms/${String(made.body['id'])}`;
    const changed = await as('PATCH', path, { guestsWaitForHost: true });
    expect(changed.body).toMatchObject({ name: 'Board room', guestsWaitForHost: true, hostPinSet: true });
    expect((await as('GET', path)).body).toEqual(changed.body);
    expect((await as('DELETE', path)).status).toBe(204);
    expect(await as('GET', path)).toMatchObject({ status: 404, body: { code: 'room.unknown' } });
  });

  it('refuse a change that was made against an older version', async () => {
    const { id, revision } = await make({ name: 'Raced' });
    const etag = { 'if-match': `"${revision}"` };
    const first = await as('PATCH', `/v1/rooms/${id}`, { name: 'First' }, etag);
    expect(first.status).toBe(200);
    const second = await as('PATCH', `/v1/rooms/${id}`, { name: 'Second' }, etag);
    expect(second).toMatchObject({ status: 412, body: { code: 'request.precondition-failed' } });
    expect((await as('DELETE', `/v1/rooms/${id}`, undefined, { 'if-match': '"nonsense"' })).status).toBe(412);
    expect((await as('PATCH', `/v1/rooms/${id}`, { name: 'Third' }, { 'if-match': '*' })).status).toBe(200);
  });

  it('name the owner of an alias that is taken', async () => {
    await make({ name: 'Owner', aliases: ['taken'] });
    const answer = await as('POST', '/v1/rooms', { name: 'Other', aliases: ['free', 'TAKEN'] });
    expect(answer).toMatchObject({ status: 409, body: { code: 'room.alias-taken', errors: [{ path: 'aliases.1' }] } });
    expect(answer.body['detail']).toContain('“Owner”');
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('let only one of two rooms that are made at once have an alias', async () => {
    const both = await Promise.all([1, 2].map((n) => as('POST', '/v1/rooms', { name: `Racer ${n}`, aliases: ['racing'] })));
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it('never have one PIN for hosts and guests, however it comes about', async () => {
    const equal = { code: 'room.pins-equal' };
    expect(await as('POST', '/v1/rooms', { name: 'x', hostPin: '1234', guestPin: '1234' })).toMatchObject({ status: 422, body: equal });
    const { id } = await make({ name: 'Pins', hostPin: '1234' });
    expect(await as('PATCH', `/v1/rooms/${id}`, { guestPin: '1234' })).toMatchObject({ status: 422, body: equal });
    expect((await as('PATCH', `/v1/rooms/${id}`, { guestPin: '5678' })).body).toMatchObject({ guestPinSet: true });
    expect(await as('PATCH', `/v1/rooms/${id}`, { hostPin: '5678' })).toMatchObject({ status: 422, body: equal });
    expect((await as('PATCH', `/v1/rooms/${id}`, { hostPin: '5678', guestPin: '1234' })).status).toBe(200);
    expect(await as('PATCH', `/v1/rooms/${id}`, { hostPin: null })).toMatchObject({ status: 422, body: { code: 'room.guest-pin-alone' } });
    expect((await as('PATCH', `/v1/rooms/${id}`, { hostPin: null, guestPin: null })).body).toMatchObject({
      hostPinSet: false,
      guestPinSet: false,
    });
  });

  it('show a generated PIN once, and never again', async () => {
    const { id } = await make({ name: 'Generated' });
    const answer = await as('POST', `/v1/rooms/${id}/pins`, { role: 'host', digits: 8 });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const pin = String(answer.body['pin']);
    expect(pin).toMatch(/^\d{8}$/);
    const room = await as('GET', `/v1/rooms/${id}`);
    expect(room.body).toMatchObject({ hostPinSet: true });
    expect(room.text).not.toContain(pin);
    expect(await as('PATCH', `/v1/rooms/${id}`, { guestPin: pin })).toMatchObject({ status: 422, body: { code: 'room.pins-equal' } });
  });

  it('come in pages that neither repeat nor skip while rooms come and go', async () => {
    const search = 'paged';
    for (let n = 0; n < 7; n++) await make({ name: `Paged ${n}` });
    const names: string[] = [];
    let cursor: string | null = null;
    do {
      const page = (await as('GET', `/v1/rooms?limit=3&search=${search}${cursor ? `&cursor=${cursor}` : ''}`)).body as {
        items: { name: string; id: string }[];
        next: string | null;
        total: number;
      };
      names.push(...page.items.map(({ name }) => name));
      const [first] = page.items;
      if (cursor === null && first) await as('DELETE', `/v1/rooms/${first.id}`);
      cursor = page.next;
    } while (cursor !== null);
    expect(names).toEqual([0, 1, 2, 3, 4, 5, 6].map((n) => `Paged ${n}`));
    expect(await as('GET', '/v1/rooms?cursor=bm9uc2Vuc2U')).toMatchObject({ status: 400, body: { errors: [{ path: 'cursor' }] } });
    expect(await as('GET', '/v1/rooms?limit=100000')).toMatchObject({ status: 400, body: { errors: [{ path: 'limit' }] } });
  });

  it('are made once when the answer got lost and the request is sent again', async () => {
    const key = { 'idempotency-key': 'lost-answer-1' };
    const [first, again] = await Promise.all([1, 2].map(() => as('POST', '/v1/rooms', { name: 'Once', aliases: ['once'] }, key)));
    expect(first?.status).toBe(201);
    expect(again?.status).toBe(201);
    expect(again?.body).toEqual(first?.body);
    expect(again?.headers.get('etag')).toBe(first?.headers.get('etag'));
    expect(await as('POST', '/v1/rooms', { name: 'Other' }, key)).toMatchObject({ status: 422, body: { code: 'request.key-reused' } });
  });

  it('list every way to join, one link per site and alias', async () => {
    await management.provisioning.ensureSite({
      id: 'lon' as never,
      name: 'London',
      meetUrl: 'http://127.0.0.12:7200/',
      linkUrl: 'wss://127.0.0.12:7201',
    });
    const { id } = await make({ name: 'Ways', aliases: ['ways', 'ways@example.com'] });
    expect((await as('GET', `/v1/rooms/${id}/ways-to-join`)).body['links']).toEqual([
      { site: 'lon', siteName: 'London', alias: 'ways', url: 'http://127.0.0.12:7200/r/ways' },
      { site: 'lon', siteName: 'London', alias: 'ways@example.com', url: 'http://127.0.0.12:7200/r/ways%40example.com' },
    ]);
  });
});

describe('bad requests', () => {
  let management: TestManagement;
  let session: SignedIn;
  const post = (body: unknown, headers?: Record<string, string>) => management.as(session, 'POST', '/v1/rooms', body, headers);

  beforeAll(async () => {
    management = await startTestManagement();
    session = await settledAdministrator(management);
  });
  afterAll(() => management.close());

  it('hear of every field that is wrong at once', async () => {
    const answer = await post({ name: 7, seatsMax: 0, aliases: 'x', colour: 'red' });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const errors = answer.body['errors'] as { path: string; message: string }[];
    expect(errors.map(({ path }) => path).sort()).toEqual(['', 'aliases', 'name', 'seatsMax']);
    expect(errors.find(({ path }) => path === '')?.message).toContain('colour');
  });

  it.each([
    ['ten megabytes', `{"name":"${'x'.repeat(10_000_000)}"}`, 413],
    ['cut off JSON', '{"name":', 400],
    ['an array', '[]', 400],
    ['a string', '"x"', 400],
    ['null', 'null', 400],
    ['nothing', '', 400],
    ['a foreign prototype', '{"name":"x","__proto__":{"disabled":true}}', 400],
    ['a constructor', '{"name":"x","constructor":{}}', 400],
    ['hashes instead of PINs', '{"name":"x","hostPinHash":"$argon2id$"}', 400],
    ['an id of its own', '{"name":"x","id":"mine"}', 400],
    ['a name that turns text around', '{"name":"a\\u202eb"}', 422],
    ['a name of a megabyte after unescaping', `{"name":"${'\\u0041'.repeat(10_000)}"}`, 400],
    ['nesting without end', `{"name":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 400],
    ['a number that is none', '{"name":"x","seatsMax":1e999}', 400],
  ])('with %s are refused, and nothing falls over', async (_, body, status) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(typeof answer.body['code']).toBe('string');
    expect((await management.as(session, 'GET', '/v1/rooms')).status).toBe(200);
  });

  it('in anything but JSON are refused', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      expect(await post('name=x', { 'content-type': type })).toMatchObject({ status: 415, body: { code: 'request.not-json' } });
    }
  });

  it('to nowhere are answered as problems too', async () => {
    const answer = await management.as(session, 'GET', '/v1/nowhere');
    expect(answer).toMatchObject({ status: 404, body: { code: 'http.not-found' } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('never quote a PIN or a password back', async () => {
    expect((await post({ name: 'x', hostPin: '12a-secret' })).text).not.toContain('12a-secret');
    const wrong = await management.ask('POST', '/v1/sessions', { name: 'ada', password: 'canary-5521' });
    expect(wrong.text).not.toContain('canary-5521');
  });
});
