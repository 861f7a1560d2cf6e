import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module, type DynamicModule } from '@nestjs/common';
import type { SiteId } from '@isthmus/kernel';
import type { Bus, Chance, Clock, EventStore, Peers, Signatures, Timers } from '@isthmus/ports';
import { logOf, startService, type Listen, type RunningService } from '@isthmus/service-kit';
import { BrainEdge } from './brain.edge.js';
import { Brain } from './brain.js';
import { serveDiagnostics } from './diagnostics.js';
import type { FollowEstate } from './estate-copy.js';
import { Incumbent } from './incumbent.js';
import { machineChance, machineTimers } from './machine.js';
import type { SnapshotSettings } from './snapshot-keeper.js';

export interface BrainOptions {
  readonly site: SiteId;
  /** Health only; commands come by the bus. */
  readonly listen: Listen;
  readonly bus: Bus;
  readonly store: EventStore;
  /** Where the store is shared, links that can be opened again: only one of the brains of a site has them open. */
  readonly peers: Peers;
  /** Left out, the site lives on the copy of the estate that it has. */
  readonly followEstate?: FollowEstate;
  readonly clock: Clock;
  /** How long a site may be silent before it is written off; 12 hours if left out. */
  readonly writeOffAfterMs?: number;
  /** Left out, the machine's own. */
  readonly timers?: Timers;
  readonly chance?: Chance;
  /** 32 secret bytes that make resume words; kept with the site, they outlive this process. Left out, words die with it. */
  readonly resumeKey?: Uint8Array;
  /** When snapshots are kept; left out, as suits production. */
  readonly snapshots?: SnapshotSettings;
  /** With the site's key. Left out, facts of third sites are neither offered to peers nor taken from them. */
  readonly signatures?: Signatures;
}

const NAME = 'conference-brain';
const AGAIN_MS = 1_000;

@Module({})
class BrainModule {
  static of(incumbent: Incumbent): DynamicModule {
    return { module: BrainModule, controllers: [BrainEdge], providers: [{ provide: Incumbent, useValue: incumbent }] };
  }
}

/** Starts a site's conference-brain: reads what it knows, links to its peers, then answers. */
export const startBrain = async (options: BrainOptions): Promise<RunningService> => {
  const { store, bus, listen, chance = machineChance } = options;
  const parts = { timers: machineTimers, chance, resumeKey: chance.bytes(32), ...options };
  let closed = false;

  const begin = async (): Promise<Brain> => {
    const brain: Brain = new Brain({ ...parts, ousted: () => void beginAnew(brain) }, await store.beginEpoch());
    await brain.start();
    return brain;
  };
  /** Frozen or cut off, it was given up, and others have what it had: it comes back as another one. */
  const beginAnew = async (former: Brain): Promise<void> => {
    if (closed || incumbent.brain !== former || former.isClosed) return;
    const log = logOf(NAME);
    log.warn('the other brains of this site have taken over what this one had; it begins anew');
    await former.close().catch((error: unknown) => log.warn({ error }, 'the former brain did not close cleanly'));
    while (!closed) {
      try {
        const brain = await begin();
        incumbent.brain = brain;
        return await brain.open();
      } catch (error) {
        if (incumbent.brain !== former) await incumbent.brain.close().catch(() => undefined);
        log.warn({ error }, 'a new brain cannot begin yet; it is tried again');
        await sleep(AGAIN_MS, undefined, { ref: false });
      }
    }
  };

  const incumbent = new Incumbent(await begin());
  const service = await startService({
    name: NAME,
    module: BrainModule.of(incumbent),
    listen,
    bus,
    // Where several share a site, each hears everything, and the one that decides a room answers.
    ...(store.sharing === undefined ? {} : { group: `${NAME}-${randomUUID()}` }),
    configure: (app) => serveDiagnostics(app, () => incumbent.brain.digests()),
    checks: {
      store: async () => incumbent.brain.storeTrouble ?? (await store.trouble?.()),
      'media-node': () => (incumbent.brain.hasNodes ? undefined : 'no media node of this site has reported'),
      ...(store.sharing === undefined ? {} : { brains: () => incumbent.brain.fellowshipTrouble }),
    },
  });
  await incumbent.brain.open();
  let closing: Promise<void> | undefined;
  const close = async () => {
    closed = true;
    await service.close();
    await incumbent.brain.close();
  };
  return { ...service, close: () => (closing ??= close()) };
};
