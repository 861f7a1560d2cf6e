import type { ConferenceView, LegId } from '@isthmus/conference';
import type { Fact } from '@isthmus/kernel';
import { isPoison } from './poison.js';
import { Sight, type Told } from './sight.js';

/** What is wrong, by the name of the law (merge.md, "Properties"). */
export interface Breach {
  readonly law: string;
  readonly what: string;
}

interface Arrival {
  readonly told: Told;
  readonly leg: string;
  readonly person: string;
  readonly site: string;
  readonly role: string;
  readonly connect: number;
}

/**
 * Holds a view against what was said, by the words of the rules and without the product's own reading of them. `facts` are all
 * facts of the conferences that fold as one, in the order in which the site folds them.
 */
export const breachesOf = (facts: readonly Fact[], view: ConferenceView): readonly Breach[] => {
  const breaches: Breach[] = [];
  const breach = (law: string, what: string) => breaches.push({ law, what });
  const sight = new Sight(facts);
  const { saw } = { saw: sight.saw.bind(sight) };
  for (const { stream, seq } of sight.disorder) breach('effects after causes', `${stream}/${seq} is folded before its cause`);
  if (sight.disorder.length > 0) return breaches;

  const told = (facts as readonly Told[]).filter((fact) => !isPoison(fact));
  const of = (...types: readonly string[]) => told.filter(({ type }) => types.includes(type));
  const on = (leg: string, ...types: readonly string[]) => of(...types).filter(({ body }) => body['leg'] === leg);
  const arrivals = new Map<string, Arrival>();
  for (const fact of of('LegJoined', 'LegKnocked')) {
    const { leg, person, site, role, connect } = fact.body as unknown as Arrival;
    const returned = on(leg, 'LegReturned').map(({ body }) => body['connect'] as number);
    if (!arrivals.has(leg)) arrivals.set(leg, { told: fact, leg, person, site, role, connect: Math.max(connect, ...returned) });
  }
  /** Nobody took the host role from whoever said this without them knowing, and without knowing of it. */
  const unchallenged = (act: Told) => {
    const author = arrivals.get(act.by);
    return (
      author !== undefined &&
      on(act.by, 'HostDemoted').every((demotion) => !sight.apart(demotion, act)) &&
      of('PersonRemoved').every(
        (removal) => removal.body['person'] !== author.person || !sight.apart(removal, act) || saw(author.told, removal),
      )
    );
  };

  // Who should be there: all who came, but those whose end somebody meant.
  const expected = new Map<string, Arrival>();
  for (const arrival of arrivals.values()) {
    const { leg, person, site, role, told: came } = arrival;
    const removed = of('PersonRemoved').some((fact) => fact.body['person'] === person && (role === 'guest' || !saw(came, fact)));
    const ended = of('MeetingEnded').some((fact) => (fact.body['sites'] as string[]).includes(site) && !saw(came, fact));
    if (removed || ended || on(leg, 'LegRejected', 'LegLeft').length > 0) continue;
    const other = expected.get(person);
    if (other === undefined || arrival.connect >= other.connect) expected.set(person, arrival);
  }
  const should = new Set([...expected.values()].map(({ leg }) => leg));
  const there = [...view.seats, ...view.waiting];
  for (const { leg, person } of there) {
    if (should.has(leg)) continue;
    const removed = of('PersonRemoved').some(({ body }) => body['person'] === person);
    breach(removed ? 'the removed stay out' : 'no ghosts and no doubles', `${leg} is there and should not be`);
  }
  for (const leg of should)
    if (!there.some((seat) => seat.leg === (leg as LegId))) breach('nobody is lost', `${leg} should be there and is not`);

  for (const { body } of of('LegLeft')) {
    const gone = arrivals.get(body['leg'] as string);
    const newer = (other: Arrival) => other.person === gone?.person && other.leg !== gone.leg && other.connect >= gone.connect;
    if (body['reason'] === 'replaced' && gone !== undefined && ![...arrivals.values()].some(newer))
      breach('of two legs of one person the newer stays', `${gone.leg} was closed for an older one`);
  }

  const locks = of('ConferenceLocked');
  const unlocks = of('ConferenceUnlocked');
  const lifted = (lock: Told) => unlocks.some((unlock) => saw(unlock, lock) && unchallenged(unlock));
  if (!view.locked && locks.some((lock) => !lifted(lock)))
    breach('a lock stands until someone who saw it lifts it', 'the room is open, and nobody opened it who had seen the lock');
  if (view.locked && locks.length === 0) breach('nobody locks a room but a host', 'the room is locked, and nobody locked it');
  if (view.locked && locks.every((lock) => unlocks.some((unlock) => saw(unlock, lock) && mayOpen(unlock, told, sight, arrivals))))
    breach('a lock can be lifted', 'somebody who had every right opened the room, and it is locked');

  for (const leg of view.byRecency) {
    const arrival = arrivals.get(leg);
    if (arrival === undefined) {
      breach('nobody is on stage who never came', leg);
      continue;
    }
    const { told: came, role } = arrival;
    for (const lock of locks) {
      const known =
        role === 'host' ||
        saw(came, lock) ||
        saw(lock, came) ||
        unlocks.some((unlock) => saw(unlock, lock)) ||
        on(leg, 'LegAdmitted', 'HostAppointed').some((voucher) => saw(voucher, lock));
      if (!known) breach('no stranger on the floor or in the roster of a locked room', `${leg} is seen although nobody let it in`);
    }
  }
  const lastWord = new Map(of('FloorTaken').map(({ body }, i) => [body['leg'] as string, i]));
  const came = new Map([...arrivals.keys()].map((leg, i) => [leg, i]));
  const byWord = [...view.byRecency].sort(
    (a, b) => (lastWord.get(b) ?? -1) - (lastWord.get(a) ?? -1) || (came.get(a) ?? 0) - (came.get(b) ?? 0),
  );
  if (byWord.join() !== view.byRecency.join()) breach('the stage follows who spoke last', `${view.byRecency.join()}, not ${byWord.join()}`);
  if (view.floor !== null && view.byRecency[0] !== view.floor) breach('one floor', `${view.floor} has the floor and is not first`);

  for (const { leg, held } of view.seats) {
    const knock = of('LegKnocked').find(({ body }) => body['leg'] === leg);
    if (knock === undefined || held) continue;
    const reach = knock.body['reach'] as string[];
    const byHost = [...arrivals.values()].some(
      ({ role, site, told: came }) => role === 'host' && (saw(came, knock) || (sight.apart(came, knock) && reach.includes(site))),
    );
    const byUnlock = unlocks.some((unlock) => saw(unlock, knock));
    if (on(leg, 'LegAdmitted').length === 0 && !(knock.body['reason'] === 'host' ? byHost : byUnlock))
      breach('nobody is let in by a heal alone', `${leg} came in from the door, and nobody let it in`);
  }
  for (const seat of view.seats) {
    const { leg } = seat;
    const lifts = (type: string) => on(leg, type).filter(unchallenged);
    const stands = (type: string, lift: string) =>
      on(leg, type).some((stop) => stop.by !== leg && !lifts(lift).some((release) => saw(release, stop)));
    if (seat.muted !== 'host' && stands('LegMuted', 'LegUnmuted')) breach("a host's mute stands", `${leg} may speak`);
    if (!seat.cameraOff && stands('CameraStopped', 'CameraResumed')) breach("a host's camera-off stands", `${leg} may show itself`);
    const cameBy = arrivals.get(leg)?.told;
    for (const hush of of('GuestsMuted')) {
      const spared = (hush.body['spared'] as string[]).includes(leg) || arrivals.get(leg)?.role === 'host';
      const silenced = cameBy !== undefined && !saw(cameBy, hush) && !spared;
      if (silenced && seat.muted !== 'host' && !lifts('LegUnmuted').some((release) => saw(release, hush)))
        breach("a host's mute of all stands", `${leg} may speak`);
    }
    for (const demotion of on(leg, 'HostDemoted'))
      if (seat.role === 'host' && !on(leg, 'HostAppointed').some((appointment) => saw(appointment, demotion)))
        breach('a demotion stands', `${leg} is host although nobody who knew made it one again`);
  }
  return breaches;
};

/** Beyond doubt: came with the host PIN, was never demoted, never removed. */
const mayOpen = ({ by }: Told, told: readonly Told[], _: Sight, arrivals: ReadonlyMap<string, Arrival>): boolean => {
  const author = arrivals.get(by);
  return (
    author?.role === 'host' &&
    !told.some(
      ({ type, body }) => (type === 'HostDemoted' && body['leg'] === by) || (type === 'PersonRemoved' && body['person'] === author.person),
    )
  );
};
