import { createHash } from 'node:crypto';
import { apart, createTimeline, saw, type Fact, type Said } from '@isthmus/kernel';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { conference } from './conference.js';
import { crossings } from './crossings.js';
import { canonicalState } from './digest.js';
import type { Coming, ConferenceBody } from './facts.js';
import { liveLegsOf } from './selectors.js';
import { legOf, standingOf } from './standing.js';
import { confirm, live, reunited, SITES, WHAT, YEAR_MS, type Step } from './story.js';
import { upcast } from './upcast.js';
import { legIdOf, type LegId } from './words.js';
import { World, type TestSite } from './world.js';

const RUNS = Number(process.env['ISTHMUS_PROPERTY_RUNS'] ?? 200);
vi.setConfig({ testTimeout: 60_000 + 100 * RUNS });
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(...WHAT),
  site: fc.nat(3),
  peer: fc.nat(3),
  own: fc.nat(3),
  other: fc.nat(7),
  n: fc.nat(11),
});
const skews = fc.array(fc.constantFrom(0, 0, 5_000, -5_000, 10 * YEAR_MS, -10 * YEAR_MS, NaN), { minLength: 4, maxLength: 4 });

const story = fc.tuple(fc.array(step, { minLength: 30, maxLength: 100, size: 'max' }), skews);
const property = (law: (steps: readonly Step[], skewsMs: readonly number[]) => void, runs = RUNS) =>
  fc.assert(
    fc.property(story, ([steps, skewsMs]) => law(steps, skewsMs)),
    { numRuns: runs },
  );
/** A law about what one site knows when every link has returned. */
const holds = (law: (chronicle: Chronicle, site: TestSite) => void) =>
  property((steps, skewsMs) => {
    const [site] = reunited(live(sha256, steps, skewsMs));
    law(chronicleOf([...site!.facts.values()]), site!);
  });

/** All that was said, kept without judgement: what the laws are checked against. */
type Chronicle = ReturnType<typeof chronicleOf>;
const chronicleOf = (facts: readonly Fact[]) => {
  const timeline = createTimeline<readonly { readonly fact: ConferenceBody; readonly said: Said }[], ConferenceBody>({
    initial: [],
    evolve: (state, fact, said) => [...state, { fact, said }],
    read: upcast,
  });
  timeline.add(facts);
  const all = timeline.state;
  const said = <Type extends ConferenceBody['type']>(type: Type) =>
    all.flatMap(({ fact, said }) =>
      fact.type === type ? [{ body: fact.body as Extract<ConferenceBody, { type: Type }>['body'], said }] : [],
    );
  /** What a site said that was written off meanwhile, unseen by whoever did, is archive only. */
  const counts = (act: Said) => {
    const offs = said('SiteWrittenOff').filter(({ body }) => body.site === act.site);
    return offs.length === 0 || offs.some((off) => !apart(off.said, act));
  };
  const of = <Type extends ConferenceBody['type']>(type: Type) => said(type).filter((act) => counts(act.said));
  const arrivals = new Map([...said('LegJoined'), ...said('LegKnocked')].map((arrival) => [arrival.body.leg, arrival]));
  /** Nobody took the host role from whoever said this, without them knowing and without knowing of it. */
  const unchallenged = (act: Said) => {
    const author = arrivals.get(act.by as LegId)!;
    return (
      of('HostDemoted').every(({ body, said }) => body.leg !== act.by || !apart(said, act)) &&
      of('PersonRemoved').every(({ body, said }) => body.person !== author.body.person || !apart(said, act) || saw(author.said, said))
    );
  };
  /** A leg, and those of the same person that they moved from to get there. */
  const trail = (leg: LegId): readonly { readonly body: Coming; readonly said: Said }[] => {
    const legs = [arrivals.get(leg)!];
    for (let at = legs[0]!.body.from; at !== undefined; at = legs.at(-1)!.body.from) {
      const before = arrivals.get(at);
      if (before?.body.person !== legs[0]!.body.person || legs.includes(before)) break;
      legs.push(before);
    }
    return legs;
  };
  return { of, said, counts, arrivals, unchallenged, trail };
};

