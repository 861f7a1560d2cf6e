import { describe, expect, it } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import { siteOfLeg, type ConferenceId, type ConferenceView, type LegId, type PersonId, type Seat } from '@isthmus/conference';
import { fullMesh, networkOf, type LinkStates, type Network } from '@isthmus/reach';
import { cascade } from './cascade.js';
import type { NodeDesire, NodeId } from './desire.js';
import { carriesForOthers } from './transit.js';

const seat = (leg: string, more: Partial<Seat> = {}): Seat => ({
  leg: leg as LegId,
  person: leg as PersonId,
  name: leg,
  site: siteOfLeg(leg as LegId),
  role: 'host',
  muted: false,
  cameraOff: false,
  held: false,
  inReach: true,
  ...more,
});
const view = (site: string, seats: Seat[], recency = seats.map(({ leg }) => leg)): ConferenceView => ({
  conference: 'c' as ConferenceId,
  room: 'r',
  site: site as SiteId,
  version: { epoch: 1, revision: 1 },
  started: true,
  locked: false,
  seats,
  waiting: [],
  byRecency: recency.filter((leg) => !seats.find((s) => s.leg === leg)?.held),
  floor: recency[0] ?? null,
});

/** Seats by node: `nyc-1 …` on node `a`, everyone else where their site says. */
const desires = (
  v: ConferenceView,
  nodes: Record<string, string>,
  intermediary: string,
  elsewhere: string[] = ['lon', 'cpt'],
  network: Network = fullMesh(['nyc', 'lon', 'cpt'] as SiteId[]),
) =>
  cascade({
    view: v,
    mediaId: 'r' as ConferenceId,
    intermediary: intermediary as NodeId,
    placed: new Map(Object.entries(nodes).map(([leg, node]) => [leg as LegId, { node: node as NodeId, tokenHash: 'h' }])),
    here: new Map([...new Set(Object.values(nodes))].map((node) => [node as NodeId, `wss://${node}`])),
    elsewhere: new Map(elsewhere.map((site) => [site as SiteId, { node: `${site}-node` as NodeId, url: `wss://${site}` }])),
    network,
  });
/** New York and London do not hear each other; Cape Town hears both. */
const throughCapeTown = networkOf(
  new Map(
    Object.entries({ nyc: ['cpt'], lon: ['cpt'], cpt: ['lon', 'nyc'] }).map(([site, peers]): [SiteId, LinkStates] => [
      site as SiteId,
      {
        site: site as SiteId,
        version: { epoch: 1, revision: 1 },
        hears: peers.map((peer) => ({ peer: peer as SiteId, facts: true, media: true })),
      },
    ]),
  ),
);
const pipes = (desire: NodeDesire | undefined) =>
  Object.fromEntries(
    (desire?.pipes ?? []).map(({ to, sends }) => [
      to.node,
      sends
        .filter((s) => s.large || s.small)
        .map((s) => `${s.leg}${s.large ? '+' : ''}${s.small ? '-' : ''}`)
        .sort(),
    ]),
  );

const figure4 = [seat('nyc-1'), seat('lon-1'), seat('nyc-2'), seat('nyc-3'), seat('lon-2'), seat('lon-3'), seat('cpt-1'), seat('cpt-2')];

