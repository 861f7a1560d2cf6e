import { canonicalState, liveLegsOf, type ConferenceView } from '@isthmus/conference';
import { pinsOf } from '@isthmus/estate';
import { categoryOf, subjectOf, type Fact, type SiteId } from '@isthmus/kernel';
import { breachesOf } from './laws.js';
import type { SimulatedSite } from './site.js';
import type { World } from './world.js';

const LARGE_MAX = 1;
const SMALL_MAX = 8;
const THUMBNAILS = 7;

/** Everything has healed, and one exchange round is over: all sites hold one history, one state and one picture, and it is right. */
export const compareSites = (world: World): void => {
  const { sites, ledger } = world;
  const idle = sites.filter(({ brain }) => brain === undefined);
  for (const { id } of idle) ledger.violated('a brain comes back from its streams', `${id} is down`);
  if (idle.length > 0) return;
  compareDisks(world);
  for (const [hash, { stream, seq }] of ledger.promised)
    for (const site of sites)
      if (!site.disk.facts.has(hash)) ledger.violated('nothing acknowledged is lost', `${site.id} has no ${stream}/${seq}`);
  findForks(world);
  for (const room of world.rooms) {
    compareHistories(world, room);
    compareViews(world, room);
    for (const site of sites) checkView(world, site, room);
    if (world.management.disabled.has(room)) checkClosed(world, room);
  }
  for (const site of sites) checkDesires(world, site);
  checkWindows(world);
  checkMoves(world);
};

/** A pause that any fact and what follows from it has crossed a component in. */
const CALM_MS = 1_500;
const TRIED_AGAIN_MS = 2_000 + CALM_MS;
/** What follows from others that came into reach is recorded with the next decision, or by a look every five seconds. */
const RECORDED_MS = 5_000 + CALM_MS;
/** How long a link has to be silent before it is taken for lost (merge rule 7). */
const LOST_AFTER_MS = 1_500;
/** What a link that was lost has to be heard for, before anybody beyond it is in reach again, and at most (merge rule 7). */
const BACK_FIRST_MS = 1_000;
const BACK_LONGEST_MS = 30_000;
/** How long a site is waited for whose facts do not come: of one that was put back to a backup, perhaps nobody who is there has the last ones (merge rule 11). */
const WAITED_FOR_MS = 5_000;

/**
 * While sites are split, and nobody has asked for anything for a while: whoever hears each other, be it through others, sees
 * the same. What one of them has heard from beyond the split has come to all of them by then.
 */
export const compareSides = (world: World): void => {
  for (const component of world.network.components()) {
    const sites = world.sites.filter(({ id }) => component.includes(id));
    const since = world.schedule.nowMs - CALM_MS;
    const calm = sites.every(
      (site) => site.brain !== undefined && site.disk.writtenMs < since && !mayLackFacts(site, world) && knowsItsLinks(site, world),
    );
    if (!calm) continue;
    world.note('sides compared');
    if (sites.some(({ id }) => sites.some((other) => !world.network.isClear(id, other.id))))
      world.note('sides compared with a way through a third');
    for (const room of world.rooms) compareSide(world, sites, room);
  }
};

const compareSide = ({ ledger }: World, sites: readonly SimulatedSite[], room: string): void => {
  const ids = sites.map(({ id }) => id);
  const stages = sites.flatMap(({ id, views }) => {
    const view = views.get(room);
    return view === undefined ? [] : [{ id, conference: view.conference, picture: view.byRecency.join(' ') + ` floor ${view.floor}` }];
  });
  for (const { id, views } of sites)
    for (const { leg, site } of views.get(room)?.seats ?? [])
      if (!ids.includes(site) && views.get(room)!.byRecency.includes(leg))
        ledger.violated('whom nobody reaches is on no stage', `${id} shows ${leg}`);
  const [first, ...others] = stages;
  for (const { id, conference, picture } of others)
    if (conference === first!.conference && picture !== first!.picture)
      ledger.violated(
        'every member of a component has the same stage',
        `in ${room} ${first!.id} sees ${first!.picture}; ${id} sees ${picture}`,
      );
};

/** What a full disk did not take is tried again every two seconds at least; what a slow one is writing may be anything. */
const mayLackFacts = ({ disk }: SimulatedSite, { schedule }: World): boolean =>
  disk.full || disk.isSlow || schedule.nowMs - disk.refusedMs < TRIED_AGAIN_MS;

/**
 * Whether a site must have found out what its links are. Merge rule 7: facts flow at once, but a link that came back brings its
 * site into reach only after 1 s, and after twice as long with each further time it was lost, so that a link that flaps throws
 * nobody on and off. A brain that died was lost like any other, and comes back as such.
 */