describe('sites that were apart', () => {
  it('hold the same facts in the same order and the same state when the links return', () =>
    property((steps, skewsMs) => {
      const [first, ...others] = reunited(live(sha256, steps, skewsMs));
      for (const other of others) {
        expect(other.timeline.facts().map(({ hash }) => hash)).toEqual(first!.timeline.facts().map(({ hash }) => hash));
        expect(canonicalState(other.state)).toBe(canonicalState(first!.state));
        expect(other.timeline.waiting).toBe(0);
      }
    }));

  it('give every member of a component the same stage', () =>
    property((steps, skewsMs) => {
      const [first, ...others] = reunited(live(sha256, steps, skewsMs));
      for (const other of others) expect({ ...other.view, site: '', version: 0 }).toEqual({ ...first!.view, site: '', version: 0 });
    }));

  it('fold a part and then the rest to what they fold all at once', () =>
    property((steps, skewsMs) => {
      const [site] = reunited(live(sha256, steps, skewsMs));
      const facts = [...site!.facts.values()];
      const [parts, whole] = [createTimeline(conference), createTimeline(conference)];
      whole.add(facts);
      for (let at = 0; at < facts.length; at += 7) {
        parts.add(facts.slice(at, at + 7));
        expect(parts.state).toBeDefined();
      }
      expect(canonicalState(parts.state)).toBe(canonicalState(whole.state));
    }));

  it('lose nothing that was acknowledged', () =>
    property((steps, skewsMs) => {
      const sites = live(
        sha256,
        steps.filter(({ what }) => what !== 'roll back'),
        skewsMs,
      );
      const recorded = sites.flatMap((site) => [...site.facts.keys()]);
      for (const site of reunited(sites)) {
        const kept = new Set(site.timeline.facts().map(({ hash }) => hash));
        expect(recorded.every((hash) => kept.has(hash))).toBe(true);
      }
    }));

  it('disconnect nobody by coming together, unless somebody meant to', () =>
    property((steps, skewsMs) => {
      live(sha256, steps, skewsMs, (site, hear) => {
        const before = liveLegsOf(site.state).filter((leg) => leg.site === site.id);
        hear();
        confirm(site, 1e12);
        const chronicle = chronicleOf([...site.facts.values()]);
        for (const { leg, person, connect } of before) {
          const { ended } = legOf(site.state, leg)!;
          const meant =
            chronicle.of('PersonRemoved').some(({ body }) => body.person === person) ||
            chronicle.of('LegRejected').some(({ body }) => body.leg === leg) ||
            chronicle.of('MeetingEnded').some(({ body }) => body.sites.includes(site.id)) ||
            [...chronicle.arrivals.values()].some(({ body }) => body.person === person && body.leg !== leg && body.connect !== connect) ||
            chronicle.said('LegLeft').some(({ body }) => body.leg === leg); // A fork brought the end of the other story.
          if (!meant) expect(ended).toBeNull();
        }
      });
    }));

  it('never have more than one large and eight small pictures on a link', () =>
    property((steps, skewsMs) => {
      const [site] = reunited(live(sha256, steps, skewsMs));
      for (const { large, small } of crossings(site!.view)) {
        expect(large.length).toBeLessThanOrEqual(1);
        expect(small.length).toBeLessThanOrEqual(8);
      }
    }));
});

