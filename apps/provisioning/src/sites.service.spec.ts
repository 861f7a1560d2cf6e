import { stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { foldEstate, MANAGEMENT } from '@isthmus/estate';
import { enrol, followEstate, loadCredentials, managementAt, readTicket, saveCredentials } from '@isthmus/estate-http';
import type { Fact, SiteId } from '@isthmus/kernel';
import { certificateSignatures, createAuthority, createRequest, identityOf, issue, sign, type Credentials } from '@isthmus/peers-http';
import { textOfHead } from '@isthmus/ports';
import { TOPICS, type EstateWord } from '@isthmus/protocol';
import { settledAdministrator, startTestManagement, type SignedIn, type TestManagement } from './testing.js';

const LON = 'lon' as SiteId;
const site = (id: string) => ({
  id: id as SiteId,
  name: id.toUpperCase(),
  meetUrl: `http://${id}.example`,
  linkUrl: `wss://${id}.example:1`,
});

/** A site's brain, as far as the estate goes: keeps what it is given, and says what it goes by. */
const siteThatFollows = (management: TestManagement, credentials: Credentials, kept: readonly Fact[] = []) => {
  const facts = [...kept];
  const stop = new AbortController();
  const troubles: unknown[] = [];
  const words: EstateWord[] = [];
  const following = (async () => {
    const news = followEstate({
      url: management.provisioning.siteUrl,
      credentials,
      after: facts.length,
      applied: () => facts.length,
      signal: stop.signal,
      trouble: (error) => troubles.push(error),
      word: (word) => words.push(word),
    });
    for await (const batch of news) facts.push(...batch.filter(({ hash }) => !facts.some((fact) => fact.hash === hash)));
  })();
  return {
    facts,
    troubles,
    words,
    estate: () => foldEstate(facts),
    stop: async () => {
      stop.abort();
      await following;
    },
  };
};

const until = async (what: string, holds: () => boolean | Promise<boolean>, withinMs = 2_000): Promise<number> => {
  const began = performance.now();
  while (!(await holds())) {
    if (performance.now() - began > withinMs) throw new Error(`after ${withinMs} ms still not so: ${what}`);
    await sleep(10);
  }
  return performance.now() - began;
};

describe('sites', () => {
  let management: TestManagement;
  let session: SignedIn;
  const enrolled = async (id: string): Promise<Credentials> => {
    await management.provisioning.ensureSite(site(id));
    const { token, caFingerprint } = await management.provisioning.createEnrolmentToken(id);
    return enrol({ url: management.provisioning.siteUrl, token, site: id as SiteId, caFingerprint });
  };

  beforeEach(async () => {
    management = await startTestManagement();
    session = await settledAdministrator(management);
  });
  afterEach(() => management.close());

  it('learn of a new room within two seconds, and say which configuration they go by', async () => {
    const sites: ReturnType<typeof siteThatFollows>[] = [];
    for (const id of ['nyc', 'lon', 'cpt']) sites.push(siteThatFollows(management, await enrolled(id)));
    await until('all have what there is', () => sites.every(({ facts }) => facts.length === 3));

    const made = await management.as(session, 'POST', '/v1/rooms', { name: 'Fresh', aliases: ['fresh'] });
    const tookMs = await until('the room is everywhere', () =>
      sites.every(({ estate }) => estate().rooms[String(made.body['id'])] !== undefined),
    );
    expect(tookMs).toBeLessThan(1_000);

    await until('management knows that all are up to date', async () => {
      const { items, configurationVersion } = (await management.as(session, 'GET', '/v1/sites')).body as {
        items: { upToDate: boolean; configurationVersion: number; lastSeenAt: string | null }[];
        configurationVersion: number;
      };
      return (
        items.length === 3 &&
        items.every((one) => one.upToDate && one.configurationVersion === configurationVersion && one.lastSeenAt !== null)
      );
    });
    for (const { stop } of sites) await stop();
  });

  it('never hear of administrators or enrolments', async () => {
    const follower = siteThatFollows(management, await enrolled('lon'));
    await until('it has the estate', () => follower.facts.length > 0);
    expect(follower.facts.every(({ stream }) => stream.startsWith('estate-main@management.'))).toBe(true);
    expect(JSON.stringify(follower.facts)).not.toContain('passwordHash');
    await follower.stop();
  });

  it('get management’s word on what they are given, so that another site can believe them', async () => {
    const [nyc, lon] = [await enrolled('nyc'), await enrolled('lon')];
    const follower = siteThatFollows(management, nyc);
    await until('it has the estate', () => follower.facts.length > 0 && follower.words.length > 0);
    const { certificate, heads } = follower.words[0]!;
    const other = certificateSignatures(() => lon);
    for (const { signature, ...head } of heads) {
      expect(follower.facts.some(({ hash }) => hash === head.hash)).toBe(true);
      expect(other.verify(MANAGEMENT, textOfHead(head), { certificate, signature })).toBe(true);
      expect(other.verify(MANAGEMENT, textOfHead({ ...head, seq: head.seq + 1 }), { certificate, signature })).toBe(false);
    }
    await follower.stop();
  });

  it('resume after what they have, and catch up when management was away', async () => {
    const credentials = await enrolled('lon');
    const first = siteThatFollows(management, credentials);
    await until('it has what there is', () => first.facts.length === 1);
    await first.stop();

    await management.provisioning.ensureRoom({ name: 'Meanwhile', aliases: ['meanwhile'] });
    const second = siteThatFollows(management, credentials, first.facts);
    await until('it has the rest', () => second.facts.length === 2);
    expect(second.estate().revision).toBe(2);

    const { port } = new URL(management.provisioning.siteUrl);
    const restarted = await restartedManagement(management, Number(port));
    await restarted.ensureRoom({ name: 'After', aliases: ['after'] });
    await until('it follows the new tenure', () => second.facts.length === 3, 6_000);
    expect(second.facts.map(({ stream }) => stream).filter((stream, at, all) => all.indexOf(stream) === at)).toHaveLength(2);
    expect(second.facts[2]?.after).toMatchObject([{ stream: second.facts[1]?.stream, hash: second.facts[1]?.hash }]);
    expect(second.troubles.length).toBeGreaterThanOrEqual(2);
    await second.stop();
    await restarted.close();
  });

  it('that hold more than management take all that management has', async () => {
    const credentials = await enrolled('lon');
    await management.provisioning.ensureRoom({ name: 'One', aliases: ['one'] });
    const ahead = siteThatFollows(
      management,
      credentials,
      Array.from({ length: 10 }, (_, n) => ({ hash: `lost-${n}` }) as unknown as Fact),
    );
    // What management has, and its word that this is the estate of a later generation, though it had recorded something before.
    await until('it took all three', () => ahead.facts.length === 13);
    expect(ahead.facts.at(-1)).toMatchObject({ type: 'EstateRestored' });
    await ahead.stop();
  });

  it('report for themselves only, and what they report reaches telemetry', async () => {
    const credentials = await enrolled('lon');
    const heard: unknown[] = [];
    await management.bus.subscribe(TOPICS.batches, { group: 'spec' }, async ({ value }) => void heard.push(value));
    const line = managementAt(management.provisioning.siteUrl, () => credentials);
    const batch = { site: 'lon', run: 'r', number: 0, sentAt: 1, nodes: [], facts: {}, dropped: 0 };
    const report = (body: unknown) => line.ask({ method: 'POST', path: '/reports/v1', body, deadlineMs: 2_000 });
    await report(batch);
    await until('telemetry has it', () => heard.length === 1);
    await expect(report({ ...batch, site: 'nyc' })).rejects.toMatchObject({ code: 'site.not-its-own' });
    await expect(report({ ...batch, nodes: 'none' })).rejects.toMatchObject({ code: 'request.invalid' });
    await expect(report({ ...batch, run: 'x'.repeat(2_000_000) })).rejects.toMatchObject({
      code: expect.stringMatching(/too-large|unreachable/) as unknown,
    });
    await report(batch);
    await until('the door still works', () => heard.length === 2);
    line.close();
  });

  it('ask question after question over one connection', async () => {
    const credentials = await enrolled('lon');
    let connections = 0;
    const between = createServer((near) => {
      connections += 1;
      const far = connect(Number(new URL(management.provisioning.siteUrl).port), '127.0.0.1');
      for (const socket of [near, far]) socket.on('error', () => undefined);
      near.pipe(far).pipe(near);
    });
    await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
    const line = managementAt(`https://127.0.0.1:${(between.address() as AddressInfo).port}`, () => credentials);
    for (let asked = 0; asked < 3; asked += 1) {
      await line.ask({ method: 'GET', path: '/estate/v1/facts?after=0&applied=0', deadlineMs: 30_000 });
      // An answer's end and its connection's return to those that are free are not the same moment.
      await sleep(20);
    }
    expect(connections).toBe(1);
    line.close();
    between.close();
  });

  it('that were removed are turned away', async () => {
    const credentials = await enrolled('lon');
    await management.as(session, 'DELETE', '/v1/sites/lon');
    const line = managementAt(management.provisioning.siteUrl, () => credentials);
    const asked = line.ask({ method: 'GET', path: '/estate/v1/facts?after=0&applied=0', deadlineMs: 2_000 });
    await expect(asked).rejects.toMatchObject({ code: 'site.removed' });
    line.close();
  });

  it('without a certificate of this management are turned away, whatever they say', async () => {
    const { authority } = await enrolled('lon');
    const foreign = await createAuthority();
    const path = '/estate/v1/facts?after=0&applied=0';
    const asOther = async (credentials: Parameters<typeof managementAt>[1]) => {
      const line = managementAt(management.provisioning.siteUrl, credentials);
      await expect(line.ask({ method: 'GET', path, deadlineMs: 2_000 })).rejects.toMatchObject({
        kind: expect.stringMatching(/refusal|fault/) as unknown,
      });
      line.close();
    };
    const forged = await issue(foreign, { identity: { kind: 'site', site: LON } });
    await asOther(() => ({ authority }));
    await asOther(() => ({ ...forged, authority }));
    const line = managementAt(management.provisioning.siteUrl, () => forged);
    await expect(line.ask({ method: 'GET', path, deadlineMs: 2_000 })).rejects.toMatchObject({ code: 'management.untrusted' });
    line.close();
  });
});

describe('enrolment', () => {
  let management: TestManagement;
  beforeEach(async () => {
    management = await startTestManagement();
    await management.provisioning.ensureSite(site('lon'));
    await management.provisioning.ensureSite(site('nyc'));
  });
  afterEach(() => management.close());

  const enrolAs = async (id: string, token: string) => enrol({ url: management.provisioning.siteUrl, token, site: id as SiteId });

  it('gives a machine a certificate under the name that its token was made for, once', async () => {
    const { token } = await management.provisioning.createEnrolmentToken('lon');
    const credentials = await enrolAs('lon', token);
    expect(identityOf(credentials.certificate)).toEqual({ kind: 'site', site: 'lon' });
    await expect(enrolAs('lon', token)).rejects.toMatchObject({ code: 'enrolment.refused' });
  });

  it('lets one of two machines in that use a token at once', async () => {
    const { token } = await management.provisioning.createEnrolmentToken('lon');
    const both = await Promise.allSettled([enrolAs('lon', token), enrolAs('lon', token)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('refuses a token for another site, an unknown one and an expired one alike', async () => {
    const { token } = await management.provisioning.createEnrolmentToken('lon');
    const other = await enrolAs('nyc', token).catch((error: Error) => error.message);
    const unknown = await enrolAs('lon', 'no-such-token').catch((error: Error) => error.message);
    expect(other).toBe(unknown);
    expect(await enrolAs('lon', token)).toBeDefined();
    await management.close();

    let now = Date.now();
    management = await startTestManagement({ clock: { now: () => now, monotonic: () => performance.now() } });
    await management.provisioning.ensureSite(site('lon'));
    const late = await management.provisioning.createEnrolmentToken('lon');
    now += 30 * 60_000;
    expect(await enrolAs('lon', late.token).catch((error: Error) => error.message)).toBe(unknown);
  });

  it('makes a machine one node of a site by a command that it has signed, and neither the site nor another node', async () => {
    const session = await settledAdministrator(management);
    const wish = { node: 'lon-2', address: '192.0.2.9' };
    const { body } = await management.as(session, 'POST', '/v1/sites/lon/node-tokens', wish);
    const { ticket, isSignedBy } = readTicket(String(body['command']).split(' ').at(-1)!);
    expect(ticket).toMatchObject({ kind: 'node', site: 'lon', node: 'lon-2', host: '192.0.2.9', busUrl: 'wss://lon.example:5' });
    for (const node of [undefined, 'lon-3']) {
      const asked = enrol({ url: ticket.management, token: ticket.secret, site: LON, ...(node === undefined ? {} : { node }) });
      await expect(asked).rejects.toMatchObject({ code: 'enrolment.refused' });
    }
    const vouched = (authority: string) => expect(isSignedBy(authority)).toBe(true);
    const options = { url: ticket.management, token: ticket.secret, site: LON, node: 'lon-2', caFingerprint: ticket.authority, vouched };
    const credentials = await enrol(options);
    expect(identityOf(credentials.certificate)).toEqual({ kind: 'node', site: 'lon', node: 'lon-2' });
    const line = managementAt(ticket.management, () => credentials);
    const asking = { method: 'GET', path: '/estate/v1/facts?after=0&applied=0', deadlineMs: 2_000 } as const;
    await expect(line.ask(asking)).rejects.toMatchObject({ code: 'site.certificate-refused' });
    line.close();
    const astray = await management.as(session, 'POST', '/v1/sites/lon/node-tokens', { ...wish, node: 'nyc-1' });
    expect(astray.status).toBe(400);
  });

  it('does not use up a token for a request that cannot be signed', async () => {
    const { token, caFingerprint } = await management.provisioning.createEnrolmentToken('lon');
    const { authority } = await enrolAs('nyc', (await management.provisioning.createEnrolmentToken('nyc')).token);
    const line = managementAt(management.provisioning.siteUrl, () => ({ authority }));
    const { request } = await createRequest();
    for (const body of [
      { token, site: 'lon', request: 'nonsense' },
      { token, site: 'lon' },
      { token, site: 'LON', request },
      { token, site: 'lon', request, identity: 'isthmus:management' },
      { token, site: 'management', request },
    ]) {
      await expect(line.ask({ method: 'POST', path: '/enrolments/v1', body, deadlineMs: 2_000 })).rejects.toMatchObject({
        kind: 'refusal',
      });
    }
    line.close();
    expect(await enrol({ url: management.provisioning.siteUrl, token, site: LON, caFingerprint })).toBeDefined();
  });

  it('shows its token to nobody but the management that was named', async () => {
    const { token } = await management.provisioning.createEnrolmentToken('lon');
    const wrong = enrol({ url: management.provisioning.siteUrl, token, site: LON, caFingerprint: '00'.repeat(32) });
    await expect(wrong).rejects.toMatchObject({ code: 'enrolment.untrusted' });
    expect(await enrolAs('lon', token)).toBeDefined();
  });

  it('blocks an address that guesses tokens', async () => {
    for (let n = 0; n < 10; n++) await enrolAs('lon', `guess-${n}`).catch(() => undefined);
    const { token } = await management.provisioning.createEnrolmentToken('lon');
    await expect(enrolAs('lon', token)).rejects.toMatchObject({ code: 'session.locked' });
  });

  it('keeps what it got in a folder that only its owner reads, and notices when it is damaged', async () => {
    const credentials = await enrolAs('lon', (await management.provisioning.createEnrolmentToken('lon')).token);
    const folder = join(management.folder, 'site');
    expect(await loadCredentials(folder)).toBeUndefined();
    await saveCredentials(folder, credentials);
    expect(await loadCredentials(folder)).toEqual(credentials);
    expect((await stat(join(folder, 'site.key'))).mode & 0o777).toBe(0o600);
    const other = await createRequest();
    await writeFile(join(folder, 'site.key'), other.key);
    await expect(loadCredentials(folder)).rejects.toMatchObject({ code: 'credentials.damaged' });
  });

  it('is signed with a key that stays in the state folder, and a damaged one is told plainly', async () => {
    const key = join(management.folder, 'state', 'authority.key');
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    const stranger = await createAuthority();
    expect(await sign(stranger, (await createRequest()).request, { identity: { kind: 'site', site: LON } })).toContain('CERTIFICATE');
    await writeFile(key, stranger.key);
    const restarting = startTestManagement({ stateDir: join(management.folder, 'state') });
    await expect(restarting).rejects.toMatchObject({ code: 'authority.damaged' });
  });
});

/** Management once more, over the same store and state, on the port where sites look for it. */
const restartedManagement = async (management: TestManagement, port: number) => {
  const { startProvisioning } = await import('./start.js');
  await management.provisioning.close();
  await sleep(250);
  return startProvisioning({
    listen: { host: '127.0.0.1', port: 0 },
    siteListen: { host: '127.0.0.1', port },
    store: management.store,
    bus: management.bus,
    stateDir: join(management.folder, 'state'),
    firstAdministrator: undefined,
  });
};
