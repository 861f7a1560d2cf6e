import type { ConferenceAct, LegId } from '@isthmus/conference';
import type { Window } from './people.js';
import type { Random } from './random.js';
import type { SimulatedSite } from './site.js';
import { bringWeather, WEATHER, type Episode } from './weather.js';
import type { World } from './world.js';

/** What people do, as often as it is listed. */
const DEEDS = [
  ...['come', 'come', 'come', 'come', 'leave', 'leave', 'speak', 'speak', 'speak', 'reconnect'],
  ...['lock', 'lock', 'unlock', 'mute', 'unmute', 'mute-all-guests', 'camera-off', 'camera-on'],
  ...['remove', 'make-host', 'make-guest', 'admit', 'admit', 'admit', 'reject', 'end-for-all'],
] as const;

/** Nobody asks for anything during so long before a split ends, so that each side can be compared. */
const HUSH_MS = 4_000;

/** Plans a whole history: who does what when, and everything that goes wrong. @returns when the last of it is over, and the splits. */
export const planStory = (world: World, random: Random): { readonly endMs: number; readonly episodes: readonly Episode[] } => {
  const { schedule, network, sites } = world;
  const at = (ms: number, work: () => void) => schedule.after(ms, work);
  const ids = sites.map(({ id }) => id);

  const episodes: Episode[] = [];
  let endMs = random.between(2_000, 5_000);
  for (let n = random.pick([1, 1, 1, 2, 2, 3]); n > 0; n--) {
    const kind = random.pick(WEATHER);
    episodes.push(bringWeather(kind, endMs, random.between(7_000, 20_000), ids, network, random));
    endMs = episodes.at(-1)!.untilMs + random.between(300, 5_000);
  }

  planPeople(world, random, endMs, episodes);
  planTrouble(world, random, endMs);
  episodes.forEach((episode) => at(episode.untilMs - 1, () => world.heals()));
  return { endMs, episodes };
};

const planPeople = (world: World, random: Random, endMs: number, episodes: readonly Episode[]): void => {
  const { schedule, sites } = world;
  const quiet = (ms: number) => episodes.some(({ untilMs, steady }) => steady && ms > untilMs - HUSH_MS && ms < untilMs);
  // People at every site before the first split.
  sites.forEach((site, i) => {
    const first = sites.length <= 5 || i < 8 || random.happens(0.4);
    if (first) schedule.after(random.between(400, 1_900), () => comesTo(world, site));
  });
  const many = random.happens(0.05);
  const gapMs = many ? random.between(60, 150) : random.between(250, 900);
  for (let ms = 900; ms < endMs; ms += random.between(1, 2 * gapMs)) {
    if (quiet(ms)) continue;
    schedule.after(ms, () => somethingHappens(world, world.random));
  }
};

const planTrouble = (world: World, random: Random, endMs: number): void => {
  const { schedule, sites, management } = world;
  const any = () => random.between(1_000, endMs);
  const maybe = (share: number, most: number, plan: () => void) => {
    if (!random.happens(share)) return;
    for (let n = random.between(1, most); n > 0; n--) plan();
  };
  for (const site of sites) {
    site.skewMs = random.pick([0, 0, 0, 3, -40, 5_000, -5_000, 10 * YEAR_MS, -10 * YEAR_MS]);
    site.drift = random.pick([1, 1, 1, 1.0005, 0.9995, 1.02]);
  }
  maybe(0.5, 3, () => {
    const site = random.pick(sites);
    const stepMs = random.pick([-1, 1]) * random.pick([7, 900, 60_000, YEAR_MS, 10 * YEAR_MS]);
    schedule.after(any(), () => (site.skewMs += stepMs));
  });
  maybe(0.35, 2, () => {
    const site = random.pick(sites);
    schedule.after(any(), () => site.crash());
  });
  maybe(0.25, 1, () => {
    const site = random.pick(sites);
    schedule.after(any(), () => (site.frailty = 0.15));
    schedule.after(endMs, () => (site.frailty = 0));
  });
  maybe(0.2, 2, () => {
    const site = random.pick(sites);
    schedule.after(any(), () => world.lies(site));
  });
  maybe(world.options.restores === true ? 0.5 : 0.03, 1, () => {
    const site = random.pick(sites);
    const backedUpMs = random.between(500, endMs - 1_000);
    schedule.after(backedUpMs, () => site.backUp());
    schedule.after(random.between(backedUpMs, endMs), () => world.restores(site));
  });
  maybe(0.15, 2, () => {
    const site = random.pick(sites);
    const fullMs = any();
    schedule.after(fullMs, () => (site.disk.full = true));
    schedule.after(fullMs + random.between(300, 4_000), () => (site.disk.full = false));
    schedule.after(endMs, () => (site.disk.full = false));
  });
  maybe(0.15, 1, () => {
    const site = random.pick(sites);
    const slowMs = any();
    schedule.after(slowMs, () => site.disk.stalls(0.4));
    schedule.after(Math.min(endMs, slowMs + random.between(2_000, 8_000)), () => site.disk.stalls(undefined));
  });
  maybe(0.25, 2, () => {
    const room = random.pick(world.rooms);
    schedule.after(any(), () => changesHands(world, room));
  });
  maybe(0.15, 1, () => {
    const site = random.pick(sites);
    const node = random.pick([...site.nodes.keys()]);
    const silentMs = any();
    schedule.after(silentMs, () => site.nodes.set(node, Math.min(endMs, silentMs + random.between(3_000, 12_000))));
  });
  maybe(0.2, 1, () => {
    const site = random.pick(sites);
    const awayMs = any();
    schedule.after(awayMs, () => management.lose(site.id));
    schedule.after(Math.min(endMs, awayMs + random.between(2_000, 20_000)), () => management.find(site.id));
  });
  maybe(0.4, 3, () => {
    const room = random.pick(world.rooms);
    const describedMs = any();
    schedule.after(describedMs, () => management.describe(room, `as of ${describedMs}`));
  });
  maybe(0.08, 1, () => {
    const room = random.pick(world.rooms);
    schedule.after(any(), () => world.disables(room));
    if (random.happens(0.5)) schedule.after(endMs - 100, () => management.setDisabled(room, false));
  });
};

