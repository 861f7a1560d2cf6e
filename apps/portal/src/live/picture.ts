import type { ConferenceStatus, Status } from '@isthmus/protocol';
import { allOf, crossingsOf, kbps, share, streams } from './figures.js';
import { markOf, type Mark } from './palette.js';

/** What Live View draws, free of how: sites as groups of nodes, conferences beside them, and what runs between. */
export interface Picture {
  readonly sites: readonly SiteDrawn[];
  readonly conferences: readonly ConferenceDrawn[];
  readonly crossings: readonly CrossingDrawn[];
  /** Conferences that have no place in the picture; the table has them. */
  readonly hidden: number;
}
export interface SiteDrawn {
  readonly id: string;
  readonly site: string;
  readonly label: string;
  readonly up: boolean;
  readonly nodes: readonly NodeDrawn[];
  /** Which group of sites that reach each other it belongs to; 0 for all while nothing is split. */
  readonly side: number;
}
export interface NodeDrawn {
  readonly id: string;
  readonly label: string;
  readonly condition: 'calm' | 'busy' | 'full' | 'down';
}
/** A conference, or what one side of a split has of it. */
export interface ConferenceDrawn {
  readonly id: string;
  readonly conference: string;
  readonly label: string;
  readonly mark: Mark;
  readonly sites: readonly string[];
  /** Ids of the nodes that carry it. */
  readonly carriedBy: readonly string[];
}
export interface CrossingDrawn {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly label: string;
  readonly up: boolean;
  /** Nothing is open on it. */
  readonly idle: boolean;
}

/** More than this no eye tells apart; the largest are drawn. */
const DRAWN_MAX = 40;
/** Operators' rule: warn at 75 %, alert at 90 %. */
const BUSY = 0.75;
const FULL = 0.9;

export const siteKey = (site: string): string => `site:${site}`;
export const nodeKey = (site: string, node: string): string => `node:${site}:${node}`;
export const conferenceKey = (conference: string): string => `conference:${conference}`;

/** Oldest first, which gives each its letter and colour. */
export const marksOf = (conferences: readonly ConferenceStatus[]): ReadonlyMap<string, Mark> => {
  const order = [...conferences].sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
  return new Map(order.map(({ id }, index) => [id as string, markOf(index)]));
};

export const loadOf = ({ legs, capacity }: { readonly legs: number; readonly capacity: number }): number =>
  capacity > 0 ? legs / capacity : 1;

export const conditionOf = (node: {
  readonly up: boolean;
  readonly legs: number;
  readonly capacity: number;
  readonly cpu: number;
}): NodeDrawn['condition'] => {
  if (!node.up) return 'down';
  const worst = Math.max(loadOf(node), node.cpu);
  return worst >= FULL ? 'full' : worst >= BUSY ? 'busy' : 'calm';
};

/** @param chosen draw the crossings of this conference only */
export const pictureOf = (status: Status, chosen?: string): Picture => {
  const marks = marksOf(status.conferences);
  const largest = [...status.conferences].sort((a, b) => b.seats.length - a.seats.length || (a.id < b.id ? -1 : 1));
  const drawn = largest.slice(0, DRAWN_MAX);
  const seen = chosen === undefined ? undefined : status.conferences.filter(({ id }) => id === chosen);
  return {
    sites: status.sites.map(({ site, name, up, nodes }) => ({
      id: siteKey(site),
      site,
      label: up ? name : `${name} (silent)`,
      up,
      side: Math.max(
        0,
        status.components.findIndex((component) => component.includes(site)),
      ),
      nodes: nodes.map((node) => ({ id: nodeKey(site, node.node), label: nodeLabel(node), condition: conditionOf(node) })),
    })),
    conferences: drawn.flatMap(({ id, name, seats, sides }) => {
      const mark = marks.get(id) ?? markOf(0);
      return sides.map(({ sites }, index) => {
        const here = seats.filter(({ site }) => sites.includes(site));
        return {
          id: index === 0 ? conferenceKey(id) : `${conferenceKey(id)}#${index}`,
          conference: id,
          label: sides.length > 1 ? `${name}, ${here.length} here` : name,
          mark,
          sites: [...new Set(here.map(({ site }) => site as string))],
          carriedBy: [...new Set(here.flatMap(({ site, node }) => (node === null ? [] : [nodeKey(site, node)])))],
        };
      });
    }),
    crossings: crossingsDrawn(status, seen),
    hidden: status.conferences.length - drawn.length,
  };
};

const nodeLabel = ({ node, up, cpu, legs, capacity, draining, drained }: Status['sites'][number]['nodes'][number]): string =>
  up
    ? `${node}${drained ? ' (drained)' : draining ? ' (draining)' : ''}\n${legs} of ${capacity} · CPU ${share(cpu)}`
    : `${node}\ndoes not answer`;

const crossingsDrawn = (status: Status, chosen: readonly ConferenceStatus[] | undefined): readonly CrossingDrawn[] => {
  const there = new Set(status.sites.map(({ site }) => site as string));
  const open = new Map(crossingsOf(chosen ?? status.conferences).map((crossing) => [`${crossing.from}>${crossing.to}`, crossing]));
  const lines = new Map(status.links.map((link) => [`${link.from}>${link.to}`, link]));
  return [...new Set([...open.keys(), ...lines.keys()])].flatMap((key) => {
    const [from = '', to = ''] = key.split('>');
    if (!there.has(from) || !there.has(to)) return [];
    const crossing = open.get(key);
    const line = lines.get(key);
    const up = line?.up ?? true;
    const idle = crossing === undefined || crossing.large + crossing.small + crossing.voices === 0;
    // What a link carries in all is measured on the link; what one conference takes of it, by conference.
    const rate = chosen === undefined && line ? allOf(line) : crossing ? allOf(crossing) : 0;
    const label = !up ? 'down' : idle || !crossing ? '' : `${streams(crossing)}\n${kbps(rate)}`;
    return [{ id: `crossing:${key}`, from: siteKey(from), to: siteKey(to), label, up, idle }];
  });
};
