import type { LegId } from '@isthmus/conference';
import { siteOfStream, subjectOf, type Fact } from '@isthmus/kernel';
import type { BrainAnswer, BrainCommand, ViewPublished } from '@isthmus/protocol';
import type { Disk } from './disk.js';
import type { Window } from './people.js';
import type { SimulatedSite } from './site.js';

type Body = Readonly<Record<string, unknown>>;

/**
 * What was promised to people, and whether it was kept. It reads the disks, and of the product nothing but what its facts came to
 * when somebody asked for something, so whatever the brain believes of itself does not count here.
 */
export class Ledger {
  readonly violations: string[] = [];
  readonly #promised = new Map<string, Fact>();
  /** How many facts of each disk have been looked at. */
  readonly #looked = new WeakMap<Disk, number>();

  constructor(
    private readonly disabled: ReadonlySet<string>,
    private readonly seatsMax: (room: string) => number,
  ) {}

  violated(law: string, what: string): void {
    if (this.violations.length < 20) this.violations.push(`${law}: ${what}`);
  }

  /** An acknowledgement means recorded (merge rule 15): what it says is on the disk by now. */
  acknowledged(window: Window, command: BrainCommand, answer: BrainAnswer): void {
    const { site } = window;
    for (const fact of site.disk.since(this.#looked.get(site.disk) ?? 0))
      if (siteOfStream(fact.stream) === site.id) this.#promised.set(fact.hash, fact);
    this.#looked.set(site.disk, site.disk.facts.size);
    const facts = factsOf(site, command.room);
    const says = (leg: LegId, ...types: readonly string[]) =>
      facts.some(({ type, body }) => types.includes(type) && (body as Body)['leg'] === leg);
    const kept =
      answer.type === 'Joined' || answer.type === 'Waiting'
        ? says(answer.leg, 'LegJoined', 'LegKnocked')
        : command.type === 'Leave'
          ? says(command.leg, 'LegLeft') || !says(command.leg, 'LegJoined', 'LegKnocked') || wasEnded(command.leg, facts)
          : command.type === 'Act' && this.#isRecorded(command, facts, says);
    if (!kept) this.violated('nothing acknowledged is lost', `${site.id} acknowledged ${JSON.stringify(command)} before it was durable`);
  }

  #isRecorded(
    { act, leg: by }: Extract<BrainCommand, { type: 'Act' }>,
    facts: readonly Fact[],
    says: (leg: LegId, ...types: readonly string[]) => boolean,
  ): boolean {
    const any = (...types: readonly string[]) => facts.some(({ type }) => types.includes(type));
    switch (act.type) {
      case 'lock':
        return any('ConferenceLocked');
      case 'end-for-all':
        return facts.some((fact) => fact.type === 'MeetingEnded' && fact.by === by);
      case 'remove':
        return says(act.leg, 'PersonRemoved');
      case 'reject':
        return says(act.leg, 'LegRejected');
      case 'mute':
        return (
          any('GuestsMuted') || legsOf(act.leg, facts).some((leg) => says(leg, 'LegMuted') || (arrivalOf(leg, facts)?.['muted'] ?? false))
        );
      default:
        return true;
    }
  }

  /** Nobody is disconnected but by a deliberate act. */
  ended(site: SimulatedSite, leg: LegId, reason: ViewPublished['ended'][number]['reason'], window: Window | undefined): void {
    const all = [...site.disk.facts.values()];
    const own = all.find(({ body }) => isArrival(body, leg))?.body as Body | undefined;
    const person = own?.['person'];
    const meant = {
      left: () => window === undefined || window.leg !== leg || window.state === 'leaving' || window.state === 'out' || window.abandoned,
      removed: () => all.some(({ type, body }) => type === 'PersonRemoved' && (body as Body)['person'] === person),
      rejected: () => all.some(({ type, body }) => type === 'LegRejected' && (body as Body)['leg'] === leg),
      ended: () => all.some(({ type, body }) => type === 'MeetingEnded' && ((body as Body)['sites'] as string[]).includes(site.id)),
      replaced: () => {
        const others = all.filter(
          ({ type, body }) => isComing(type) && (body as Body)['person'] === person && (body as Body)['leg'] !== leg,
        );
        // Of two that one moves between, neither takes over from the other (ADR 0090).
        const beside = others.filter(({ body }) => (body as Body)['from'] === leg || own?.['from'] === (body as Body)['leg']);
        return others.length > beside.length || beside.length > 1;
      },
      'room-disabled': () => window === undefined || this.disabled.has(window.room) || this.wasDisabled.has(window.room),
    }[reason];
    if (!meant()) this.violated('nobody is disconnected but deliberately', `${leg} of ${site.id} was ended: ${reason}`);
  }

  /** Rooms that were ever disabled. */
  readonly wasDisabled = new Set<string>();

  /** What a restored disk lost is lost for good where no other disk had it. */
  forgive(lost: readonly string[], elsewhere: readonly SimulatedSite[]): void {
    for (const hash of lost) if (!elsewhere.some(({ disk }) => disk.facts.has(hash))) this.#promised.delete(hash);
  }

  /** A refusal is right, too: nobody is kept out for a network's fault. */
  refused({ site, person, room, leg }: Window, command: BrainCommand, code: string): void {
    const wrong = (what: string) =>
      this.violated('a refusal has its reason', `${site.id} on ${JSON.stringify(command)}: ${code}, and ${what}`);
    // Here a disk takes a write or says that it did not, and nobody else writes where this brain does.
    if (code === 'store.outcome-unknown') wrong('another decision of its own came between');
    const view = site.views.get(room);
    if (view === undefined) return;
    const inReach = view.seats.filter((seat) => seat.inReach);
    if (
      code === 'conference.full' &&
      inReach.filter((seat) => !seat.held && (command.type !== 'Join' || seat.person !== person.id)).length < this.seatsMax(room) &&
      areOneForGood(site, room, [...view.seats, ...view.waiting])
    )
      wrong('seats are free');
    if (command.type === 'Join') {
      const left = view.seats.find((seat) => seat.leg === command.from);
      const isIn = left?.person === person.id && left.inReach && !left.held && areOneForGood(site, room, [left, ...inReach]);
      const says = (type: string) => factsOf(site, room).some((fact) => fact.type === type);
      if (code === 'conference.unknown-leg' && isIn && !['LegLeft', 'PersonRemoved', 'MeetingEnded', 'LegRejected'].some(says))
        wrong('the seat that they come from is there');
      if (code === 'conference.locked' && command.from !== undefined) wrong('whoever moves is no newcomer');
      const came = ({ type, body }: Fact) =>
        (body as Body)['connect'] === command.connect &&
        (type === 'LegReturned' ? (body as Body)['leg'] === leg : (body as Body)['person'] === command.person);
      // Merge rule 10: a removal that came while they were coming in voids that coming. The next one has seen it.
      if (code === 'conference.removed' && person.role === 'host' && !factsOf(site, room).some(came))
        wrong('the host PIN brings back whoever was removed');
      if (code === 'conference.ended' && inReach.length > 0 && !factsOf(site, room).some(came)) wrong('somebody is there');
      if (code === 'conference.locked' && (person.role === 'host' || !view.locked)) wrong('the door is not shut to them');
    }
    const seat = view.seats.find((one) => one.leg === leg);
    if (code === 'conference.host-only' && seat?.role === 'host' && !seat.held) wrong('they are host');
  }

  /** What could keep somebody's meeting locked and was counted in it at their site, when they asked for it to be unlocked. */
  keepsLocked({ site, room, leg }: Window, command: BrainCommand): ReadonlySet<string> {
    if (command.type !== 'Act' || command.act.type !== 'unlock' || leg === undefined) return new Set();
    const theirs = site.brain?.histories(room).find(({ facts }) => facts.some(({ body }) => isArrival(body, leg)));
    return new Set((theirs?.facts ?? []).flatMap(({ type, hash }) => (KEEPS_LOCKED.includes(type) ? [hash] : [])));
  }

  /** Who unlocks a room has unlocked it, if all that could keep it locked was known to them, by what they named or by what counted there. */
  unlocked({ site, room, leg }: Window, command: BrainCommand, known: ReadonlySet<string>): void {
    if (command.type !== 'Act' || command.act.type !== 'unlock' || site.views.get(room)?.locked !== true) return;
    const all = factsOf(site, room);
    const unlock = all.findLast(({ type, by }) => type === 'ConferenceUnlocked' && by === leg);
    if (unlock === undefined) return;
    const seen = causesOf(unlock, all);
    if (all.every(({ type, hash }) => !KEEPS_LOCKED.includes(type) || seen.has(hash) || known.has(hash)))
      this.violated('who has seen a lock can lift it', `${room} is locked at ${site.id}`);
  }

  broke(site: SimulatedSite, command: BrainCommand, error: unknown): void {
    this.violated(
      'no brain breaks',
      `${site.id} on ${command.type}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }

  get promised(): ReadonlyMap<string, Fact> {
    return this.#promised;
  }
}

/**
 * Whether all these came into one conference, or into such as were joined. Before that seats are counted in the one that is asked
 * for, although the view shows all of them, and what it takes from one of them may hide or hold all who are in another.
 */
const areOneForGood = (site: SimulatedSite, room: string, there: readonly { readonly leg: LegId }[]): boolean => {
  const legs = new Set<unknown>(there.map(({ leg }) => leg));
  const facts = factsOf(site, room);
  const left = new Set(facts.flatMap(({ type, body }) => (type === 'LegLeft' ? [(body as Body)['leg']] : [])));
  const isThere = ({ leg }: Body) => legs.has(leg) || (!left.has(leg) && !wasEnded(leg as LegId, facts));
  const arrivals = facts.filter(({ type, body }) => isComing(type) && isThere(body as Body));
  const conferences = new Set<unknown>(arrivals.map(({ stream }) => subjectOf(stream)));
  const joinings = site.disk.rows('room').filter(({ type }) => type === 'ConferencesJoined');
  const joined = joinings.map(({ body }) => (body as Body)['conferences'] as readonly unknown[]);
  return conferences.size <= 1 || joined.some((ids) => [...conferences].every((id) => ids.includes(id)));
};

const KEEPS_LOCKED = ['ConferenceLocked', 'HostDemoted', 'PersonRemoved', 'PinChanged'];

const causesOf = (fact: Fact, facts: readonly Fact[]): ReadonlySet<string> => {
  const byHash = new Map(facts.map((one) => [one.hash as string, one]));
  const seen = new Set<string>();
  const open = [fact];
  for (let one = open.pop(); one !== undefined; one = open.pop())
    for (const cause of [...(one.prev === null ? [] : [one.prev]), ...one.after.map(({ hash }) => hash)]) {
      if (seen.has(cause)) continue;
      seen.add(cause);
      open.push(...[byHash.get(cause) ?? []].flat());
    }
  return seen;
};

const isComing = (type: string): boolean => type === 'LegJoined' || type === 'LegKnocked';
const comingOf = (leg: LegId, facts: readonly Fact[]): Fact | undefined => facts.find(({ body }) => isArrival(body, leg));
const arrivalOf = (leg: LegId, facts: readonly Fact[]): Body | undefined => comingOf(leg, facts)?.body as Body | undefined;

/** Whether somebody ended a leg: its conference may be let go of, and nothing of it is left to leave. */
const wasEnded = (leg: LegId, facts: readonly Fact[]): boolean => {
  const coming = comingOf(leg, facts);
  if (coming === undefined) return false;
  const { person, site } = coming.body as Body;
  return facts.some(({ type, body, stream }) => {
    if (subjectOf(stream) !== subjectOf(coming.stream)) return false;
    const said = body as Body;
    if (type === 'PersonRemoved') return said['person'] === person;
    if (type === 'MeetingEnded') return (said['sites'] as readonly unknown[]).includes(site);
    return type === 'LegRejected' && said['leg'] === leg;
  });
};

/** A leg and those that its person moved from: what was said about one of them is so for all (ADR 0090). */
const legsOf = (leg: LegId, facts: readonly Fact[]): readonly LegId[] => {
  const from = arrivalOf(leg, facts)?.['from'] as LegId | undefined;
  return from === undefined ? [leg] : [leg, ...legsOf(from, facts)];
};
const isArrival = (body: unknown, leg: LegId): boolean =>
  (body as Body | null)?.['leg'] === leg && typeof (body as Body)['person'] === 'string' && typeof (body as Body)['connect'] === 'number';

/** What a disk holds of a room's conferences, whoever recorded it. */
export const factsOf = ({ disk }: SimulatedSite, room: string): readonly Fact[] => disk.meetingsIn(room);
