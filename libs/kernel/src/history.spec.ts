import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { seal } from './canonical.js';
import type { Decider } from './decider.js';
import { siteOfStream, streamNameOf, writerIdOf, type Fact, type FactHash, type Head, type SiteId, type StreamName } from './fact.js';
import { createTimeline } from './history.js';
import { inOrder, saw, type Said } from './said.js';
import { freeze, thaw, type FrozenSnapshot } from './snapshot.js';

const RUNS = Number(process.env['ISTHMUS_PROPERTY_RUNS'] ?? 200);
vi.setConfig({ testTimeout: 60_000 + 100 * RUNS });
const YEAR_MS = 3.15e10;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Remembers everything in the order in which it was folded, and what its author could see. */
const everything: Decider<readonly Said[], never, string> = {
  initial: [],
  decide: () => [],
  evolve: (state, _body, said) => [...state, said],
  read: (fact) => (fact.type === 'Poison' ? undefined : fact.type),
};
const timeline = () => createTimeline(everything);
type History = ReturnType<typeof timeline>;

const streamOf = (site: number, epoch: number) =>
  streamNameOf('conference', 'c1', writerIdOf(['cpt', 'lon', 'nyc', 'sin'][site] as SiteId, epoch));

interface Step {
  readonly site: number;
  readonly peer: number;
  readonly what: 'say' | 'poison' | 'hear' | 'restart' | 'roll back' | 'clock';
  readonly n: number;
}
const step: fc.Arbitrary<Step> = fc.record({
  site: fc.nat(3),
  peer: fc.nat(3),
  what: fc.constantFrom('say', 'say', 'say', 'say', 'poison', 'hear', 'hear', 'hear', 'restart', 'roll back', 'clock'),
  n: fc.nat(11),
});
const steps = fc.array(step, { minLength: 20, maxLength: 90, size: 'max' });

/** Four writers live through the steps; all that any of them ever said comes out, in the order in which it was said. */
const live = (story: readonly Step[]): readonly Fact[] => {
  const said = new Map<FactHash, Fact>();
  const sites = [0, 1, 2, 3].map((id) => ({ id, epoch: 0, skewMs: 0, history: timeline() }));
  story.forEach(({ site, peer, what, n }, i) => {
    const here = sites[site]!;
    const keep = (facts: readonly Fact[]) => {
      here.history = timeline();
      here.history.add(facts);
    };
    if (what === 'hear') here.history.add(sites[peer]!.history.facts());
    else if (what === 'restart') here.epoch += 1;
    else if (what === 'roll back') keep(here.history.facts().slice(0, n < 4 ? Math.floor(here.history.length / 2) : undefined));
    else if (what === 'clock') here.skewMs = [0, 10 * YEAR_MS, -10 * YEAR_MS, 100, NaN, 1e300, -1e13, 0.5][n % 8]!;
    else {
      const type = what === 'say' ? 'Said' : 'Poison';
      const draft = { at: 0, by: 'system', type, v: 1, body: { i } };
      const unsealed = here.history.next(streamOf(site, here.epoch), draft);
      const at = 1e12 + Math.floor(i / 3) + here.skewMs;
      const fact = seal({ ...unsealed, at: n % 3 === 0 && !Number.isNaN(at) ? at : unsealed.at }, sha256);
      here.history.add([fact]);
      said.set(fact.hash, fact);
    }
  });
  return [...said.values()];
};

const causesOf = ({ stream, seq, prev, after }: Fact): readonly Head[] =>
  prev === null ? after : [{ stream, seq: seq - 1, hash: prev }, ...after];

/** Everything that each fact came after, straight from the definition. */
const ancestry = (facts: readonly Fact[]): ReadonlyMap<FactHash, ReadonlySet<FactHash>> => {
  const known = new Map<FactHash, Set<FactHash>>();
  for (const fact of facts) known.set(fact.hash, new Set(causesOf(fact).flatMap(({ hash }) => [hash, ...known.get(hash)!])));
  return known;
};

