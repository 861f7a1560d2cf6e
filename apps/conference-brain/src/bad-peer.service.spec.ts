import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seal, streamNameOf, writerIdOf, type Fact, type SiteId, type StreamName } from '@isthmus/kernel';
import type { LegId } from '@isthmus/conference';
import type { PeerHandlers, Peers, Stored } from '@isthmus/ports';
import type { BrainMessage } from '@isthmus/protocol';
import { certificateSignatures } from '@isthmus/peers-http';
import { chained, sha256 } from '@isthmus/contract/samples';
import { CabledBrains } from './testing/cabled-brains.js';

const PATIENT = { timeout: 30_000, interval: 50 };
const YEAR_MS = 3.15e10;

/** A site with a good certificate that says what it likes. */
class BadPeer implements PeerHandlers {
  readonly heard: Fact[] = [];
  private readonly said: Fact[] = [];
  private readonly waiting = new Set<() => void>();

  constructor(readonly peers: Peers) {}

  say(...facts: readonly Fact[]): void {
    this.said.push(...facts);
    for (const wake of this.waiting) wake();
  }
  async *facts(_peer: SiteId, _after: string | undefined, signal: AbortSignal): AsyncGenerator<Stored> {
    let wake: () => void = () => undefined;
    const woken = () => wake();
    this.waiting.add(woken);
    signal.addEventListener('abort', woken);
    for (let next = 0; !signal.aborted;) {
      const fact = this.said[next];
      if (fact) yield { position: String(++next), fact };
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    this.waiting.delete(woken);
  }
  async received(_peer: SiteId, facts: readonly Fact[]): Promise<void> {
    this.heard.push(...facts);
  }
  async resumeAfter(): Promise<undefined> {
    return undefined;
  }
  async message(): Promise<void> {}
  changed(): void {}
}

let world: CabledBrains;
let bad: BadPeer;
let ana: LegId;
let conference: string;
let own: StreamName;

beforeEach(async () => {
  world = await CabledBrains.start(['nyc', 'lon'], { strangers: ['cpt'] });
  bad = new BadPeer(await world.peersOf('cpt'));
  await bad.peers.start(bad);
  bad.peers.setPeers(world.urls.filter(({ site }) => site !== 'cpt'));
  ana = await world.enter('nyc', 'Ana');
  await expect.poll(() => world.view('lon')?.seats.length, PATIENT).toBe(1);
  await world.enter('lon', 'Bo');
  await expect.poll(() => world.view('nyc')?.seats.length, PATIENT).toBe(2);
  await expect.poll(() => bad.peers.states().map(({ up }) => up), PATIENT).toEqual([true, true]);
  conference = world.view('nyc')!.conference;
  own = streamNameOf('conference', conference, writerIdOf('cpt' as SiteId, 1));
});
afterEach(async () => {
  await bad.peers.close();
  await world.close();
});

const troubles = () =>
  world
    .at('nyc')
    .reports.at(-1)
    ?.troubles?.map(({ code, peer }) => `${code} ${peer}`) ?? [];
const kept = async (site: string) => {
  const facts: Fact[] = [];
  for (const stream of await world.at(site).store.streams('conference'))
    for await (const fact of world.at(site).store.read(stream)) facts.push(fact);
  return facts.filter(({ stream }) => stream.endsWith('@cpt.1') || stream.endsWith('@oslo.1'));
};
/** The meeting goes on at both other sites, with whoever was in it. */
const goesOn = async () => {
  for (const site of ['nyc', 'lon']) await world.enter(site, `late-${site}`);
  await expect.poll(() => world.view('nyc')?.seats.filter(({ inReach }) => inReach).length, PATIENT).toBe(4);
  await expect.poll(() => world.view('lon')?.seats.filter(({ inReach }) => inReach).length, PATIENT).toBe(4);
  await world.speaks('nyc', ana);
  await expect.poll(() => world.view('lon')?.floor, PATIENT).toBe(ana);
  expect(bad.peers.states().map(({ up }) => up)).toEqual([true, true]);
};

describe('a peer that sends what it should not', { timeout: 120_000 }, () => {
  it('of a later version, about somebody else’s leg, very big, or ten years off: kept as it is, and inert', async () => {
    const facts = chained(own, [
      ['HologramRaised', { leg: ana }, { v: 99 }],
      ['LegLeft', { leg: ana, reason: 'left' }, { at: Date.now() + 10 * YEAR_MS }],
      ['LegMuted', { leg: ana }, { by: ana, at: -10 * YEAR_MS }],
      ['LegJoined', 'x'.repeat(1_000_000), { at: 1e300 }],
      ['FloorTaken', { leg: ana }, { at: Number.MAX_SAFE_INTEGER }],
    ]);
    bad.say(...facts);
    await expect.poll(() => kept('nyc'), PATIENT).toEqual(facts);
    await goesOn();
    expect(world.view('nyc')?.seats.find(({ leg }) => leg === ana)).toMatchObject({ muted: false, inReach: true });
    expect(troubles()).toEqual([]);
  });

  it('two stories of one stream: both are kept, an alarm is raised, nobody stops', async () => {
    const [first] = chained(own, [['HologramRaised', { story: 1 }]]);
    const [other] = chained(own, [['HologramRaised', { story: 2 }]]);
    bad.say(first!, other!);
    await expect.poll(troubles, PATIENT).toContain('stream_forked cpt');
    expect(new Set((await kept('nyc')).map(({ hash }) => hash))).toEqual(new Set([first!.hash, other!.hash]));
    await goesOn();
  });

  it('facts of others, and facts that are not what their hash says: left out, with an alarm, and never passed on', async () => {
    const ofOslo = chained(streamNameOf('conference', conference, writerIdOf('oslo' as SiteId, 1)), [['ConferenceLocked', {}]]);
    const [good, next] = chained(own, [
      ['HologramRaised', {}],
      ['HologramRaised', { n: 2 }],
    ]);
    bad.say(good!, ...ofOslo, { ...next!, body: { n: 3 } });
    await expect.poll(troubles, PATIENT).toContain('peer_poison cpt');
    expect(await kept('nyc')).toEqual([good]);
    await goesOn();
    expect(await kept('lon')).toEqual(expect.not.arrayContaining(ofOslo));
  });

  it('words and facts in the name of a third site: not believed without that site’s signature', async () => {
    const forged = chained(streamNameOf('conference', conference, writerIdOf('lon' as SiteId, 7)), [
      ['LegLeft', { leg: ana, reason: 'left' }],
    ]);
    const { stream, seq, hash } = forged[0]!;
    const credentials = await world.credentialsOf('cpt');
    const { signature, certificate } = certificateSignatures(() => credentials).sign(`isthmus head ${stream} ${seq} ${hash}`);
    const head = { stream, seq, hash, signature };
    for (const message of [
      { type: 'heads', site: 'lon' as SiteId, certificate, heads: [head] },
      { type: 'relayed', certificate, head, facts: forged },
      { type: 'yours', heads: [{ stream: streamNameOf('conference', conference, writerIdOf('nyc' as SiteId, 10_000_000)), seq: 0, hash }] },
    ] satisfies BrainMessage[])
      bad.peers.send('nyc' as SiteId, message);
    await expect.poll(troubles, PATIENT).toContain('peer_poison cpt');
    await goesOn();
    expect(troubles()).toEqual(['peer_poison cpt']);
    const names = (await world.at('nyc').store.streams('conference')).map((name) => name.split('@')[1]);
    expect(new Set(names)).toEqual(new Set(['nyc.1', 'lon.1']));
  });

  it('a chain with something else in the middle, under a good signature of its last fact: not believed', async () => {
    const facts = chained(own, [
      ['A', {}],
      ['B', {}],
      ['C', {}],
    ]);
    const credentials = await world.credentialsOf('cpt');
    const signatures = certificateSignatures(() => credentials);
    const { stream, seq, hash } = facts[2]!;
    const { signature, certificate } = signatures.sign(`isthmus head ${stream} ${seq} ${hash}`);
    const head = { stream, seq, hash, signature };
    const { hash: _, ...unsealed } = facts[1]!;
    const other = seal({ ...unsealed, type: 'Changed' }, sha256);
    // As if Cape Town passed it on: the word comes to New York as a third site's would.
    bad.peers.send('nyc' as SiteId, { type: 'heads', site: 'cpt' as SiteId, certificate, heads: [head] } satisfies BrainMessage);
    bad.peers.send('nyc' as SiteId, { type: 'relayed', certificate, head, facts: [facts[0]!, other, facts[2]!] } satisfies BrainMessage);
    await goesOn();
    expect(await kept('nyc')).toEqual([]);
  });
});
