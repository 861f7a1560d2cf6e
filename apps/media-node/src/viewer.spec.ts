import { beforeEach, describe, expect, it } from 'vitest';
import type { LegId } from '@isthmus/conference';
import type { ClientTransport, Feed, Layer, Stream } from '@isthmus/media-mediasoup';
import type { ConsumerOffer } from '@isthmus/protocol';
import { Streams, type Arriving } from './streams.js';
import { legDesire } from './testing/desires.js';
import { Viewer } from './viewer.js';

/** A stream of two layers, of which the spec says which arrive, and a feed of it that notes whether it is open. */
const live = new Set<Layer>();
const stream = {
  ...{ id: 's', kind: 'video', layers: 2, closed: false },
  live: (layer: Layer) => live.has(layer),
  onLive: () => undefined,
  onClosed: () => undefined,
} as unknown as Stream;
let now = 0;
let feed: Feed & { preferred: Layer; open: boolean };
let viewer: Viewer;
let offered: LegId[];
let streams: Streams;
const shownSmall = legDesire('lon-bo', null, ['nyc-ana']);

const arrives = (from: Arriving['from']) => {
  streams = new Streams(() => undefined);
  streams.add({ leg: 'nyc-ana' as LegId, source: 'camera', from, since: now, stream });
};
const look = async () => {
  const unsettled = await viewer.reconcile(shownSmall, streams);
  return { open: feed.open, unsettled };
};
const begin = async (from: Arriving['from']) => {
  arrives(from);
  await viewer.begin(shownSmall, streams);
  await viewer.ready(['f']);
  return look();
};

beforeEach(() => {
  live.clear();
  now = 100_000;
  const made = {
    ...{ id: 'f', streamId: 's', kind: 'video', open: false, closed: false, layer: undefined, quality: 10, onClosed: () => undefined },
    gate: async (open: boolean) => void (feed.open = open),
    prefer: async (layer: Layer) => void (feed.preferred = layer),
    close: () => undefined,
  };
  const transport = {
    closed: false,
    consume: async (_stream: Stream, _capabilities: unknown, preferred: Layer) => (feed = { ...made, preferred } as unknown as typeof feed),
  };
  offered = [];
  const handlers = {
    offered: (offers: readonly ConsumerOffer[]) => offered.push(...offers.map(({ leg }) => leg)),
    closed: () => undefined,
  };
  viewer = new Viewer(transport as unknown as ClientTransport, {}, handlers, () => now);
});

describe('what a viewer is shown of a camera that has just come over a pipe', () => {
  it('begins with the layer that it should have, and not with another that comes first', async () => {
    live.add(1);
    expect(await begin('nyc-0' as never)).toEqual({ open: false, unsettled: true });
    live.add(0);
    expect(await look()).toEqual({ open: true, unsettled: expect.any(Boolean) as never });
  });

  it('begins with the other one after all when the right one does not come', async () => {
    live.add(1);
    await begin('nyc-0' as never);
    now += 1_100;
    expect(await look()).toMatchObject({ open: true });
  });

  it('begins at once with whatever there is where layers can be switched between: at the camera’s own node, and later', async () => {
    live.add(1);
    expect(await begin('client')).toMatchObject({ open: true });
    arrives('nyc-0' as never);
    now += 7_000;
    await viewer.begin(shownSmall, streams);
    await viewer.ready(['f']);
    expect(feed.open).toBe(true);
  });

  it('is not taken away again when its layer ceases for a while', async () => {
    live.add(0);
    expect(await begin('nyc-0' as never)).toMatchObject({ open: true });
    live.delete(0);
    expect(await look()).toMatchObject({ open: true });
  });
});

describe('what a viewer is shown while nothing else is desired', () => {
  it('includes a camera that comes later, and comes anew', async () => {
    live.add(0);
    streams = new Streams(() => undefined);
    await viewer.reconcile(shownSmall, streams);
    expect(offered).toEqual([]);
    const arriving: Arriving = { leg: 'nyc-ana' as LegId, source: 'camera', from: 'client', since: now, stream };
    streams.add(arriving);
    await viewer.reconcile(shownSmall, streams);
    expect(offered).toEqual(['nyc-ana']);
    streams.add({ ...arriving });
    await viewer.reconcile(shownSmall, streams);
    await viewer.reconcile(shownSmall, streams);
    expect(offered).toEqual(['nyc-ana', 'nyc-ana']);
  });
});