describe('the cascade of one site', () => {
  it("sends over each link what the white paper's figure 4 sends, by the layout rule", () => {
    const [nyc] = desires(view('nyc', figure4), { 'nyc-1': 'a', 'nyc-2': 'a', 'nyc-3': 'a' }, 'a');
    expect(pipes(nyc)).toEqual({ 'lon-node': ['nyc-1+', 'nyc-2-', 'nyc-3-'], 'cpt-node': ['nyc-1+', 'nyc-2-', 'nyc-3-'] });
    const [lon] = desires(view('lon', figure4), { 'lon-1': 'a', 'lon-2': 'a', 'lon-3': 'a' }, 'a', ['nyc', 'cpt']);
    expect(pipes(lon)).toEqual({ 'nyc-node': ['lon-1+-', 'lon-2-', 'lon-3-'], 'cpt-node': ['lon-1-', 'lon-2-', 'lon-3-'] });
  });
  it('crosses a link once from the intermediary, wherever in the site people sit', () => {
    const [a, b] = desires(view('nyc', figure4), { 'nyc-1': 'b', 'nyc-2': 'a', 'nyc-3': 'b' }, 'a');
    expect(pipes(b)).toEqual({ a: ['nyc-1+', 'nyc-3-'] });
    expect(pipes(a)).toEqual({
      b: ['cpt-1-', 'cpt-2-', 'lon-1+-', 'lon-2-', 'lon-3-', 'nyc-2-'],
      'lon-node': ['nyc-1+', 'nyc-2-', 'nyc-3-'],
      'cpt-node': ['nyc-1+', 'nyc-2-', 'nyc-3-'],
    });
    expect([a?.intermediary, b?.intermediary]).toEqual([true, false]);
  });
  it('pipes nothing to a site where nobody is, or that has not said where', () => {
    const [nyc] = desires(view('nyc', [seat('nyc-1'), seat('lon-1')]), { 'nyc-1': 'a' }, 'a', ['cpt']);
    expect(nyc?.pipes).toEqual([]);
  });
  it('sends no picture of a camera that is off, and keeps its place on the stage', () => {
    const [nyc] = desires(view('nyc', [seat('nyc-1', { cameraOff: true }), seat('lon-1')]), { 'nyc-1': 'a' }, 'a');
    expect(pipes(nyc)).toEqual({ 'lon-node': [] });
    expect(nyc?.pipes[0]?.sends).toEqual([{ leg: 'nyc-1', large: false, small: false, voice: true }]);
  });
  it('lets a held leg neither see nor hear nor be seen', () => {
    const [nyc] = desires(view('nyc', [seat('nyc-1'), seat('nyc-2', { held: true }), seat('lon-1')]), { 'nyc-1': 'a', 'nyc-2': 'a' }, 'a');
    expect(nyc?.legs[1]).toMatchObject({
      leg: 'nyc-2',
      stage: { main: null, thumbnails: [] },
      hears: [],
      may: { speak: false, show: false },
    });
    expect(nyc?.legs[0]?.hears).toEqual(['lon-1']);
    expect(nyc?.pipes[0]?.sends.map(({ leg }) => leg)).toEqual(['nyc-1']);
  });
  it("enforces a host's mute and trusts one's own", () => {
    const [nyc] = desires(
      view('nyc', [seat('nyc-1', { muted: 'host' }), seat('nyc-2', { muted: 'self' }), seat('lon-1')]),
      { 'nyc-1': 'a', 'nyc-2': 'a' },
      'a',
    );
    expect(nyc?.legs.map(({ may }) => may.speak)).toEqual([false, true]);
    expect(nyc?.pipes[0]?.sends.map(({ voice }) => voice)).toEqual([false, true]);
  });
  it('tells a publisher which layers anybody watches', () => {
    const [nyc] = desires(view('nyc', figure4), { 'nyc-1': 'a', 'nyc-2': 'a', 'nyc-3': 'a' }, 'a');
    expect(nyc?.legs.map(({ watched }) => watched)).toEqual([
      { large: true, small: false },
      { large: false, small: true },
      { large: false, small: true },
    ]);
  });

  it('goes through a third site where the direct way is cut, each layer once', () => {
    const [nyc] = desires(view('nyc', figure4), { 'nyc-1': 'a', 'nyc-2': 'a', 'nyc-3': 'a' }, 'a', ['lon', 'cpt'], throughCapeTown);
    expect(pipes(nyc)).toEqual({ 'cpt-node': ['nyc-1+', 'nyc-2-', 'nyc-3-'] });
    const [cpt] = desires(view('cpt', figure4), { 'cpt-1': 'a', 'cpt-2': 'a' }, 'a', ['lon', 'nyc'], throughCapeTown);
    expect(pipes(cpt)).toEqual({
      'lon-node': ['cpt-1-', 'cpt-2-', 'nyc-1+', 'nyc-2-', 'nyc-3-'],
      'nyc-node': ['cpt-1-', 'cpt-2-', 'lon-1+-', 'lon-2-', 'lon-3-'],
    });
  });
  it('has a node stand in at a site that nobody joined but others see each other through', () => {
    const two = view('cpt', [seat('nyc-1'), seat('lon-1')]);
    const [cpt] = desires(two, {}, 'a', ['lon', 'nyc'], throughCapeTown);
    expect(cpt).toMatchObject({ node: 'a', legs: [], intermediary: true });
    expect(pipes(cpt)).toEqual({ 'lon-node': ['nyc-1+'], 'nyc-node': ['lon-1+'] });
    expect(carriesForOthers(two, throughCapeTown, 'cpt' as SiteId)).toBe(true);
    expect(carriesForOthers(two, fullMesh(['nyc', 'lon', 'cpt'] as SiteId[]), 'cpt' as SiteId)).toBe(false);
  });
  it('keeps a pipe open both ways where something travels one way only', () => {
    const dark = view('nyc', [seat('nyc-1', { cameraOff: true, muted: 'host' }), seat('lon-1')]);
    const [nyc] = desires(dark, { 'nyc-1': 'a' }, 'a', ['lon'], throughCapeTown);
    expect(nyc?.pipes).toEqual([]);
    const [direct] = desires(dark, { 'nyc-1': 'a' }, 'a', ['lon']);
    expect(direct?.pipes.map(({ to }) => to.site)).toEqual(['lon']);
  });
});
