import { Fault } from '@isthmus/kernel';
import { startBot, type Bot, type BotOptions } from './bot.js';
import { makeClips } from './clips.js';
import { missingFromRosters, missingNow } from './assertions.js';
import { personaOf, PERSONAS } from './persona.js';
import { perform, roundOf, type Performance, type Script } from './script.js';

/** Fills a room with people who talk: what `isthmus demo start` does. */
export interface SiteToFill {
  readonly name: string;
  readonly gatewayUrl: string;
  /** How many sit here; default: `perSite`. */
  readonly count?: number;
}

export interface FillOptions extends Pick<BotOptions, 'hdKbps' | 'receive' | 'pin' | 'authority'> {
  readonly sites: readonly SiteToFill[];
  readonly alias: string;
  /** Participants at each site; default 2. */
  readonly perSite?: number;
  /** Who talks when, by name or by place in the order of joining; default: everybody once around. Repeated for ever. */
  readonly script?: Script;
  readonly onProgress?: (line: string) => void;
  /** Aborted while people still come, they all leave again and `fillRoom` rejects with the reason. */
  readonly signal?: AbortSignal;
}

export interface FilledRoom {
  readonly bots: readonly Bot[];
  /** What somebody should see or know and does not, as sentences; empty when all is well. */
  missing(): string[];
  /** Everybody stops talking and leaves. */
  leave(): Promise<void>;
}

/** Names stay apart when there are more people than personas. */
const nameOf = (n: number): string => {
  const { name } = personaOf(n);
  const round = Math.floor(n / PERSONAS.length);
  return round === 0 ? name : `${name} ${round + 1}`;
};

/** In turn from each site, so that the voice wanders between sites: New York, London, Cape Town, New York, … */
const seating = (sites: readonly SiteToFill[], perSite: number): SiteToFill[] => {
  const places: SiteToFill[] = [];
  const most = Math.max(...sites.map(({ count = perSite }) => count));
  for (let round = 0; round < most; round++) places.push(...sites.filter(({ count = perSite }) => round < count));
  return places;
};

/** At once, but not so many that a join waits for the handshakes of the others. */
const JOINING_AT_ONCE = 4;

export const fillRoom = async (options: FillOptions): Promise<FilledRoom> => {
  const { sites, alias, perSite = 2, onProgress = () => {}, script: wanted, hdKbps, receive, pin, authority, signal } = options;
  const places = seating(sites, perSite);
  if (places.length === 0) throw new Fault('bots.no-places', 'No site, or nobody at any: there is nothing to fill.');
  const personas = places.map((_place, n) => personaOf(n));
  for (const persona of personas.slice(0, PERSONAS.length)) {
    await makeClips([persona], { onProgress, ...(hdKbps !== undefined && { hdKbps }) });
    signal?.throwIfAborted();
  }

  const bots: Bot[] = [];
  const leaveAll = async (): Promise<void> => void (await Promise.all(bots.map((bot) => bot.leave())));
  try {
    for (let at = 0; at < places.length; at += JOINING_AT_ONCE) {
      const joining = places.slice(at, at + JOINING_AT_ONCE).map(async ({ gatewayUrl, name: site }, i) => {
        const n = at + i;
        const bot = await startBot({
          gatewayUrl,
          alias,
          name: nameOf(n),
          persona: personas[n]!,
          ...(hdKbps !== undefined && { hdKbps }),
          ...(receive && { receive }),
          ...(pin !== undefined && { pin }),
          ...(authority && { authority }),
          onNotice: (code, message) => onProgress(`${nameOf(n)}: ${code}: ${message}`),
          onEnded: (reason) => onProgress(`${nameOf(n)} is no longer in the meeting: ${reason}`),
        });
        bots[n] = bot;
        onProgress(`${bot.name} sits in ${site}`);
      });
      const failed = (await Promise.allSettled(joining)).find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
      signal?.throwIfAborted();
    }
  } catch (error) {
    await Promise.all(Object.values(bots).map((bot) => bot.leave()));
    throw error;
  }

  const script = wanted ?? roundOf(bots.map(({ name }) => name));
  const performance: Performance = perform(script, bots, { repeat: true });
  return {
    bots,
    missing: () => [...missingFromRosters(bots), ...missingNow(bots)],
    async leave() {
      performance.stop();
      await leaveAll();
    },
  };
};
