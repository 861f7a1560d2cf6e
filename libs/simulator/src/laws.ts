import type { ConferenceView, LegId } from '@isthmus/conference';
import type { Fact } from '@isthmus/kernel';
import { isPoison } from './poison.js';
import { Sight, type Told } from './sight.js';
import { sideBySide, Trails, type Arrival } from './trails.js';

/** What is wrong, by the name of the law (merge.md, "Properties"). */
export interface Breach {
  readonly law: string;
  readonly what: string;
}

/**
 * Holds a view against what was said, by the words of the rules and without the product's own reading of them. `facts` are all
 * facts of the conferences that fold as one, in the order in which the site folds them.
 */
export const breachesOf = (facts: readonly Fact[], view: ConferenceView): readonly Breach[] => {
  const breaches: Breach[] = [];
  const breach = (law: string, what: string) => breaches.push({ law, what });
  const sight = new Sight(facts);
  const { saw } = sight;
  for (const { stream, seq } of sight.disorder) breach('effects after causes', `${stream}/${seq} is folded before its cause`);
  if (sight.disorder.length > 0) return breaches;

  const told = (facts as readonly Told[]).filter((fact) => !isPoison(fact));
  const of = (...types: readonly string[]) => told.filter(({ type }) => types.includes(type));
  const on = (leg: string, ...types: readonly string[]) => of(...types).filter(({ body }) => body['leg'] === leg);
  const arrivals = new Map<string, Arrival>();
  for (const fact of of('LegJoined', 'LegKnocked')) {
    const { leg, person, site, role, connect, proof, from } = fact.body as unknown as Arrival;
    const returned = on(leg, 'LegReturned').map(({ body }) => body['connect'] as number);
    const coming = { told: fact, leg, person, site, role, proof, ...(from === undefined ? {} : { from }) };
    if (!arrivals.has(leg)) arrivals.set(leg, { ...coming, connect: Math.max(connect, ...returned) });
  }
  const trails = new Trails(arrivals, sight);
  /** What was said about a leg, or about one that its person moved from. */
  const about = (leg: string, ...types: readonly string[]) => trails.of(leg).flatMap((each) => on(each, ...types));
  const changes = of('PinChanged');
  /** Nobody took the host role from whoever said this without them knowing, and without knowing of it. */
  const unchallenged = (act: Told) => {
    const author = arrivals.get(act.by);
    return (
      author !== undefined &&
      about(act.by, 'HostDemoted').every((demotion) => !sight.apart(demotion, act)) &&
      of('PersonRemoved').every(
        (removal) => removal.body['person'] !== author.person || !sight.apart(removal, act) || saw(author.told, removal),
      )
    );
  };

  /** Beyond doubt said by a host: came with the host PIN as it was then, was never demoted, never removed. */
  const mayOpen = ({ by }: Told): boolean => {
    const author = arrivals.get(by);
    return (
      author?.role === 'host' &&
      trails.outdated(by, changes).length === 0 &&
      about(by, 'HostDemoted').length === 0 &&
      of('PersonRemoved').every(({ body }) => body['person'] !== author.person)
    );
  };

  /** Whether somebody meant the end of a leg, by what is known of. */
  const isMeant = ({ leg, person, site, role, told: came }: Arrival, known: (fact: Told) => boolean): boolean =>
    of('PersonRemoved').some((fact) => known(fact) && fact.body['person'] === person && (role === 'guest' || !saw(came, fact))) ||
    of('MeetingEnded').some((fact) => known(fact) && (fact.body['sites'] as string[]).includes(site) && !saw(came, fact)) ||
    on(leg, 'LegRejected', 'LegLeft').some(known);
  const persons = Map.groupBy(arrivals.values(), ({ person }) => person);

  // Who should be there: all who came, but those whose end somebody meant.
  const expected = [...persons.values()].flatMap((legs) => sideBySide(legs.filter((leg) => !isMeant(leg, () => true))));
  const should = new Set(expected.map(({ leg }) => leg));
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
  for (const closing of of('LegLeft').filter(({ body }) => body['reason'] === 'replaced')) {
    const gone = arrivals.get(closing.body['leg'] as string);
    const then = (leg: Arrival): Arrival => {
      const returns = on(leg.leg, 'LegReturned').filter((fact) => saw(closing, fact));
      const counts = returns.map(({ body }) => body['connect'] as number);
      return { ...leg, connect: Math.max((leg.told.body as unknown as Arrival).connect, ...counts) };
    };
    const legs = (persons.get(gone?.person ?? '') ?? []).filter(
      (leg) => saw(closing, leg.told) && !isMeant(leg, (fact) => saw(closing, fact)),
    );
    if (sideBySide(legs.map(then)).some(({ leg }) => leg === gone?.leg))
      breach('whoever moves has two seats until they have left one', `${gone?.leg} was closed`);
  }
  const locks = of('ConferenceLocked');
  for (const { told: came, leg, from } of arrivals.values())
    if (from !== undefined && came.type === 'LegKnocked') breach('whoever moves is no newcomer', `${leg} was asked to wait`);
  for (const { leg, from, held, heldFor } of view.seats) {
    const isFrom = arrivals.get(leg)?.from;
    const meant = view.seats.some((seat) => seat.leg === isFrom) ? isFrom : undefined;
    if (from !== meant) breach('of whoever moves people are shown one', `${leg} is from ${meant}, and said to be from ${from}`);
    if (
      held &&
      heldFor === 'lock' &&
      isFrom !== undefined &&
      trails.outdated(leg, changes).length === 0 &&
      locks.every((lock) => trails.isKnownInside(lock, leg))
    )
      breach('whoever moves is no newcomer', `${leg} is held for a lock whose author had seen them in`);
  }

  const unlocks = of('ConferenceUnlocked');
  const lifted = (lock: Told) => unlocks.some((unlock) => saw(unlock, lock) && unchallenged(unlock));
  if (!view.locked && locks.some((lock) => !lifted(lock)))
    breach('a lock stands until someone who saw it lifts it', 'the room is open, and nobody opened it who had seen the lock');
  if (view.locked && locks.length === 0) breach('nobody locks a room but a host', 'the room is locked, and nobody locked it');
  if (view.locked && locks.every((lock) => unlocks.some((unlock) => saw(unlock, lock) && mayOpen(unlock))))
    breach('a lock can be lifted', 'somebody who had every right opened the room, and it is locked');

  for (const leg of view.byRecency) {
    const arrival = arrivals.get(leg);
    if (arrival === undefined) {
      breach('nobody is on stage who never came', leg);
      continue;
    }
    for (const lock of locks) {
      const known =
        trails.isKnownTo(lock, leg) ||
        unlocks.some((unlock) => saw(unlock, lock)) ||
        about(leg, 'LegAdmitted', 'HostAppointed').some((voucher) => saw(voucher, lock));
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
    const lifts = (type: string) => about(leg, type).filter(unchallenged);
    const stands = (type: string, lift: string) =>
      about(leg, type).some((stop) => stop.by !== stop.body['leg'] && !lifts(lift).some((release) => saw(release, stop)));
    if (seat.muted !== 'host' && stands('LegMuted', 'LegUnmuted')) breach("a host's mute stands", `${leg} may speak`);
    if (!seat.cameraOff && stands('CameraStopped', 'CameraResumed')) breach("a host's camera-off stands", `${leg} may show itself`);
    for (const hush of of('GuestsMuted')) {
      const trail = trails.of(leg).flatMap((each) => arrivals.get(each) ?? []);
      const spared = trail.some((each) => each.role === 'host' || (hush.body['spared'] as string[]).includes(each.leg));
      const silenced = !spared && trail.some((each) => !saw(each.told, hush));
      if (silenced && seat.muted !== 'host' && !lifts('LegUnmuted').some((release) => saw(release, hush)))
        breach("a host's mute of all stands", `${leg} may speak`);
    }
    for (const demotion of about(leg, 'HostDemoted'))
      if (seat.role === 'host' && !about(leg, 'HostAppointed').some((appointment) => saw(appointment, demotion)))
        breach('a demotion stands', `${leg} is host although nobody who knew made it one again`);
    const arrival = arrivals.get(leg);
    const isKnown = ({ role, proof, told }: Arrival) =>
      changes.some((change) => (change.body[role] as number) >= proof && saw(told, change));
    if (arrival !== undefined && arrival.proof > 0 && !isKnown(arrival))
      breach('a PIN that opens a door is known in the meeting', `${leg} came by one of which nobody had said anything`);
    const outdated = trails.outdated(leg, changes);
    for (const change of outdated) {
      if (!seat.held && !about(leg, 'LegAdmitted', 'HostAppointed').some((voucher) => saw(voucher, change)))
        breach('nobody is let in by a PIN that was changed', `${leg} is in, and nobody who knew of the change let it in`);
      if (seat.role === 'host' && arrival?.role === 'host' && !about(leg, 'HostAppointed').some((word) => saw(word, change)))
        breach('a host PIN that was changed makes nobody host', `${leg} is host`);
    }
    if (seat.held && seat.heldFor === 'pin' && outdated.length === 0)
      breach('the right PIN lets in', `${leg} is held for a PIN that was not changed behind its back`);
    const isSafe =
      outdated.length === 0 &&
      about(leg, 'HostDemoted').length === 0 &&
      of('PersonRemoved').every(({ body }) => body['person'] !== seat.person);
    if (seat.role === 'guest' && isSafe && about(leg, 'HostAppointed').some(mayOpen))
      breach('whoever was made a host is one', `${leg} is a guest, and nobody took that from them`);
  }
  return breaches;
};
