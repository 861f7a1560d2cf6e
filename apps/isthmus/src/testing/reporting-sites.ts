import { randomUUID } from 'node:crypto';
import type { Bus } from '@isthmus/ports';
import { telemetryBatch, TOPICS } from '@isthmus/protocol';

/** Who is in at one site, on which of its nodes. */
export interface Present {
  readonly name: string;
  readonly node: string;
  readonly muted?: boolean;
}
export interface Meeting {
  readonly conference: string;
  readonly room: string;
  readonly present: Readonly<Record<string, readonly Present[]>>;
  /** `site-name` of who speaks. */
  readonly floor: string | null;
  /** Streams open per directed link, `nyc>lon`. */
  readonly crossings: Readonly<Record<string, { readonly large: number; readonly small: number; readonly voices: number }>>;
}
export interface ReportedSite {
  readonly nodes: readonly string[];
  /** Sites that it says it cannot reach. */
  readonly cutFrom?: readonly string[];
  /** Share of its cores in use. */
  readonly cpu?: number;
}
interface Reported {
  readonly sites: Readonly<Record<string, ReportedSite>>;
  readonly meetings: readonly Meeting[];
  readonly estateRevision: () => number;
}

const EVERY_MS = 1_000;
const CAPACITY = 20;
/** Bytes per second of what the bots send, with headers. */
const BYTES = { large: 190_000, small: 16_000, voice: 5_000, rtcp: 700 } as const;

export const legOf = (site: string, name: string): string => `${site}-${name.toLowerCase()}`;

/**
 * Sites that report to a management node, as its door for sites brings their batches to the bus: node loads, seats, and
 * byte counters that grow as the streams that are open make them grow.
 */
export const reportingSites = (bus: Bus, { sites, meetings, estateRevision }: Reported): { close(): void } => {
  const run = randomUUID();
  const began = performance.now();
  let number = 0;
  const tell = (): void => {
    for (const [site, reported] of Object.entries(sites)) {
      const at = Date.now();
      const seconds = (performance.now() - began) / 1_000;
      const batch = {
        site,
        run,
        number,
        sentAt: at,
        report: {
          site,
          estateRevision: estateRevision(),
          links: Object.keys(sites)
            .filter((other) => other !== site)
            .map((other) =>
              reported.cutFrom?.includes(other)
                ? { site: other, up: false, reason: 'the link does not answer' }
                : { site: other, up: true, rttMs: 70 + other.length },
            ),
          conferences: meetings.flatMap((meeting) => conferenceAt(site, meeting)),
          at,
        },
        nodes: reported.nodes.map((node, index) => ({
          node,
          site,
          clientUrl: 'ws://reported',
          linkUrl: 'wss://reported',
          rtpCapabilities: { codecs: [] },
          capacity: CAPACITY,
          legs: meetings.reduce((sum, { present }) => sum + (present[site] ?? []).filter((one) => one.node === node).length, 0),
          cpu: reported.cpu ?? 0.1,
          draining: false,
          // The first node of a site is the one that its crossings leave by.
          pipes: index === 0 ? meetings.flatMap((meeting) => pipesFrom(site, meeting, seconds)) : [],
          at,
        })),
        facts: {},
        dropped: 0,
      };
      void bus.publish({ topic: TOPICS.batches, key: site, value: telemetryBatch.parse(batch) });
    }
    number += 1;
  };
  tell();
  const timer = setInterval(tell, EVERY_MS);
  return { close: () => clearInterval(timer) };
};

const conferenceAt = (site: string, { conference, room, present, floor, crossings }: Meeting): readonly object[] => {
  const here = present[site] ?? [];
  if (here.length === 0) return [];
  return [
    {
      conference,
      room,
      seats: here.map(({ name, node, muted = false }) => ({ leg: legOf(site, name), name, node, muted })),
      floor,
      locked: false,
      crossings: Object.entries(crossings)
        .filter(([way]) => way.startsWith(`${site}>`))
        .map(([way, { large, small }]) => ({ to: way.split('>')[1], large, small })),
    },
  ];
};

const pipesFrom = (site: string, { room, crossings }: Meeting, seconds: number): readonly object[] =>
  Object.entries(crossings)
    .filter(([way]) => way.startsWith(`${site}>`))
    .map(([way, { large, small, voices }]) => ({
      // Between nodes media goes by the room: it stays the same when a split meeting becomes one again.
      conference: room,
      toSite: way.split('>')[1],
      toNode: `${way.split('>')[1] ?? ''}-1`,
      sent: {
        videoBytes: Math.round(seconds * (large * BYTES.large + small * BYTES.small)),
        audioBytes: Math.round(seconds * voices * BYTES.voice),
        rtcpBytes: Math.round(seconds * BYTES.rtcp),
      },
      received: { videoBytes: 0, audioBytes: 0, rtcpBytes: 0 },
      large,
      small,
      voices,
    }));
