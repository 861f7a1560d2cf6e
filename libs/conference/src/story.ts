import type { SiteId } from '@isthmus/kernel';
import type { ConferenceCommand } from './commands.js';
import { returnsAt } from './selectors.js';
import { standingOf, type LegStanding } from './standing.js';
import { legIdOf, type PersonId } from './words.js';
import { heal, World, type TestSite } from './world.js';

export const SITES = ['cpt', 'lon', 'nyc', 'sin'];
export const YEAR_MS = 3.15e10;

/** What can happen in a story; listed as often as it should. */
export const WHAT = [
  ...['join', 'join', 'join', 'join as host', 'join as host', 'leave', 'floor', 'floor', 'come back', 'move'],
  ...['lock', 'lock', 'unlock', 'unlock', 'admit', 'admit', 'reject', 'remove', 'make-guest', 'make-host', 'end-for-all'],
  ...['mute', 'unmute', 'camera-off', 'camera-on', 'mute-all-guests'],
  ...['new PIN', 'note', 'write off', 'confirm'],
  ...['hear', 'hear', 'hear', 'hear', 'hear', 'hear', 'restart', 'roll back', 'clock', 'reach', 'door'],
] as const;
/** One thing that happens somewhere; the numbers choose among whoever is there then. */
export interface Step {
  readonly what: (typeof WHAT)[number];
  readonly site: number;
  readonly peer: number;
  readonly own: number;
  readonly other: number;
  readonly n: number;
}
/** People act through their own site; whom they act on may be anywhere. A person may turn up at any site. Most acts are such as make sense. */
const commandOf = ({ what, own, other, n }: Step, i: number, site: TestSite): ConferenceCommand | undefined => {
  const nobody = legIdOf(site.id, 'nobody');
  const live = [...standingOf(site.state).legs.values()].filter(({ ended }) => ended === null);
  const pick = (at: number, ...choices: readonly (readonly LegStanding[])[]) => {
    const choice = choices.find(({ length }) => length > 0) ?? [];
    return choice[at % choice.length]?.leg;
  };
  const mine = live.filter(({ leg }) => leg.site === site.id);
  const known = pick(own, mine);
  const by = pick(own, n === 0 ? [] : mine.filter(({ role }) => role === 'host'), mine)?.leg ?? nobody;
  const outside = live.filter(({ held, waiting }) => held || waiting !== null);
  const leg = pick(other, what === 'admit' || what === 'reject' ? outside : [], live)?.leg ?? nobody;
  switch (what) {
    case 'join':
    case 'join as host': {
      const person = (n < 3 ? `person-${n}` : `person-${i}`) as PersonId;
      const coming = {
        leg: legIdOf(site.id, `${i}`),
        person,
        name: person,
        site: site.id,
        connect: i + 1,
        muted: n % 2 === 0,
        cameraOff: n % 5 === 0,
        proof: site.room.pins?.[what === 'join' ? 'guest' : 'host'] ?? 0,
      };
      return { type: 'Join', role: what === 'join' ? 'guest' : 'host', ...coming };
    }
    case 'come back':
      return known && { type: 'Join', ...known, connect: i + 1 };
    case 'move': {
      const elsewhere = live.filter(({ leg }) => leg.site !== site.id);
      const before = pick(other, elsewhere);
      if (before === undefined) return undefined;
      const { person, name, role, muted, cameraOff, proof } = before;
      const coming = { leg: legIdOf(site.id, `${i}`), site: site.id, connect: i + 1, from: before.leg };
      return { type: 'Join', person, name, role, muted, cameraOff, proof, ...coming };
    }
    case 'note':
      return { type: 'NotePins' };
    case 'write off':
      return n > 2
        ? undefined
        : { type: 'WriteOff', site: SITES[(SITES.indexOf(site.id) + 1 + (own % 3)) % 4] as SiteId, reason: 'silent' };
    case 'leave':
      return known && { type: 'Leave', leg: known.leg };
    case 'floor':
      return known && { type: 'TakeFloor', leg: known.leg };
    case 'lock':
    case 'unlock':
    case 'end-for-all':
    case 'mute-all-guests':
      return what === 'end-for-all' && n > 2 ? undefined : { type: what, by };
    case 'admit':
    case 'reject':
    case 'remove':
    case 'make-host':
    case 'make-guest':
      return { type: what, leg, by };
    case 'mute':
    case 'unmute':
    case 'camera-off':
    case 'camera-on':
      return { type: what, leg: n % 2 === 0 ? by : leg, by };
    default:
      return undefined;
  }
};

/** Four sites live through the steps. */
export const live = (
  sha256: (text: string) => string,
  steps: readonly Step[],
  skewsMs: readonly number[],
  watch = (_: TestSite, hear: () => void) => hear(),
): readonly TestSite[] => {
  const world = new World(sha256, ...SITES);
  const sites = [...world.sites.values()];
  sites.forEach((site, i) => (site.skewMs = skewsMs[i]!));
  steps.forEach((it, i) => {
    const site = sites[it.site]!;
    if (it.what === 'hear') watch(site, () => site.receive(sites[it.peer]!));
    else if (it.what === 'restart') site.restart();
    else if (it.what === 'roll back') site.rollBack(it.n < 5 ? Math.floor(site.facts.size / 2) : site.facts.size);
    else if (it.what === 'clock') site.skewMs = [0, 10 * YEAR_MS, -10 * YEAR_MS, 100][it.n % 4]!;
    else if (it.what === 'reach') site.reach = new Set([site.id, ...(SITES.filter((_, bit) => (it.n >> bit) & 1) as SiteId[])]);
    else if (it.what === 'door') site.room = { seatsMax: it.n < 3 ? 4 : 1000, guestsWaitForHost: it.n % 2 === 0, ...pinsOf(site) };
    else if (it.what === 'new PIN')
      site.room = { ...site.room, pins: { host: it.n % 3 === 0 ? i : (site.room.pins?.host ?? 0), guest: i } };
    else if (it.what === 'confirm') confirm(site, 1e12 + i * 10);
    else {
      const command = commandOf(it, i, site);
      if (command) site.handle(command, 1e12 + i * 10);
    }
  });
  return sites;
};

const pinsOf = ({ room }: TestSite) => (room.pins === undefined ? {} : { pins: room.pins });

/** A site that was written off says that its people are there all the same. */
export const confirm = (site: TestSite, nowMs: number): void => {
  const there = new Set([...standingOf(site.state).legs.values()].map(({ leg }) => leg.leg));
  for (const body of returnsAt(site.state, site.id, there)) site.record(body, nowMs);
};

/** Every link returns. */
export const reunited = (sites: readonly TestSite[]): readonly TestSite[] => {
  heal(sites);
  for (const site of sites) site.reach = new Set(SITES as SiteId[]);
  return sites;
};
