import { randomBytes } from 'node:crypto';
import {
  decideAdministrators,
  decideEnrolments,
  decideEstate,
  emptyEstate,
  evolveAdministrators,
  evolveEnrolments,
  evolveEstate,
} from '@isthmus/estate';
import type { Bus, Clock, EventStore } from '@isthmus/ports';
import { TOPICS } from '@isthmus/protocol';
import { logOf, startService, type Listen, type RunningService } from '@isthmus/service-kit';
import { openAuthority } from './authority.js';
import type { DemoLinks } from './demo-links.js';
import { JoinBook } from './join-book.js';
import { Keeper } from './keeper.js';
import { LiveStatus } from './live-status.js';
import { NodeBook } from './node-book.js';
import { serveOpenApi } from './openapi.js';
import { securityHeaders, servePortal } from './portal.js';
import { ProvisioningModule } from './provisioning.module.js';
import { RoomBook } from './room-book.js';
import { hashSecret } from './secrets.js';
import { Sessions } from './sessions.js';
import { newRoom, newSite, type NewSite } from './shapes.js';
import { SiteBook } from './site-book.js';
import { openSiteDoor } from './site-door.js';
import { makeStateDir } from './state-dir.js';
import type { AdministratorsKeeper, EstateKeeper } from './tokens.js';
import { onlyJson } from './valid.js';
import type { z } from 'zod';

export interface ProvisioningOptions {
  /** REST, the API's documentation and the portal. */
  readonly listen: Listen;
  /** Mutually authenticated TLS, for sites: the estate, reports, enrolment. */
  readonly siteListen: { readonly host: string; readonly port: number };
  readonly store: EventStore;
  /** Management's own bus: telemetry listens to it, and says on it what runs. */
  readonly bus: Bus;
  /** Holds the authority's key; made if missing, readable by its owner only. */
  readonly stateDir: string;
  /** The portal's built files. */
  readonly portalDir?: string | undefined;
  /** In a demo: its links, which administrators may cut. */
  readonly demoLinks?: DemoLinks | undefined;
  /** Made at the first start, if there is no administrator at all. The password has to be changed at the first sign-in. */
  readonly firstAdministrator: { readonly name: string; readonly password: string } | undefined;
  readonly clock?: Clock;
}

export interface Provisioning extends RunningService {
  /** Where sites find management: `https://127.0.0.10:7001`. */
  readonly siteUrl: string;
  /** SHA-256 of the authority's certificate, hex: what a site that enrols should be told beforehand. */
  readonly caFingerprint: string;
  /** Whether {@link ProvisioningOptions.firstAdministrator} was made by this start, and its password is therefore good. */
  readonly madeFirstAdministrator: boolean;
  createEnrolmentToken(site: string): Promise<{ readonly token: string; readonly expiresAt: string; readonly caFingerprint: string }>;
  /** Adds a site, or changes it to be as wanted. */
  ensureSite(site: NewSite): Promise<void>;
  /** Makes a room unless one has the first of its aliases; resolves with its id. */
  ensureRoom(room: z.input<typeof newRoom>): Promise<string>;
}

const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** Starts the one place from which everything is administered. */
export const startProvisioning = async (options: ProvisioningOptions): Promise<Provisioning> => {
  const { listen, siteListen, store, bus, stateDir, portalDir, demoLinks, firstAdministrator, clock = systemClock } = options;
  await makeStateDir(stateDir);
  const authority = await openAuthority(stateDir);
  const epoch = await store.beginEpoch();
  const kept = { store, clock, epoch };
  const estate: EstateKeeper = await Keeper.open({
    ...kept,
    category: 'estate',
    initial: emptyEstate,
    decide: decideEstate,
    evolve: evolveEstate,
  });
  const administrators: AdministratorsKeeper = await Keeper.open({
    ...kept,
    category: 'administrators',
    initial: {},
    decide: decideAdministrators,
    evolve: evolveAdministrators,
  });
  const enrolments = await Keeper.open({
    ...kept,
    category: 'enrolments',
    initial: {},
    decide: decideEnrolments,
    evolve: evolveEnrolments,
  });

  const rooms = new RoomBook(estate);
  const live = new LiveStatus(bus, clock);
  const sites = new SiteBook(estate, enrolments, clock, authority.fingerprint, live);
  const joins = new JoinBook(sites, authority);
  const sessions = new Sessions(administrators, clock);
  const nodes = new NodeBook(estate, live);
  const secure = listen.tls !== undefined;
  const madeFirstAdministrator = await makeFirst(administrators, firstAdministrator);

  /** Undone in reverse, also when the start fails half-way. */
  const opened: { close(): Promise<void> }[] = [];
  const opening = async <T extends { close(): Promise<void> }>(part: Promise<T>): Promise<T> => {
    const whole = await part;
    opened.unshift(whole);
    return whole;
  };
  const closeAll = async (): Promise<void> => {
    for (const part of opened.splice(0)) await part.close();
  };
  try {
    await opening(live.start());
    await opening(tellOfEstate(estate, bus));
    const door = await opening(openSiteDoor({ listen: siteListen, authority, estate, sites, bus, clock }));
    joins.url = door.url;
    const running = await opening(
      startService({
        name: 'provisioning',
        module: ProvisioningModule.of({ estate, administrators, rooms, sites, nodes, joins, sessions, live, secure, demoLinks }),
        listen,
        configure: (app) => {
          app.use(securityHeaders(secure));
          app.use(onlyJson);
          serveOpenApi(app);
          if (portalDir !== undefined) servePortal(app, portalDir);
        },
      }),
    );
    let closing: Promise<void> | undefined;
    return {
      ...running,
      siteUrl: door.url,
      caFingerprint: authority.fingerprint,
      madeFirstAdministrator,
      createEnrolmentToken: (site) => sites.offer(site, 'system'),
      ensureSite: async (site) => void (await sites.ensure(newSite.parse(site), 'system')),
      ensureRoom: async (room) => (await rooms.ensure(newRoom.parse(room), 'system')).room.id,
      close: () => (closing ??= closeAll()),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
};

const makeFirst = async (administrators: AdministratorsKeeper, first: ProvisioningOptions['firstAdministrator']): Promise<boolean> => {
  if (!first || Object.keys(administrators.state).length > 0) return false;
  const passwordHash = await hashSecret(first.password);
  const administrator = { id: randomBytes(8).toString('hex'), name: first.name, passwordHash, mustChangePassword: true };
  await administrators.act('system', () => ({ type: 'CreateAdministrator', administrator }));
  return true;
};

/** Telemetry needs names and the newest revision; it asks when it starts and hears of every change. */
const tellOfEstate = async (estate: EstateKeeper, bus: Bus): Promise<{ close(): Promise<void> }> => {
  const message = () => ({ topic: TOPICS.estate, key: 'estate', value: withoutPins(estate) });
  const tell = () =>
    void bus
      .publish(message())
      .catch((error: unknown) => logOf('provisioning').warn({ error }, 'telemetry was not told of the new configuration'));
  const stop = estate.listen(tell);
  const answering = await bus.subscribe(TOPICS.estateRequests, { group: 'provisioning' }, async () => message());
  tell();
  return {
    close: async () => {
      stop();
      await answering.close();
    },
  };
};

/** Nobody at management needs even the hashes; they go to sites only, over their own link. */
const withoutPins = ({ state }: EstateKeeper) => ({
  ...state,
  rooms: Object.fromEntries(Object.entries(state.rooms).map(([id, room]) => [id, { ...room, hostPinHash: null, guestPinHash: null }])),
});