/** The order, straight from the definition in merge.md, worked out from scratch. */
const orderOf = (facts: readonly Fact[]): readonly FactHash[] => {
  const keys = new Map<FactHash, readonly [ms: number, step: number]>();
  for (const fact of facts) {
    const sane = fact.at >= 0 && fact.at <= 2 ** 48 ? fact.at : 0;
    const pushed = causesOf(fact).map(({ hash }) => [keys.get(hash)![0], keys.get(hash)![1] + 1] as const);
    keys.set(
      fact.hash,
      [[sane, 0] as const, ...pushed].reduce((a, b) => (b[0] > a[0] || (b[0] === a[0] && b[1] > a[1]) ? b : a)),
    );
  }
  const term = (fact: Fact) => [
    ...keys.get(fact.hash)!,
    siteOfStream(fact.stream),
    Number(fact.stream.split('.').at(-1)),
    fact.seq,
    fact.hash,
  ];
  const compare = (a: Fact, b: Fact) => {
    const [one, other] = [term(a), term(b)];
    const i = one.findIndex((value, at) => value !== other[at]);
    return i < 0 ? 0 : one[i]! < other[i]! ? -1 : 1;
  };
  return [...facts].sort(compare).map(({ hash }) => hash);
};

const hashes = (history: History) => history.facts().map(({ hash }) => hash);
const folded = (history: History) => history.state.map(({ hash }) => hash);

/** The facts in some order of arrival, in batches, some of them twice. */
const arrivals = (facts: readonly Fact[]) =>
  fc
    .tuple(fc.shuffledSubarray([...facts], { minLength: facts.length }), fc.subarray([...facts]), fc.integer({ min: 1, max: 20 }))
    .map(([shuffled, again, size]) => {
      const all = [...shuffled, ...again];
      return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
    });

const holds = (law: (facts: readonly Fact[], batches: readonly (readonly Fact[])[]) => void) =>
  fc.assert(
    fc.property(
      steps.map(live).chain((facts) => fc.tuple(fc.constant(facts), arrivals(facts))),
      ([facts, batches]) => law(facts, batches),
    ),
    { numRuns: RUNS },
  );

