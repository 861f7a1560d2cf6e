import { vi } from 'vitest';
import type { Keep } from '../../net/identity.js';
import { fakeDevice, routerRtpCapabilities, transportOffer } from '../../net/testing/fake-device.js';
import { scriptedSockets, type ScriptedSocket } from '../../net/testing/scripted-socket.js';
import { Meeting } from '../meeting.js';

const keep = (): Keep => {
  const kept = new Map<string, string>();
  return { get: (key) => kept.get(key) ?? null, set: (key, value) => void kept.set(key, value) };
};

/** Lets everything happen that waits for nothing but its turn; timers are fake. */
export const settle = () => vi.advanceTimersByTimeAsync(5);

/** Somebody in a roster, named like their leg, whose first three letters are their site. */
export const entry = (leg: string, more: object = {}) => ({
  ...{ leg, name: leg, site: leg.slice(0, 3), role: 'guest', muted: 'self', cameraOff: true, inReach: true, you: false },
  ...more,
});

/** How a meeting looks to `you`, among others. */
export const viewOf = (you: object, ...others: readonly string[]) => ({
  revision: 1,
  roster: [you, ...others.map((leg) => entry(leg))],
  stage: { main: others[0] ?? null, thumbnails: others.slice(1) },
  floor: null,
  locked: false,
  held: false,
  waiting: [],
});

/** The answer that gives a seat at a site. */
export const joinedAt = (site: string, more: object = {}) => ({
  type: 'joined',
  leg: `${site}-1`,
  conference: 'c1',
  room: 'Harbour planning',
  role: 'guest',
  resume: `back-${site}`,
  media: { url: `ws://node-${site}/media`, token: 't1' },
  view: viewOf(entry(`${site}-1`, { you: true })),
  ...more,
});

const welcomeOf = (site: string, siteName: string, more: object = {}) => ({
  ...{ type: 'welcome', v: 1, site, siteName, rtpCapabilities: routerRtpCapabilities() },
  ...more,
});

/** A meeting client at New York's door, nobody having answered it yet; specs speak for gateway-routers and media nodes, by the host of their address. */
export const meetingUnderTest = (alias = 'harbour') => {
  const sockets = scriptedSockets();
  const meeting = new Meeting({
    gatewayUrl: 'ws://nyc/ws',
    alias,
    openSocket: sockets.open,
    createDevice: fakeDevice,
    keep: keep(),
    tabKeep: keep(),
  });
  const at = (host: string): ScriptedSocket => {
    const found = sockets.all.findLast(({ url }) => url.startsWith(`ws://${host}/`));
    if (found === undefined) throw new Error(`nobody has connected to ${host}`);
    return found;
  };
  return {
    meeting,
    sockets,
    at,
    welcomes: async (site: string, siteName: string, more: object = {}): Promise<void> => {
      at(site)
        .opens()
        .says(welcomeOf(site, siteName, more));
      await settle();
    },
    asks: async (pin?: string): Promise<void> => {
      void meeting.join('harbour', 'Ana', pin);
      await settle();
    },
    attaches: async (site: string, consumers: readonly unknown[] = []): Promise<void> => {
      at(`node-${site}`).opens().answers('attach', { type: 'attached', send: transportOffer(), receive: transportOffer(), consumers });
      await settle();
    },
    state: () => meeting.store.get(),
  };
};
