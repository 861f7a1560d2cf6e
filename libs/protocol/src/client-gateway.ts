import { z } from 'zod';
import type { ConferenceId, LegId, Role, Stage } from '@isthmus/conference';
import type { SiteId } from '@isthmus/kernel';
import { displayName, legId, personId, PROTOCOL_VERSION, siteId, traceparent, type Opaque } from './common.js';

/**
 * The WebSocket between a client (browser, bot) and the gateway-router, at `/ws`. JSON text frames. Every request carries
 * `v` and an `id` greater than the one before; each is answered exactly once (`ok`, `joined`, `pin-needed`, `waiting`,
 * `refused`, with `re` = id). `waiting` is followed later by `joined` or `refused` with the same `re`.
 */
const head = { v: z.literal(PROTOCOL_VERSION), id: z.int().min(1) };

export const join = z.object({
  ...head,
  type: z.literal('join'),
  /** Room alias, or the name part of a link. */
  alias: z.string().trim().min(1).max(128),
  name: displayName,
  pin: z.string().max(32).optional(),
  /** Stays the same for this client on this device: the person. */
  client: personId,
  /** How often this client has connected: of two connections of one client the higher count stays (merge rule 10). */
  connect: z.int().min(1),
  /** From an earlier `joined`: back into the same seat. */
  resume: z.string().max(128).optional(),
  muted: z.boolean().default(false),
  cameraOff: z.boolean().default(false),
  /** The leg of this client at a site that is to end, if it comes from there: it keeps that one until it leaves it ({@link MoveOffer}). */
  from: legId.exactOptional(),
  traceparent: traceparent.optional(),
});

/**
 * How somebody who is in comes into the same meeting at another site, by themself (ADR 0090). The client takes a seat there with the
 * PIN that it remembers, and `from`; it leaves the old one when media come by the new one, and otherwise stays where it is.
 */
export const moveOffer = z.object({
  v: z.literal(1),
  /** When to begin, ms from now: people go one after the other. */
  afterMs: z.int().min(0).max(3_600_000),
  /** Sites in the order in which to try them. A client takes only ways as safe as the one that it came by: HTTPS if that was. */
  ways: z
    .array(
      z.object({
        site: siteId,
        name: z.string().min(1).max(128),
        /** Where the site's page is; its WebSocket is at `/ws` of the same origin. */
        url: z.url({ protocol: /^https?$/ }).max(512),
      }),
    )
    .min(1)
    .max(8),
});
export type MoveOffer = z.infer<typeof moveOffer>;

/**
 * The WebSocket of a way, or undefined if a client that came by `gatewayUrl` does not take it: a PIN that was typed into a page that came by
 * HTTPS is said to nobody else in the clear.
 */
export const gatewayOfWay = (way: { readonly url: string }, gatewayUrl: string): string | undefined => {
  if (!URL.canParse(way.url) || !URL.canParse(gatewayUrl)) return undefined;
  const { protocol, host } = new URL(way.url);
  if (protocol === 'https:') return `wss://${host}/ws`;
  return protocol === 'http:' && /^(ws|http):$/.test(new URL(gatewayUrl).protocol) ? `ws://${host}/ws` : undefined;
};

export const act = z.discriminatedUnion('type', [
  z.object({ type: z.literal('mute'), leg: legId }),
  z.object({ type: z.literal('unmute'), leg: legId }),
  z.object({ type: z.literal('camera-off'), leg: legId }),
  z.object({ type: z.literal('camera-on'), leg: legId }),
  z.object({ type: z.literal('mute-all-guests') }),
  z.object({ type: z.literal('lock') }),
  z.object({ type: z.literal('unlock') }),
  z.object({ type: z.literal('remove'), leg: legId }),
  z.object({ type: z.literal('admit'), leg: legId }),
  z.object({ type: z.literal('reject'), leg: legId }),
  z.object({ type: z.literal('make-host'), leg: legId }),
  z.object({ type: z.literal('make-guest'), leg: legId }),
  z.object({ type: z.literal('end-for-all') }),
]);
export type Act = z.infer<typeof act>;

