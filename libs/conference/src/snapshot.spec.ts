import { createHash } from 'node:crypto';
import { createTimeline, freeze, thaw, type Fact, type FrozenSnapshot } from '@isthmus/kernel';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { conference } from './conference.js';
import { canonicalState } from './digest.js';
import { standingOf } from './standing.js';
import type { Conference } from './state.js';
import { live, reunited, WHAT, YEAR_MS } from './story.js';

const RUNS = Number(process.env['ISTHMUS_PROPERTY_RUNS'] ?? 200);
vi.setConfig({ testTimeout: 60_000 + 100 * RUNS });
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const step = fc.record({
  what: fc.constantFrom(...WHAT),
  site: fc.nat(3),
  peer: fc.nat(3),
  own: fc.nat(3),
  other: fc.nat(7),
  n: fc.nat(11),
});
const skews = fc.array(fc.constantFrom(0, 0, 5_000, -5_000, 10 * YEAR_MS, NaN), { minLength: 4, maxLength: 4 });

const folded = (facts: readonly Fact[]) => {
  const timeline = createTimeline(conference);
  timeline.add(facts);
  return timeline;
};
const whoStands = (state: Conference) =>
  [...standingOf(state).legs.values()].map(({ leg, ...standing }) => ({ ...standing, leg: leg.leg, came: leg.came.hash }));

it('makes of a snapshot and what came after it the state of a replay, or says that a fact belongs beneath it', () => {
  const outcomes = { same: 0, undercut: 0, forked: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 100, size: 'max' }), skews, fc.nat(99), (steps, skewsMs, n) => {
      const sites = live(sha256, steps, skewsMs);
      // What one site knew before it heard of the others is causally whole; then the links return.
      const known = folded([...sites[n % 4]!.facts.values()]);
      const facts = [...reunited(sites)[0]!.facts.values()];
      const whole = folded(facts);
      const snapshot = known.snapshot();
      if (snapshot === undefined) return void (outcomes.forked += 1);
      const kept = thaw<Conference>(JSON.parse(JSON.stringify(freeze(snapshot))) as FrozenSnapshot);
      expect(canonicalState(kept.state)).toBe(canonicalState(known.state));
      const timeline = createTimeline(conference, kept);
      const already = new Set(known.facts().map(({ hash }) => hash));
      timeline.add(facts.filter(({ hash }) => !already.has(hash)));
      if (timeline.undercut) return void (outcomes.undercut += 1);
      outcomes.same += 1;
      expect(canonicalState(timeline.state)).toBe(canonicalState(whole.state));
      expect(whoStands(timeline.state)).toEqual(whoStands(whole.state));
    }),
    { numRuns: RUNS },
  );
  for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(0);
});
