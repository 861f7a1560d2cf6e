import type { ConferenceStatus, Status } from '@isthmus/protocol';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export const kbps = (value: number): string => `${whole.format(value)} kbit/s`;
export const number = (value: number): string => whole.format(value);
export const units = (value: number): string => tenths.format(value);
export const share = (value: number): string => `${whole.format(value * 100)} %`;

interface Streams {
  readonly large: number;
  readonly small: number;
  readonly voices: number;
}
interface Rates {
  readonly videoKbps: number;
  readonly audioKbps: number;
  readonly rtcpKbps: number;
}

export const allOf = ({ videoKbps, audioKbps, rtcpKbps }: Rates): number => videoKbps + audioKbps + rtcpKbps;

/** The way the white paper writes it: `1 HD + 2 T`. */
export const streams = ({ large, small }: Streams): string =>
  [...(large > 0 ? [`${large} HD`] : []), ...(small > 0 ? [`${small} T`] : [])].join(' + ') || 'no video';

export const voices = ({ voices: count }: Streams): string => (count === 1 ? '1 voice' : `${count} voices`);

export type Crossing = Streams & Rates & { readonly from: string; readonly to: string };

/** What crosses from each site to each other, all conferences together or only the one of interest. */
export const crossingsOf = (conferences: readonly ConferenceStatus[]): readonly Crossing[] => {
  const sums = new Map<string, Crossing>();
  for (const { links } of conferences) {
    for (const link of links) {
      const key = `${link.from}>${link.to}`;
      const before = sums.get(key);
      sums.set(key, {
        from: link.from,
        to: link.to,
        large: (before?.large ?? 0) + link.large,
        small: (before?.small ?? 0) + link.small,
        voices: (before?.voices ?? 0) + link.voices,
        videoKbps: (before?.videoKbps ?? 0) + link.videoKbps,
        audioKbps: (before?.audioKbps ?? 0) + link.audioKbps,
        rtcpKbps: (before?.rtcpKbps ?? 0) + link.rtcpKbps,
      });
    }
  }
  return [...sums.values()];
};

export const participantsIn = ({ conferences }: Status): number => conferences.reduce((sum, { seats }) => sum + seats.length, 0);
export const nodesIn = ({ sites }: Status): number => sites.reduce((sum, { nodes }) => sum + nodes.length, 0);

/** Names of sites, for what refers to them by id. */
export const siteNames = ({ sites }: Status): ((site: string) => string) => {
  const names = new Map(sites.map(({ site, name }) => [site as string, name]));
  return (site) => names.get(site) ?? site;
};

export const duration = (ms: number): string => {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 1) return 'under a minute';
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};
export const ago = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  return `${duration(ms)} ago`;
};

const NOTHING = {
  'one-site': 'One MCU would need no link either: everybody is at one site.',
  apart: 'Its sites cannot reach each other: one MCU would have lost everybody but those at its own.',
  'not-yet': 'No video crosses between sites yet.',
} as const;

/** What to say of savings: how much less crosses, or more, or that there is nothing to compare with. */
export const savedWords = ({ percent, nothing }: ConferenceStatus['savings']): { readonly figure: string; readonly words: string } => {
  if (percent === null) return { figure: '–', words: NOTHING[nothing ?? 'not-yet'] };
  const rounded = Math.round(percent);
  return rounded >= 0
    ? { figure: `${rounded} %`, words: 'less video between sites than with one MCU' }
    : { figure: `${-rounded} %`, words: 'more video between sites than with one MCU' };
};