export const YEAR_MS = 3.15e10;

const comesTo = (world: World, site: SimulatedSite): void => world.people.comes(site, world.random.pick(world.rooms));

/** Everybody leaves a room, and the next ones come while they do: what is over at one site is going on at another. */
const changesHands = ({ people, sites, schedule, random }: World, room: string): void => {
  for (const window of people.there()) if (window.room === room) people.leaves(window);
  for (let n = random.between(1, 3); n > 0; n--)
    schedule.after(random.between(0, 300), () => {
      const running = sites.filter(({ brain }) => brain !== undefined);
      if (running.length > 0) people.comes(random.pick(running), room);
    });
};

const somethingHappens = (world: World, random: Random): void => {
  const { people, sites } = world;
  const deed = random.pick(DEEDS);
  const running = sites.filter(({ brain }) => brain !== undefined);
  if (deed === 'come') {
    if (running.length > 0) comesTo(world, random.pick(running));
    return;
  }
  const there = people.there();
  if (there.length === 0) return;
  const window = random.pick(there);
  switch (deed) {
    case 'leave':
      return people.leaves(window);
    case 'reconnect':
      return people.reconnects(window);
    case 'speak':
      return speaks(window);
    default: {
      const author = authorOf(world, deed, window, there);
      const act = actOf(world, deed, author);
      if (act !== undefined) people.acts(author, act);
    }
  }
};

const speaks = ({ site, room, leg }: Window): void => {
  const node = [...site.nodes.keys()][0];
  if (leg === undefined || node === undefined) return;
  // A store that fails makes the brain refuse; the detector says it again after 1.5 s.
  site.brain?.heard({ type: 'Spoke', conference: room as never, leg, node }).catch(() => undefined);
};

/** Most acts are a host's; some guest always tries. */
const authorOf = ({ random }: World, deed: string, window: Window, there: readonly Window[]): Window => {
  if (random.happens(0.1)) return window;
  const hosts = there.filter((other) => other.person.role === 'host' && other.state === 'in');
  const own = deed === 'mute' || deed === 'unmute' || deed === 'camera-off' || deed === 'camera-on';
  return hosts.length === 0 || (own && random.happens(0.5)) ? window : random.pick(hosts);
};

const actOf = ({ random }: World, deed: string, author: Window): ConferenceAct | undefined => {
  const view = author.site.views.get(author.room);
  if (view === undefined || author.leg === undefined) return undefined;
  switch (deed) {
    case 'lock':
    case 'unlock':
    case 'mute-all-guests':
      return { type: deed };
    case 'end-for-all':
      return random.happens(0.25) ? { type: deed } : undefined;
    case 'admit':
    case 'reject': {
      const outside = [...view.waiting, ...view.seats.filter(({ held }) => held)].map(({ leg }) => leg);
      return outside.length === 0 ? undefined : { type: deed, leg: random.pick(outside) };
    }
    case 'mute':
    case 'unmute':
    case 'camera-off':
    case 'camera-on':
    case 'remove':
    case 'make-host':
    case 'make-guest': {
      const legs: readonly LegId[] = random.happens(0.3) ? [author.leg] : view.seats.map(({ leg }) => leg);
      return legs.length === 0 ? undefined : { type: deed, leg: random.pick(legs) };
    }
    default:
      return undefined;
  }
};
