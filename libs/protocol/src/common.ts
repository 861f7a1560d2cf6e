import { z } from 'zod';
import type { ConferenceId, LegId, PersonId } from '@isthmus/conference';
import type { NodeId } from '@isthmus/placement';
import type { SiteId } from '@isthmus/kernel';

/** Longest WebSocket message that anyone accepts, bytes. */
export const MESSAGE_BYTES_MAX = 64 * 1024;
/** The one version of the client protocols that exists so far. */
export const PROTOCOL_VERSION = 1;

const id = <T>(max: number) =>
  z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]*$/)
    .max(max) as unknown as z.ZodType<T, string>;
export const siteId = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/) as unknown as z.ZodType<SiteId, string>;
export const nodeId = id<NodeId>(64);
export const legId = id<LegId>(64);
export const conferenceId = id<ConferenceId>(64);
export const personId = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\x21-\x7e]+$/) as unknown as z.ZodType<PersonId, string>;
/** W3C Trace Context. */
export const traceparent = z.string().regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
/** A name a person typed: trimmed, 1 to 60 characters, no control or bidirectional-override characters. */
export const displayName = z
  .string()
  .trim()
  .min(1)
  .max(60)
  .regex(/^[^\p{Cc}\u202a-\u202e\u2066-\u2069]+$/u);
export const version = z.object({ epoch: z.int().min(0), revision: z.int().min(0) });
/** What mediasoup and mediasoup-client exchange; each of them checks it itself, we bound its size and depth only. */
export const opaque = z.record(z.string(), z.unknown());
export type Opaque = z.infer<typeof opaque>;