describe('a re-join', () => {
  it('opens no lock that nobody opened who had seen it and still had the right to', () =>
    holds(({ of, unchallenged }, { state }) => {
      const lifted = (lock: Said) => of('ConferenceUnlocked').some(({ said }) => saw(said, lock) && unchallenged(said));
      if (of('ConferenceLocked').some(({ said }) => !lifted(said))) expect(standingOf(state).locked).toBe(true);
    }));

  it('closes no door that nobody closed', () =>
    holds(({ of }, { state }) => {
      if (of('ConferenceLocked').length === 0) expect(standingOf(state).locked).toBe(false);
    }));

  it('brings nobody back who was removed', () =>
    holds(({ of, arrivals }, { state }) => {
      for (const { leg, person, role } of liveLegsOf(state))
        for (const { body, said } of of('PersonRemoved'))
          if (body.person === person) expect([role, saw(arrivals.get(leg)!.said, said)]).toEqual(['host', true]);
    }));

  it('shows no stranger on the floor or in the roster of a locked room', () =>
    holds(({ of, trail }, { view }) => {
      for (const leg of view.byRecency) {
        const legs = trail(leg);
        for (const { said: lock } of of('ConferenceLocked')) {
          const vouchers = [...of('LegAdmitted'), ...of('HostAppointed')].filter(({ said }) => saw(said, lock));
          const known =
            legs[0]!.body.role === 'host' ||
            legs.some(({ said: came }) => saw(came, lock) || saw(lock, came)) ||
            of('ConferenceUnlocked').some(({ said }) => saw(said, lock)) ||
            vouchers.some(({ body }) => legs.some((each) => each.body.leg === body.leg));
          expect(known).toBe(true);
        }
      }
      expect(view.floor === null || view.byRecency[0] === view.floor).toBe(true);
    }));

  it('lets nobody in from the door who was not let in', () =>
    holds(({ of, arrivals }, { view }) => {
      for (const { leg, held } of view.seats) {
        const knock = of('LegKnocked').find(({ body }) => body.leg === leg);
        if (knock === undefined || held) continue;
        const { reason, reach } = knock.body;
        const byHost = [...arrivals.values()].some(
          ({ body, said }) => body.role === 'host' && (saw(said, knock.said) || (apart(said, knock.said) && reach.includes(body.site))),
        );
        const byUnlock = of('ConferenceUnlocked').some(({ said }) => saw(said, knock.said));
        const byAdmission = of('LegAdmitted').some(({ body }) => body.leg === leg);
        expect(byAdmission || (reason === 'host' ? byHost : byUnlock)).toBe(true);
      }
    }));

  it('keeps out whoever was turned away, although somebody else let them in', () =>
    holds(({ of }, { state }) => {
      const turnedAway = new Set(of('LegRejected').map(({ body }) => body.leg));
      for (const { leg } of liveLegsOf(state)) expect(turnedAway.has(leg)).toBe(false);
    }));

  it("lifts no host's mute and no host's camera-off that no host lifted who had seen it and still had the right to", () =>
    holds(({ of, unchallenged }, { state }) => {
      for (const standing of standingOf(state).legs.values()) {
        const { leg } = standing.leg;
        const lifts = (type: 'LegUnmuted' | 'CameraResumed') => of(type).filter(({ body, said }) => body.leg === leg && unchallenged(said));
        const stands = (stop: Said, type: 'LegUnmuted' | 'CameraResumed') => !lifts(type).some(({ said }) => saw(said, stop));
        for (const { body, said } of of('LegMuted'))
          if (body.leg === leg && said.by !== leg && stands(said, 'LegUnmuted')) expect(standing.muted).toBe('host');
        for (const { body, said } of of('CameraStopped'))
          if (body.leg === leg && said.by !== leg && stands(said, 'CameraResumed')) expect(standing.camera).toBe('host');
      }
    }));

  it('makes nobody host again who was demoted, unless by somebody who knew', () =>
    holds(({ of }, { state }) => {
      for (const { body, said } of of('HostDemoted'))
        if (!of('HostAppointed').some((appointment) => appointment.body.leg === body.leg && saw(appointment.said, said)))
          expect(standingOf(state).legs.get(body.leg)?.role ?? 'guest').toBe('guest');
    }));

  it('shows nobody who came by an older PIN, unaware that it was changed, until somebody who knew vouched for them', () =>
    holds(({ of, trail }, { view }) => {
      for (const leg of view.byRecency) {
        const legs = trail(leg);
        const { body } = legs[0]!;
        for (const { body: pins, said: change } of of('PinChanged')) {
          const vouchers = [...of('LegAdmitted'), ...of('HostAppointed')].filter(({ said }) => saw(said, change));
          const known =
            body.proof >= pins[body.role] ||
            legs.some((each) => each.body.role === body.role && saw(change, each.said)) ||
            vouchers.some((voucher) => legs.some((each) => each.body.leg === voucher.body.leg));
          expect(known).toBe(true);
        }
      }
    }));

  it('makes nobody host by a host PIN that was changed behind their back', () =>
    holds(({ of, trail }, { state }) => {
      for (const { leg, role } of standingOf(state).legs.values()) {
        const legs = trail(leg.leg);
        const { body } = legs[0]!;
        if (role === 'guest' || body.role === 'guest') continue;
        const seen = (change: Said) => legs.some((each) => each.body.role === 'host' && saw(change, each.said));
        const outdated = of('PinChanged').filter(({ body: pins, said }) => pins.host > body.proof && !seen(said));
        const ofTrail = ({ body: { leg } }: { readonly body: { readonly leg: LegId } }) => legs.some(({ body }) => body.leg === leg);
        const appointments = of('HostAppointed').filter(ofTrail);
        for (const { said: change } of outdated) expect(appointments.some(({ said }) => saw(said, change))).toBe(true);
      }
    }));

  it('leaves nobody of a site that was written off, unless that site knew of it and said that they are there', () =>
    holds(({ said }, { state }) => {
      for (const leg of liveLegsOf(state))
        for (const { body, said: off } of said('SiteWrittenOff'))
          if (body.site === leg.site) {
            const words = [...said('LegJoined'), ...said('LegKnocked'), ...said('LegReturned')];
            expect(words.some(({ body, said: word }) => body.leg === leg.leg && saw(word, off))).toBe(true);
          }
    }));

  it('locks no room by what a written-off site said later, unseen', () =>
    holds(({ said, counts }, { state }) => {
      if (said('ConferenceLocked').every((lock) => !counts(lock.said))) expect(standingOf(state).locked).toBe(false);
    }));

  it('ends the meeting where it was ended, and nowhere else', () =>
    holds(({ of, arrivals }, { state }) => {
      for (const { leg, ended } of standingOf(state).legs.values()) {
        const came = arrivals.get(leg.leg)!.said;
        const meant = of('MeetingEnded').some(({ body, said }) => body.sites.includes(leg.site) && !saw(came, said));
        if (ended === 'ended') expect(meant).toBe(true);
        if (meant) expect(ended).not.toBeNull();
      }
    }));

  it('leaves one leg to each person: the newest; and to who moves the one that they come from, until they have left it', () =>
    holds((_, { state }) => {
      for (const legs of Map.groupBy(liveLegsOf(state), ({ person }) => person).values()) {
        const [newest, other, ...more] = legs.toSorted((a, b) => b.connect - a.connect);
        expect(more).toEqual([]);
        if (other !== undefined) expect([newest?.from === other.leg, other.from === newest?.leg]).toContain(true);
      }
    }));
});

