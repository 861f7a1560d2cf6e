import { expect, it } from 'vitest';
import { Fault } from '@isthmus/kernel';
import type { Bus, Timers } from '@isthmus/ports';
import type { ViewPublished } from '@isthmus/protocol';
import { ViewTeller } from './view-teller.js';

const viewOf = (conference: string, revision: number, ...ended: string[]): ViewPublished =>
  ({
    view: { conference, version: { epoch: 1, revision } },
    ended: ended.map((leg) => ({ leg, reason: 'left' })),
    attach: [{ leg: 'nyc-1', media: { url: `ws://node-${revision}`, token: 't' } }],
    notices: [],
  }) as unknown as ViewPublished;

/** A bus that may be away, and time that passes when it is told to. */
const world = () => {
  const told: ViewPublished[] = [];
  const due: (() => void)[] = [];
  const bus = { away: false, told };
  const publish = async ({ value }: { readonly value: unknown }) => {
    await Promise.resolve();
    if (bus.away) throw new Fault('bus.unavailable', 'planted: it is away');
    told.push(value as ViewPublished);
  };
  const after = (_: number, work: () => void) => {
    due.push(work);
    return () => undefined;
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const pass = async () => {
    for (const work of due.splice(0)) work();
    await settle();
  };
  return {
    bus,
    settle,
    pass,
    teller: new ViewTeller({ publish } as unknown as Bus, { after } as unknown as Timers, new AbortController().signal),
  };
};

it('tells again what a bus that was away did not take, although nothing new happens', async () => {
  const { bus, settle, pass, teller } = world();
  bus.away = true;
  teller.tell(viewOf('quiet', 1, 'nyc-a'));
  await settle();
  teller.tell(viewOf('quiet', 2, 'nyc-b'));
  teller.tell(viewOf('other', 1));
  await pass();
  expect(bus.told).toEqual([]);
  bus.away = false;
  await pass();
  expect(bus.told.map(({ view }) => [view.conference, view.version.revision])).toEqual([
    ['quiet', 2],
    ['other', 1],
  ]);
  const [{ ended, attach } = viewOf('', 0)] = bus.told;
  expect(ended.map(({ leg }) => leg)).toEqual(['nyc-a', 'nyc-b']);
  // Where somebody should attach is where they should now.
  expect(attach.map(({ media }) => media.url)).toEqual(['ws://node-2']);
  await pass();
  expect(bus.told).toHaveLength(2);
});

it('tells one thing of a meeting at a time, and what comes meanwhile as one', async () => {
  const { bus, settle, teller } = world();
  for (const revision of [1, 2, 3, 4]) teller.tell(viewOf('busy', revision, `nyc-${revision}`));
  await settle();
  expect(bus.told.map(({ view }) => view.version.revision)).toEqual([1, 4]);
  expect(bus.told.flatMap(({ ended }) => ended.map(({ leg }) => leg))).toEqual(['nyc-1', 'nyc-2', 'nyc-3', 'nyc-4']);
});
