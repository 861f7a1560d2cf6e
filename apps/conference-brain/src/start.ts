import { Module, type DynamicModule } from '@nestjs/common';
import type { SiteId } from '@isthmus/kernel';
import type { Bus, Chance, Clock, EventStore, Peers, Signatures, Timers } from '@isthmus/ports';
import { startService, type Listen, type RunningService } from '@isthmus/service-kit';
import { BrainEdge } from './brain.edge.js';
import { Brain } from './brain.js';
import { serveDiagnostics } from './diagnostics.js';
import type { FollowEstate } from './estate-copy.js';
import { machineChance, machineTimers } from './machine.js';

export interface BrainOptions {
  readonly site: SiteId;
  /** Health only; commands come by the bus. */
  readonly listen: Listen;
  readonly bus: Bus;
  readonly store: EventStore;
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
  /** With the site's key. Left out, facts of third sites are neither offered to peers nor taken from them. */
  readonly signatures?: Signatures;
}

@Module({})
class BrainModule {
  static of(brain: Brain): DynamicModule {
    return { module: BrainModule, controllers: [BrainEdge], providers: [{ provide: Brain, useValue: brain }] };
  }
}

/** Starts a site's conference-brain: reads what it knows, links to its peers, then answers. */
export const startBrain = async (options: BrainOptions): Promise<RunningService> => {
  const brain = new Brain({ timers: machineTimers, chance: machineChance, ...options }, await options.store.beginEpoch());
  await brain.start();
  const service = await startService({
    name: 'conference-brain',
    module: BrainModule.of(brain),
    listen: options.listen,
    bus: options.bus,
    configure: (app) => serveDiagnostics(app, () => brain.digests()),
    checks: {
      store: async () => brain.storeTrouble ?? (await options.store.trouble?.()),
      'media-node': () => (brain.hasNodes ? undefined : 'no media node of this site has reported'),
    },
  });
  await brain.open();
  let closing: Promise<void> | undefined;
  const close = async () => {
    await service.close();
    await brain.close();
  };
  return { ...service, close: () => (closing ??= close()) };
};