describe('poison', () => {
  const type = fc.constantFrom(
    ...([
      'LegJoined',
      'LegKnocked',
      'LegReturned',
      'LegLeft',
      'LegAdmitted',
      'LegRejected',
      'FloorTaken',
      'LegMuted',
      'LegUnmuted',
      'GuestsMuted',
      'CameraStopped',
      'CameraResumed',
      'ConferenceLocked',
      'ConferenceUnlocked',
      'PersonRemoved',
      'HostAppointed',
      'HostDemoted',
      'MeetingEnded',
    ] as const),
  );

  it("folds as nothing when a site speaks for another site's people, or a guest as a host", () =>
    fc.assert(
      fc.property(
        story,
        type,
        fc.nat(7),
        fc.constantFrom('their host', 'own guest', 'system', 'nobody'),
        ([steps, skewsMs], type, other, who) => {
          const [site] = reunited(live(sha256, steps, skewsMs));
          const legs = [...standingOf(site!.state).legs.values()];
          const theirs = legs.filter(({ leg }) => leg.site !== site!.id);
          const guests = legs.filter(
            ({ leg, role }) => leg.site === site!.id && role === 'guest' && leg.appointments.length === 0 && leg.role === 'guest',
          );
          const target = theirs[other % theirs.length]?.leg;
          if (target === undefined) return;
          const by = { 'their host': target.leg, 'own guest': guests[0]?.leg.leg ?? 'nobody', system: 'system', nobody: 'nobody' }[
            who
          ] as LegId;
          const { leg, person, name, role } = target;
          const body = {
            leg,
            person,
            name,
            role,
            site: target.site,
            connect: 999,
            muted: false,
            cameraOff: false,
            reason: type === 'LegLeft' ? 'left' : 'host',
            reach: SITES,
            spared: [],
            sites: SITES,
          };
          if (type === 'LegJoined' || type === 'LegKnocked') body.leg = legIdOf(target.site, 'new');
          const before = canonicalState(site!.state);
          site!.record({ type, v: 1, by, body });
          expect(canonicalState(site!.state)).toBe(before);
        },
      ),
      { numRuns: RUNS },
    ));

  it('folds as nothing whatever shape it has', () =>
    fc.assert(
      fc.property(fc.oneof(type, fc.string()), fc.constantFrom(0, 1, 2, 7), fc.jsonValue(), (type, v, body) => {
        const world = new World(sha256, 'nyc');
        const site = world.at('nyc');
        site.join('ana', 'host');
        const before = canonicalState(site.state);
        site.record({ type: type as 'LegJoined', v: v as 1, by: 'system', body });
        expect(canonicalState(site.state)).toBe(before);
      }),
      { numRuns: RUNS },
    ));
});