export const clientToGateway = z.discriminatedUnion('type', [
  join,
  z.object({ ...head, type: z.literal('act'), act }),
  z.object({ ...head, type: z.literal('leave') }),
  /** Once, after the first remote frame was drawn: closes the trace that began with the click. Times in ms since 1970. */
  z.object({
    ...head,
    type: z.literal('first-frame'),
    clickedAt: z.number(),
    shownAt: z.number(),
    /** Named moments between the two, for the trace. */
    marks: z.record(z.string().max(40), z.number()).default({}),
  }),
]);
export type ClientToGateway = z.infer<typeof clientToGateway>;
export type JoinRequest = z.infer<typeof join>;

/** Somebody in the roster, as one participant is told of them. */
export interface RosterEntry {
  readonly leg: LegId;
  readonly name: string;
  readonly site: SiteId;
  readonly role: Role;
  readonly muted: false | 'self' | 'host';
  readonly cameraOff: boolean;
  readonly inReach: boolean;
  /** That is you. */
  readonly you: boolean;
}

/** The meeting as one participant is told of it; always whole, never a change. */
export interface MeetingView {
  readonly revision: number;
  readonly roster: readonly RosterEntry[];
  readonly stage: Stage;
  readonly floor: LegId | null;
  readonly locked: boolean;
  /** You yourself wait for a host to admit you although your call is up. */
  readonly held: boolean;
  /** Why, if you are held: the room was locked, or its PIN changed, while your site could not know. */
  readonly heldFor?: 'lock' | 'pin';
  /** For hosts: sites of another meeting of this room that stays apart, as one of the two is locked. */
  readonly besides?: readonly SiteId[];
  /** For hosts: who waits at the door. Empty for guests. */
  readonly waiting: readonly { readonly leg: LegId; readonly name: string; readonly reason: 'host' | 'lock' | 'pin' }[];
}

export type EndReason = 'left' | 'removed' | 'ended' | 'replaced' | 'rejected' | 'room-disabled' | 'node-lost' | 'timeout';

export type GatewayToClient =
  /** First, unasked. `rtpCapabilities` lets a client prepare its device before anyone clicks. */
  | {
      readonly type: 'welcome';
      readonly v: 1;
      readonly site: SiteId;
      readonly siteName: string;
      /** What people call each site, by id: to say who is out of reach. */
      readonly sites?: Readonly<Record<string, string>>;
      readonly rtpCapabilities: Opaque;
      /** Where a seat would most likely be now: a page may open its connection there before anyone clicks. `joined` has the last word. */
      readonly media?: string;
    }
  | { readonly type: 'ok'; readonly re: number }
  | { readonly type: 'refused'; readonly re: number; readonly code: string; readonly message: string }
  | { readonly type: 'pin-needed'; readonly re: number }
  | { readonly type: 'waiting'; readonly re: number; readonly reason: 'host' | 'lock' }
  | {
      readonly type: 'joined';
      readonly re: number;
      readonly leg: LegId;
      readonly conference: ConferenceId;
      readonly room: string;
      readonly role: Role;
      readonly resume: string;
      /** Where and with what to attach for media: see client-media.ts. */
      readonly media: { readonly url: string; readonly token: string };
      readonly view: MeetingView;
    }
  | { readonly type: 'view'; readonly view: MeetingView }
  /** The seat moved to another node; attach there. */
  | { readonly type: 'media'; readonly media: { readonly url: string; readonly token: string } }
  /** Something a person should be told once. With `move`, only if the move comes to nothing. */
  | { readonly type: 'notice'; readonly code: string; readonly message: string; readonly move?: MoveOffer }
  /** The seat is gone; the server closes the socket after this. Only `node-lost` and `timeout` are worth a new join. */
  | { readonly type: 'ended'; readonly reason: EndReason; readonly message: string };