const knowsItsLinks = ({ id, peers }: SimulatedSite, { network, sites, did }: World, calmMs = CALM_MS): boolean => {
  const waitedForMs = did.has('restored backup') ? WAITED_FOR_MS : 0;
  return sites.every((other) => {
    if (other.id === id) return true;
    const { up, forMs, losses } = peers!.linkTo(other.id);
    if (up !== network.isClear(id, other.id)) return false;
    return forMs >= calmMs + (up ? backAfterMs(losses) + waitedForMs : LOST_AFTER_MS);
  });
};

/** Whether every site must have found out what its links are, and recorded that conferences which those bring together are one. */
export const allAreOneForGood = (world: World): boolean => world.sites.every((site) => knowsItsLinks(site, world, RECORDED_MS));

const backAfterMs = (losses: number): number => (losses === 0 ? 0 : Math.min(BACK_FIRST_MS * 2 ** (losses - 1), BACK_LONGEST_MS));

const compareDisks = ({ sites, ledger }: World): void => {
  const all = new Map<string, Fact>();
  for (const { disk } of sites) for (const [hash, fact] of disk.facts) if (categoryOf(fact.stream) !== 'estate') all.set(hash, fact);
  for (const { id, disk } of sites) {
    const missing = [...all.values()].filter(({ hash }) => !disk.facts.has(hash));
    if (missing.length > 0)
      ledger.violated('the same facts everywhere', `${id} lacks ${missing.length}, the first: ${missing[0]!.stream}/${missing[0]!.seq}`);
  }
};

/** Nobody writes under one name twice, whatever crashed or was restored (merge rule 4). */
const findForks = ({ sites, ledger }: World): void => {
  const known = new Map<string, string>();
  for (const { disk } of sites)
    for (const { stream, seq, hash } of disk.facts.values()) {
      const place = `${stream}/${seq}`;
      if ((known.get(place) ?? hash) !== hash) ledger.violated('one writer, one epoch', `${place} was written twice`);
      known.set(place, hash);
    }
};

const compareHistories = ({ sites, ledger }: World, room: string): void => {
  const known = new Map<string, { readonly site: SiteId; readonly hashes: string; readonly digest: string }>();
  const seenAt = new Map<string, number>();
  for (const { id, brain, disk } of sites) {
    for (const { conferences, facts, state, whole } of brain!.histories(room)) {
      if (liveLegsOf(state).length === 0) continue;
      if (!whole) ledger.violated('facts are read behind a snapshot', `${id} has not read those of ${conferences.join()}`);
      const name = [...conferences].sort().join('+');
      const hashes = facts.map(({ hash }) => hash);
      seenAt.set(name, (seenAt.get(name) ?? 0) + 1);
      if (new Set(hashes).size !== hashes.length) ledger.violated('a fact is applied once', `${id} folded one of ${name} twice`);
      const kept = disk.rows('conference').filter(({ stream }) => (conferences as readonly string[]).includes(subjectOf(stream)));
      if (kept.length !== hashes.length)
        ledger.violated('what is kept is folded', `${id} keeps ${kept.length} facts of ${name} and folds ${hashes.length}`);
      const history = { site: id, hashes: hashes.join(), digest: canonicalState(state) };
      const other = known.get(name);
      if (other === undefined) known.set(name, history);
      else if (other.hashes !== history.hashes) ledger.violated('the same order everywhere', `${id} and ${other.site} differ in ${name}`);
      else if (other.digest !== history.digest) ledger.violated('the same state everywhere', `${id} and ${other.site} differ in ${name}`);
    }
  }
  for (const [name, count] of seenAt)
    if (count !== sites.length) ledger.violated('the same meetings everywhere', `${name} is on at ${count} of ${sites.length} sites`);
};

const isOn = (view: ConferenceView | undefined): view is ConferenceView =>
  view !== undefined && (view.seats.length > 0 || view.waiting.length > 0);

const compareViews = ({ sites, ledger }: World, room: string): void => {
  const byName = new Map<string, { readonly site: SiteId; readonly view: ConferenceView }>();
  for (const { id, views } of sites) {
    const view = views.get(room);
    if (!isOn(view)) continue;
    const other = byName.get(view.conference);
    if (other === undefined) byName.set(view.conference, { site: id, view });
    else if (pictureOf(view) !== pictureOf(other.view)) {
      const differing = (Object.keys(view) as (keyof ConferenceView)[]).filter(
        (key) => key !== 'site' && key !== 'version' && JSON.stringify(view[key]) !== JSON.stringify(other.view[key]),
      );
      ledger.violated('every member of a component has the same stage', `${id} and ${other.site} differ in ${room}: ${differing.join()}`);
    }
  }
  if (byName.size > 1 && ![...byName.values()].some(({ view }) => view.locked))
    ledger.violated('one meeting again', `${room} is ${byName.size} meetings, and none of them is locked`);
};

