import { z } from 'zod';
import { conferenceId, legId, nodeId, siteId } from './common.js';

/**
 * The estate as it runs at one moment, across all sites: what Live View draws. Telemetry on the management node makes it
 * from what sites report; `GET /v1/status` answers one, `GET /v1/status/stream` sends one at most each second. Always
 * whole, never a change. Rates are means over the last seconds, RTP payload and header bytes; times are ms since 1970.
 */

/** Thumbnails count at most this much of an HD stream (white paper S13). */
export const THUMBNAIL_UNITS = 0.1;

const rates = {
  videoKbps: z.number(),
  audioKbps: z.number(),
  rtcpKbps: z.number(),
};

export const alarmCode = z.enum([
  'connectivity_lost',
  'site_silent',
  'node_silent',
  'capacity_warning',
  'capacity_exhausted',
  'configuration_out_of_date',
  'clock_wrong',
  'restarts_exhausted',
  'stream_forked',
  'history_lost',
  'peer_poison',
]);
export type AlarmCode = z.infer<typeof alarmCode>;

/** Something that somebody should look at. It clears itself when its cause is gone. */
export const alarm = z.object({
  /** Stays the same while the alarm stands: `connectivity_lost:nyc:lon`. */
  id: z.string(),
  code: alarmCode,
  level: z.enum(['warning', 'error']),
  /** For a person: what, where, and what it means. */
  message: z.string(),
  site: siteId.optional(),
  /** The other end of a link. */
  peer: siteId.optional(),
  node: nodeId.optional(),
  raisedAt: z.number(),
});
export type Alarm = z.infer<typeof alarm>;

export const nodeStatus = z.object({
  node: nodeId,
  up: z.boolean(),
  /** Share of one core, mean of its workers, 0 to 1. */
  cpu: z.number(),
  legs: z.int(),
  capacity: z.int(),
  /** Nobody new comes there, and who is there is given another node: it was told to stop, or an administrator said so. */
  draining: z.boolean(),
  /** And nobody is there any more. */
  drained: z.boolean(),
});

export const siteStatus = z.object({
  site: siteId,
  name: z.string(),
  /** Telemetry hears from it. */
  up: z.boolean(),
  lastHeardAt: z.number().nullable(),
  /** Revision of the estate that the site goes by; null before its first report. */
  configurationVersion: z.int().nullable(),
  nodes: z.array(nodeStatus),
  alarms: z.array(alarm),
});

/** One direction of one conference between two sites. */
export const conferenceLink = z.object({
  from: siteId,
  to: siteId,
  /** Streams open now. */
  large: z.int(),
  small: z.int(),
  voices: z.int(),
  ...rates,
  /** Video in HD-units (HD = 1, thumbnail = 0.1): what crosses, and what would cross with one MCU. */
  units: z.number(),
  mcuUnits: z.number(),
});

/** What distributing saves against one MCU at the site with most participants, video only, all directed links added up. */
export const savings = z.object({
  /** Where that one MCU would stand; null while nobody is in. */
  mcuSite: siteId.nullable(),
  mcuUnits: z.number(),
  isthmusUnits: z.number(),
  /** 60 means: 60 % less crosses. Null while there is nothing to compare; `nothing` says why. */
  percent: z.number().nullable(),
  /**
   * Everybody is at one site, and one MCU would need no link either; sites that are in it cannot reach each other, so that one
   * MCU could not serve them; or no stream is open yet.
   */
  nothing: z.enum(['one-site', 'apart', 'not-yet']).nullable(),
  /** The same in kbit/s: ours as measured, the MCU's in HD streams of the bit rate that ours have. */
  mcuKbps: z.number(),
  isthmusKbps: z.number(),
});

export const conferenceStatus = z.object({
  id: conferenceId,
  /** Room id, and what people call it. */
  room: z.string(),
  name: z.string(),
  /** When telemetry first heard of it. */
  startedAt: z.number(),
  seats: z.array(z.object({ leg: legId, name: z.string(), site: siteId, node: nodeId.nullable(), muted: z.boolean() })),
  floor: legId.nullable(),
  locked: z.boolean(),
  /** Its sites, those that reach each other together, and who has the floor there: one side while nothing is split. */
  sides: z.array(z.object({ sites: z.array(siteId), floor: legId.nullable() })),
  links: z.array(conferenceLink),
  savings,
});
export type ConferenceStatus = z.infer<typeof conferenceStatus>;

/** One direction between two sites: is it up as `from` sees it, and what crosses it in all. */
export const linkStatus = z.object({
  from: siteId,
  to: siteId,
  up: z.boolean(),
  /** Why it is down, for a person. */
  reason: z.string().optional(),
  rttMs: z.number().nullable(),
  ...rates,
});

export const status = z.object({
  at: z.number(),
  /** The estate's newest revision, against which sites are compared; null while unknown. */
  configurationVersion: z.int().nullable(),
  sites: z.array(siteStatus),
  conferences: z.array(conferenceStatus),
  links: z.array(linkStatus),
  /** The sites that reach each other, directly or through others, together: one group while nothing is split. */
  components: z.array(z.array(siteId)),
  /** All that stand, the newest first; those of a site are in `sites[].alarms` too. */
  alarms: z.array(alarm),
});
export type Status = z.infer<typeof status>;