describe('a timeline', () => {
  it('makes of the same facts the same order and the same state, whatever the arrival', () =>
    holds((facts, batches) => {
      const history = timeline();
      for (const batch of batches) history.add(batch);
      expect(hashes(history)).toEqual(orderOf(facts));
      const poison = new Set(facts.filter(({ type }) => type === 'Poison').map(({ hash }) => hash));
      expect(folded(history)).toEqual(orderOf(facts).filter((hash) => !poison.has(hash)));
      expect(history.length).toBe(facts.length);
      expect(history.waiting).toBe(0);
    }));

  it('makes the same of them when somebody looks after every batch', () =>
    holds((facts, batches) => {
      const history = timeline();
      for (const batch of batches) {
        history.add(batch);
        expect(folded(history)).toEqual(
          history
            .facts()
            .filter(({ type }) => type !== 'Poison')
            .map(({ hash }) => hash),
        );
      }
      expect(hashes(history)).toEqual(orderOf(facts));
    }));

  it('keeps effects after causes, whatever the clocks say', () =>
    holds((_, batches) => {
      const history = timeline();
      history.add(batches.flat());
      const position = new Map(hashes(history).map((hash, i) => [hash, i]));
      for (const fact of history.facts())
        for (const cause of causesOf(fact)) expect(position.get(cause.hash)!).toBeLessThan(position.get(fact.hash)!);
    }));

  it('never reorders what is there when more is added', () =>
    holds((_, batches) => {
      const history = timeline();
      for (const batch of batches) {
        const before = hashes(history);
        history.add(batch);
        const kept = new Set(before);
        expect(hashes(history).filter((hash) => kept.has(hash))).toEqual(before);
      }
    }));

  it('knows who had seen what, also where a writer was cloned', () =>
    holds((facts, batches) => {
      const history = timeline();
      for (const batch of batches) history.add(batch);
      const ancestors = ancestry(facts);
      for (const later of history.state)
        for (const earlier of history.state) expect(saw(later, earlier)).toBe(ancestors.get(later.hash)!.has(earlier.hash));
    }));

  it('adds nothing the second time, and says so', () =>
    holds((facts) => {
      const history = timeline();
      expect(history.add(facts)).toBe(facts.length > 0);
      const before = history.state;
      expect(history.add(facts)).toBe(false);
      expect(history.state).toBe(before);
    }));

  it('lets a fact wait until all its causes are here, and says what it waits for', () =>
    holds((facts) => {
      if (facts.length === 0) return;
      const ancestors = ancestry(facts);
      const lost = facts[Math.floor(facts.length / 2)]!;
      const history = timeline();
      history.add(facts.filter((fact) => fact !== lost));
      const effects = facts.filter(({ hash }) => ancestors.get(hash)!.has(lost.hash)).length;
      expect(history.waiting).toBe(effects);
      expect(history.missing().map(({ hash }) => hash)).toEqual(effects > 0 ? [lost.hash] : []);
      history.forgetWaiting();
      expect(history.waiting).toBe(0);
      history.add(facts);
      expect(hashes(history)).toEqual(orderOf(facts));
    }));

  it('reports exactly the streams of which there are two stories', () =>
    holds((facts, batches) => {
      const history = timeline();
      for (const batch of batches) history.add(batch);
      const places = facts.map(({ stream, seq }) => `${stream} ${seq}`);
      const forked = new Set(
        facts.filter(({ stream, seq }) => places.filter((place) => place === `${stream} ${seq}`).length > 1).map(({ stream }) => stream),
      );
      expect(new Set(history.forked())).toEqual(forked);
    }));

  it("gives the next fact all that is in place as its past, and names only what is new since the stream's last", () =>
    holds((facts, batches) => {
      const history = timeline();
      for (const batch of batches) history.add(batch);
      const ancestors = ancestry(facts);
      const next = history.next(streamOf(0, 1_000), { at: 5, by: 'system', type: 'Said', v: 1, body: {} });
      const seen = new Set(next.after.flatMap(({ hash }) => [hash, ...ancestors.get(hash)!]));
      expect(seen.size).toBe(facts.length);
      const sealed = seal(next, sha256);
      history.add([sealed]);
      expect(hashes(history).at(-1)).toBe(sealed.hash);
      expect(history.next(streamOf(0, 1_000), { at: 5, by: 'system', type: 'Said', v: 1, body: {} })).toMatchObject({
        seq: 1,
        prev: sealed.hash,
        after: [],
      });
    }));

  it('is not misled by a fact that names less of a stream than its writer had seen through another', () => {
    const history = timeline();
    const say = (stream: StreamName, change: Partial<Fact> = {}) => {
      const fact = seal({ ...history.next(stream, { at: 1, by: 'system', type: 'Said', v: 1, body: {} }), ...change }, sha256);
      history.add([fact]);
      return { stream, seq: fact.seq, hash: fact.hash };
    };
    const [first, second] = [say(streamOf(1, 0)), say(streamOf(1, 0))];
    const heard = say(streamOf(2, 0));
    say(streamOf(3, 0), { after: [heard, first] });
    expect(
      saw(
        history.state.at(-1)!,
        history.state.find(({ hash }) => hash === second.hash)!,
      ),
    ).toBe(true);
  });

  it("keeps a writer's own clock from going back", () => {
    const history = timeline();
    const stream = streamOf(1, 0);
    history.add([seal(history.next(stream, { at: 5000, by: 'system', type: 'Said', v: 1, body: {} }), sha256)]);
    expect(history.next(stream, { at: 4000, by: 'system', type: 'Said', v: 1, body: {} }).at).toBe(5000);
    expect(history.next(stream, { at: NaN, by: 'system', type: 'Said', v: 1, body: {} }).at).toBe(5000);
  });

  it('goes back into a long past and comes out the same', () => {
    const [mine, theirs] = [timeline(), timeline()];
    const say = (history: History, stream: StreamName, at: number) =>
      history.add([seal(history.next(stream, { at, by: 'system', type: 'Said', v: 1, body: {} }), sha256)]);
    for (let i = 0; i < 3000; i++) {
      say(mine, streamOf(0, 0), 1e12 + i * 10);
      say(theirs, streamOf(1, 0), 1e12 + i * 10 + 5);
    }
    expect(mine.state).toHaveLength(3000);
    const late = [...theirs.facts()].reverse();
    for (let i = 0; i < late.length; i += 250) {
      mine.add(late.slice(i, i + 250));
      expect(mine.state).toHaveLength(mine.length);
    }
    theirs.add(mine.facts());
    expect(folded(mine)).toEqual(folded(theirs));
    expect(mine.state.map(({ site }) => site).slice(0, 4)).toEqual(['cpt', 'lon', 'cpt', 'lon']);
  });
});