const pictureOf = (view: ConferenceView): string => JSON.stringify({ ...view, site: '', version: 0 });

const checkView = ({ ledger }: World, site: SimulatedSite, room: string): void => {
  const view = site.views.get(room);
  if (!isOn(view)) return;
  const history = site.brain!.histories(room).find(({ conferences }) => conferences.includes(view.conference));
  if (history === undefined) {
    ledger.violated('what is seen was said', `${site.id} shows ${view.conference} of which it has no history`);
    return;
  }
  for (const { law, what } of breachesOf(history.facts, view)) ledger.violated(law, `at ${site.id} in ${room}: ${what}`);
  const set = pinsOf(site.estate!, room);
  for (const role of ['host', 'guest'] as const)
    if (!history.facts.some(({ type, body }) => set[role] === 0 || (type === 'PinChanged' && (body as typeof set)[role] >= set[role])))
      ledger.violated(
        'a meeting knows of every change of its PINs',
        `${room} has a new ${role} PIN, and its meeting at ${site.id} knows of none`,
      );
};

const checkClosed = ({ sites, ledger }: World, room: string): void => {
  for (const { id, views } of sites)
    if (isOn(views.get(room))) ledger.violated('a disabled room is empty', `${room} has people in the eyes of ${id}`);
};

/** What media nodes were told follows from what everyone should see, and stays within what a link carries. */
const checkDesires = ({ ledger }: World, site: SimulatedSite): void => {
  for (const wanted of site.desires.values()) {
    for (const { legs, pipes, room, version } of wanted.values()) {
      // What an earlier tenure wanted of a node that this one does not use is the node's to end.
      if (version.epoch !== site.disk.epoch) continue;
      for (const { to, sends } of pipes) {
        const large = sends.filter((send) => send.large).length;
        const small = sends.filter((send) => send.small).length;
        if (to.site !== site.id && (large > LARGE_MAX || small > SMALL_MAX))
          ledger.violated('at most one large and eight small pictures on a link', `${site.id} to ${to.site}: ${large} and ${small}`);
      }
      const view = site.views.get(room);
      for (const { leg, stage } of legs) {
        const seen = view?.byRecency ?? [];
        const [main = null, ...others] = seen.includes(leg) ? seen.filter((other) => other !== leg) : [];
        const expected = JSON.stringify({ main, thumbnails: others.slice(0, THUMBNAILS) });
        if (JSON.stringify({ main: stage.main, thumbnails: stage.thumbnails }) !== expected)
          ledger.violated('the node is told what the viewer should see', `${leg} of ${site.id}`);
      }
    }
  }
};

/** How long all people of a site may take to go, one after the other, each by one way after the other, at last on foot. */
const ALL_GONE_MS = 30_000;

/** Whoever moved is at one site; and where everybody was to go, nobody is left (ADR 0090). */
const checkMoves = ({ sites, rooms, management, schedule, moves, ledger }: World): void => {
  const emptied = [...management.draining].filter(([, sinceMs]) => schedule.nowMs - sinceMs > ALL_GONE_MS).map(([site]) => site);
  for (const { id, views } of sites)
    for (const room of rooms) {
      const there = [...(views.get(room)?.seats ?? []), ...(views.get(room)?.waiting ?? [])];
      for (const [person, legs] of Map.groupBy(there, ({ person }) => person))
        if (legs.length > 1 && !moves.isUnderWay(person))
          ledger.violated('no ghosts and no doubles', `${id} has ${person} as ${legs.map(({ leg }) => leg).join(' and ')}`);
      for (const { leg, site } of there)
        if (emptied.includes(site)) ledger.violated('a site that is to end is empty', `${leg} is still there in the eyes of ${id}`);
    }
};

/** Every seat has a window, and every window that is in has a seat. */
const checkWindows = ({ people, sites, ledger }: World): void => {
  for (const window of people.windows) {
    if (window.state !== 'in' && window.state !== 'waiting') continue;
    const view = window.site.views.get(window.room);
    const is = (list: readonly { readonly leg: string }[] | undefined) => list?.some(({ leg }) => leg === window.leg) === true;
    if (!is(view?.seats) && !is(view?.waiting))
      ledger.violated('nobody is lost', `${window.leg} of ${window.site.id} believes to be in ${window.room}, and is not`);
  }
  const held = new Set(people.windows.filter(({ state }) => state === 'in' || state === 'waiting').map(({ leg }) => leg));
  for (const site of sites)
    for (const view of site.views.values())
      for (const { leg, site: home } of [...view.seats, ...view.waiting])
        if (home === site.id && !held.has(leg)) ledger.violated('no ghosts and no doubles', `${leg} has no window any more`);
};
