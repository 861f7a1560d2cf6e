import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import type { DemoLinks } from './demo-links.js';
import { settledAdministrator, startTestManagement, type SignedIn, type TestManagement } from './testing.js';

const PATH = '/v1/demo/links';

describe('the links of a demo', () => {
  let management: TestManagement;
  let session: SignedIn;
  let cut: Set<string>;
  /** Two directed links, kept in memory: the relay's own spec says that it does as it is told. */
  const links = (): DemoLinks => {
    const list = async () => ['nyc>lon', 'lon>nyc'].map((link) => ({ from: link.slice(0, 3), to: link.slice(4), cut: cut.has(link) }));
    return {
      list,
      change: ({ from, to, oneWay }, wanted) => {
        for (const [a, b] of [[from ?? 'nyc', to ?? 'lon'] as const, ...(oneWay ? [] : [[to ?? 'lon', from ?? 'nyc'] as const])]) {
          if (wanted) cut.add(`${a}>${b}`);
          else cut.delete(`${a}>${b}`);
        }
        return list();
      },
    };
  };
  const start = async (demoLinks?: DemoLinks) => {
    management = await startTestManagement(demoLinks ? { demoLinks } : {});
    for (const [id, name] of [
      ['nyc', 'New York'],
      ['lon', 'London'],
    ] as const)
      await management.provisioning.ensureSite({ id: id as SiteId, name, meetUrl: 'http://127.0.0.1:1', linkUrl: 'wss://127.0.0.1:2' });
    session = await settledAdministrator(management);
  };
  beforeEach(() => void (cut = new Set()));
  afterEach(() => management.close());

  it('are cut and healed by whoever is signed in, and by nobody else', async () => {
    await start(links());
    expect(await management.ask('GET', PATH)).toMatchObject({ status: 401 });
    expect(await management.ask('PUT', PATH, { from: 'nyc', to: 'lon', cut: true })).toMatchObject({ status: 401 });
    expect((await management.as(session, 'GET', '/v1/sessions/current')).body).toMatchObject({ demo: true });
    expect(await management.as(session, 'PUT', PATH, { from: 'nyc', to: 'lon', cut: true, oneWay: true })).toMatchObject({
      status: 200,
      body: {
        items: [
          { from: 'nyc', to: 'lon', cut: true },
          { from: 'lon', to: 'nyc', cut: false },
        ],
      },
    });
    expect((await management.as(session, 'PUT', PATH, { cut: false })).body).toMatchObject({ items: [{ cut: false }, { cut: false }] });
  });

  it('are not changed by a wish that makes no sense', async () => {
    await start(links());
    for (const [wish, status] of [
      [{ cut: true }, 400],
      [{ from: 'nyc', to: 'nyc', cut: true }, 400],
      [{ from: 'nyc', to: 'lon' }, 400],
      [{ from: 'nyc', to: 'lon', cut: true, delay: 3 }, 400],
      [{ from: 'paris', cut: true }, 404],
    ] as const)
      expect([wish, (await management.as(session, 'PUT', PATH, wish)).status]).toEqual([wish, status]);
    expect(cut.size).toBe(0);
  });

  it('are none in a real deployment', async () => {
    await start();
    expect((await management.as(session, 'GET', '/v1/sessions/current')).body).toMatchObject({ demo: false });
    expect(await management.as(session, 'PUT', PATH, { from: 'nyc', to: 'lon', cut: true })).toMatchObject({ status: 404 });
    const { body } = await management.ask('GET', '/v1/openapi.json');
    expect(Object.keys(body['paths'] as object).filter((path) => path.includes('demo'))).toEqual([]);
  });
});