describe('a timeline that goes on from a snapshot', () => {
  /** As it comes back from a disk. */
  const kept = (history: History) => {
    const snapshot = history.snapshot();
    return snapshot && thaw<readonly Said[]>(JSON.parse(JSON.stringify(freeze(snapshot))) as FrozenSnapshot);
  };
  /** Some of the facts in causal order, and the others as they come later. */
  const halves = (law: (known: readonly Fact[], later: readonly (readonly Fact[])[]) => void) =>
    fc.assert(
      fc.property(
        steps
          .map(live)
          .chain((facts) =>
            fc
              .integer({ min: 1, max: Math.max(1, facts.length) })
              .chain((size) => fc.tuple(fc.constant(facts.slice(0, size)), arrivals(facts.slice(size)))),
          ),
        ([known, later]) => law(known, later),
      ),
      { numRuns: RUNS },
    );

  it('comes to the same as one that replayed everything, or says that it is undercut', () => {
    const outcomes = { same: 0, undercut: 0, forked: 0 };
    halves((known, later) => {
      const before = timeline();
      before.add(known);
      const base = kept(before);
      expect(base === undefined).toBe(known.length === 0 || before.forked().length > 0);
      if (base === undefined) return void (outcomes.forked += 1);
      const history = createTimeline(everything, base);
      for (const batch of later) {
        history.add(batch);
        if (!history.undercut) expect(history.state).toHaveLength(new Set(history.state.map(({ hash }) => hash)).size);
      }
      const whole = timeline();
      whole.add([...known, ...later.flat()]);
      if (history.undercut) {
        outcomes.undercut += 1;
        expect(() => history.state).toThrow('beneath');
        expect(history.snapshot()).toBeUndefined();
        return;
      }
      outcomes.same += 1;
      expect(folded(history)).toEqual(folded(whole));
      expect(history.length).toBe(whole.length);
      expect(new Set(history.heads().map(({ hash }) => hash))).toEqual(new Set(whole.heads().map(({ hash }) => hash)));
      expect(history.forked()).toEqual(whole.forked());
      const all = whole.state;
      history.state.forEach((one, i) => {
        expect(inOrder(one, all[i]!)).toBe(0);
        history.state.forEach((other, j) => expect(saw(one, other)).toBe(saw(all[i]!, all[j]!)));
      });
      const draft = { at: 5, by: 'system', type: 'Said', v: 1, body: {} };
      expect(seal(history.next(streamOf(0, 1_000), draft), sha256)).toEqual(seal(whole.next(streamOf(0, 1_000), draft), sha256));
    });
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(0);
  });

  it('is undercut by every fact that sorts before its last', () =>
    halves((known, later) => {
      const before = timeline();
      before.add(known);
      const base = kept(before);
      if (base === undefined) return;
      const history = createTimeline(everything, base);
      history.add(later.flat());
      const whole = timeline();
      whole.add([...known, ...later.flat()]);
      const ours = new Set(known.map(({ hash }) => hash));
      const order = hashes(whole);
      const belongsBeneath = order.slice(0, order.indexOf(base.last.hash)).some((hash) => !ours.has(hash));
      if (belongsBeneath) expect(history.undercut).toBe(true);
    }));

  it('keeps apart what a fact’s author wrote into it and what a snapshot means by the same word', () => {
    const odd = { $said: 0, $table: [], $$said: 1, ['__proto__']: { polluted: true } };
    const remembering: Decider<unknown, never, unknown> = {
      initial: null,
      decide: () => [],
      evolve: (_, body) => body,
      read: ({ body }) => body,
    };
    const history = createTimeline(remembering);
    history.add([seal(history.next(streamOf(0, 0), { at: 1, by: 'system', type: 'Said', v: 1, body: odd }), sha256)]);
    const thawed = thaw<unknown>(JSON.parse(JSON.stringify(freeze(history.snapshot()!))) as FrozenSnapshot);
    expect(JSON.stringify(thawed.state)).toBe(JSON.stringify(odd));
    expect(Object.hasOwn(thawed.state as object, '__proto__')).toBe(true);
  });
});
