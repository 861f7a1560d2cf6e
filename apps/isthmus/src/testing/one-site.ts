import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hash } from '@node-rs/argon2';
import { build } from 'vite';
import { embeddedBus } from '@isthmus/bus-embedded';
import { startBrain } from '@isthmus/conference-brain';
import type { Room } from '@isthmus/estate';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { startGatewayRouter } from '@isthmus/gateway-router';
import { estateFacts, noPeers, roomsCreated, sampleRoom } from '@isthmus/contract/samples';
import type { SiteId } from '@isthmus/kernel';
import { startMediaNode } from '@isthmus/media-node';
import { createAuthority, issue } from '@isthmus/peers-http';
import type { NodeId } from '@isthmus/placement';
import type { RunningService } from '@isthmus/service-kit';

/** One site, whole and real, with rooms to meet in: for specs that look at a meeting through the meeting client. */
export interface OneSite {
  /** Where its meeting client is served. */
  readonly url: string;
  close(): Promise<void>;
}

/** More than there are specs, of which each may be tried again. */
const ROOMS = 30;
const SITE = 'nyc' as SiteId;
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const roomOf = (id: string, more: Partial<Room> = {}): Room =>
  sampleRoom(id, { name: `The ${id} room`, guestsWaitForHost: true, seatsMax: 10, ...more });

/** Cheap hashes: what argon2 costs is not what these specs are about. */
const pinHash = (pin: string): Promise<string> => hash(pin, { memoryCost: 1_024, timeCost: 1 });

const builtClient = async (outDir: string): Promise<string> => {
  const root = fileURLToPath(new URL('../../../meet', import.meta.url));
  await build({ root, logLevel: 'error', build: { outDir, emptyOutDir: true } });
  return outDir;
};

/**
 * Rooms `open-1`, `open-2`, … (no PIN) and `board-1`, … (host 471100, guest 0815, guests wait for a host), so that every spec
 * can have one to itself. Ports from `base` on are taken.
 */
export const startOneSite = async (base: number): Promise<OneSite> => {
  const folder = mkdtempSync(join(tmpdir(), 'one-site-'));
  const running: { close(): Promise<unknown> }[] = [];
  const keep = <T extends { close(): Promise<unknown> }>(part: T): T => {
    running.unshift(part);
    return part;
  };
  const close = async (): Promise<void> => {
    for (const part of running.splice(0)) await part.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const bus = keep(embeddedBus());
    const store = keep(await sqliteEventStore({ file: join(folder, 'store.sqlite') }));
    const pins = { hostPinHash: await pinHash('471100'), guestPinHash: await pinHash('0815') };
    const numbers = Array.from({ length: ROOMS }, (_, at) => at + 1);
    await store.adopt(
      estateFacts(roomsCreated(...numbers.flatMap((number) => [roomOf(`open-${number}`), roomOf(`board-${number}`, pins)]))),
    );
    const host = '127.0.0.1';
    keep(await startBrain({ site: SITE, listen: { host, port: 0 }, bus, store, peers: noPeers, clock }));
    const credentials = await issue(await createAuthority(), { identity: { kind: 'site', site: SITE } });
    keep(
      await startMediaNode({
        site: SITE,
        node: 'nyc-0' as NodeId,
        listen: { host, port: 0 },
        link: { host, port: 0 },
        credentials: () => credentials,
        webRtc: { ip: host, port: base },
        plain: { ip: host, portMin: base + 10, portMax: base + 40 },
        capacity: 20,
        bus,
      }),
    );
    const gateway: RunningService = keep(
      await startGatewayRouter({
        site: SITE,
        siteName: 'New York',
        listen: { host, port: 0 },
        bus,
        meetDir: await builtClient(join(folder, 'meet')),
      }),
    );
    return { url: gateway.url, close };
  } catch (error) {
    await close();
    throw error;
  }
};
