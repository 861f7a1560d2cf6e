import { z } from 'zod';
import type { ConferenceView, LegId, Role } from '@isthmus/conference';
import type { NodeDesire } from '@isthmus/placement';
import { act } from './client-gateway.js';
import { conferenceId, displayName, legId, nodeId, opaque, personId, siteId, version } from './common.js';

/** What services of one site say to each other, by topic. */
export const TOPICS = {
  /** Asked by the gateway-router, answered by the conference-brain. Key: room id. */
  commands: 'isthmus.conference.commands',
  /** Published by each brain of a site for the others, where several share its conferences. Key: the brain. Value: `BrainWord`. */
  brains: 'isthmus.conference.brains',
  /** Published by the brain after each fact is durable. Key: conference id. Value: {@link FactPublished}. */
  facts: 'isthmus.conference.facts',
  /** Published by the brain whenever the meeting as this site sees it has changed. Key: conference id. Value: ConferenceView. */
  views: 'isthmus.conference.views',
  /** Published by the brain: what a node should be doing. Key: node id. Value: NodeDesire. */
  desires: 'isthmus.media.desires',
  /** Published by media nodes. Key: conference id. Value: {@link MediaEvent}. */
  mediaEvents: 'isthmus.media.events',
  /** Published by each media node every second and when something changed. Key: node id. Value: {@link NodeReport}. */
  nodes: 'isthmus.media.nodes',
  /** Published by whoever sees a media node end, so that nobody has to wait for its silence. Key: node id. Value: {@link NodeLoss}. */
  nodeLosses: 'isthmus.media.losses',
  /** Published by the brain when a node reports that an administrator has removed. Key: node id. Value: {@link NodeDismissal}. */
  nodeDismissals: 'isthmus.media.dismissals',
  /** Published by whoever follows the estate at this site. Key: `estate`. Value: the estate as a whole (libs/estate `Estate` as JSON). */
  estate: 'isthmus.estate.states',
  /** Asked by a service that starts: the estate as it stands. Answered by the brain. */
  estateRequests: 'isthmus.estate.requests',
  /** Published by the brain every second and on change. Key: site. Value: {@link SiteReport}. */
  sites: 'isthmus.site.reports',
  /** At management: what a site's telemetry sent, as the door for sites let it in. Key: site. Value: `TelemetryBatch`. */
  batches: 'isthmus.telemetry.batches',
  /** At management: published by whoever supervises processes. Key: the process. Value: {@link Supervision}. */
  supervision: 'isthmus.supervision.states',
  /** At management: published by telemetry at most each second. Key: `status`. Value: `Status`. */
  statuses: 'isthmus.telemetry.statuses',
  /** At management: asked by whoever has no status yet; answered by telemetry with a `Status`. */
  statusRequests: 'isthmus.telemetry.requests',
} as const;

/** Gateway-router to brain. PINs stay at the gateway-router: it has checked them, and says the role that was proved. */
export const brainCommand = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('Join'),
    room: z.string().min(1).max(64),
    person: personId,
    name: displayName,
    role: z.enum(['host', 'guest']),
    /** Which generation of the role's PIN was proved; 0 if the room has never had one. */
    proof: z.int().min(0).optional(),
    connect: z.int().min(1),
    resume: z.string().max(128).optional(),
    /** The leg to come in as, made by whoever asks, so that asking again is once; left out, the brain makes one. */
    leg: legId.optional(),
    muted: z.boolean(),
    cameraOff: z.boolean(),
    /** The leg of the same person that is left for this one, at a site that is to end. */
    from: legId.exactOptional(),
  }),
  z.object({ type: z.literal('Act'), room: z.string(), leg: legId, act }),
  z.object({ type: z.literal('Leave'), room: z.string(), leg: legId }),
  /** A gateway-router that was started anew asks whom a resume word is of; the word is as good as the PIN it was given for. */
  z.object({ type: z.literal('Recall'), room: z.string(), person: personId, resume: z.string().max(128) }),
  /** To a brain that was started anew: this leg is still answered for. */
  z.object({ type: z.literal('Confirm'), room: z.string(), leg: legId }),
]);
export type BrainCommand = z.infer<typeof brainCommand>;

export type BrainAnswer =
  | {
      readonly type: 'Joined';
      readonly leg: LegId;
      readonly conference: string;
      readonly role: Role;
      readonly resume: string;
      readonly media: { readonly url: string; readonly token: string };
      readonly view: ConferenceView;
    }
  /** At the door; the view says when the leg is in (it appears in `seats`) or turned away (it disappears from `waiting`). */
  | {
      readonly type: 'Waiting';
      readonly leg: LegId;
      readonly conference: string;
      readonly reason: 'host' | 'lock';
      readonly resume: string;
      readonly view: ConferenceView;
    }
  | { readonly type: 'Recalled'; readonly role: Role; readonly connect: number }
  | { readonly type: 'Done' };

/** A view as published, with what gateways must do besides showing it. */
export interface ViewPublished {
  readonly view: ConferenceView;
  /** Legs of this site whose seat has ended since the last view, and why. */
  readonly ended: readonly {
    readonly leg: LegId;
    readonly reason: 'left' | 'removed' | 'ended' | 'replaced' | 'rejected' | 'room-disabled';
  }[];
  /** Legs of this site that were let in, or moved: where to attach. */
  readonly attach: readonly { readonly leg: LegId; readonly media: { readonly url: string; readonly token: string } }[];
  /** What a person should be told once. */
  readonly notices: readonly { readonly leg: LegId; readonly code: string; readonly message: string }[];
}

/** What a media node checks before it believes a desire. The types are {@link NodeDesire}'s. */
export const nodeDesire = z.object({
  node: nodeId,
  conference: conferenceId,
  room: z.string().max(128),
  version,
  legs: z
    .array(
      z.object({
        leg: legId,
        tokenHash: z.string().regex(/^[0-9a-f]{64}$/),
        stage: z.object({ main: legId.nullable(), thumbnails: z.array(legId).max(64) }),
        hears: z.array(legId).max(2_048),
        may: z.object({ speak: z.boolean(), show: z.boolean() }),
        watched: z.object({ large: z.boolean(), small: z.boolean() }),
      }),
    )
    .max(2_048),
  pipes: z
    .array(
      z.object({
        to: z.object({ site: siteId, node: nodeId, url: z.string().max(256) }),
        sends: z.array(z.object({ leg: legId, large: z.boolean(), small: z.boolean(), voice: z.boolean() })).max(2_048),
      }),
    )
    .max(256),
  intermediary: z.boolean(),
  /** Several brains share the rooms of the site, each under a tenure of its own: the newest of this room counts, not of all. */
  shared: z.boolean().optional(),
}) satisfies z.ZodType<NodeDesire>;
export type Desired = NodeDesire;

export const mediaEvent = z.discriminatedUnion('type', [
  /** The intermediary's detector: this leg of our site is the dominant speaker now. Said again while it stays so (at most every 1.5 s). */
  z.object({ type: z.literal('Spoke'), conference: conferenceId, leg: legId, node: nodeId }),
  z.object({ type: z.literal('Attached'), conference: conferenceId, leg: legId, node: nodeId }),
  z.object({ type: z.literal('Detached'), conference: conferenceId, leg: legId, node: nodeId }),
  /** The node cannot do what it should (worker died, pipe refused). */
  z.object({ type: z.literal('Trouble'), conference: conferenceId, node: nodeId, code: z.string(), message: z.string() }),
]);
export type MediaEvent = z.infer<typeof mediaEvent>;

const traffic = z.object({ videoBytes: z.number(), audioBytes: z.number(), rtcpBytes: z.number() });
export const nodeReport = z.object({
  node: nodeId,
  site: siteId,
  /** Where clients attach (`ws://…/media`), and where other nodes pipe (`wss://…`). */
  clientUrl: z.string(),
  linkUrl: z.string(),
  rtpCapabilities: opaque,
  /** Most legs it takes, and how many it has. */
  capacity: z.int().min(0),
  legs: z.int().min(0),
  /** Share of one core that its workers used in the last second, 0 to 1 each. */
  cpu: z.number(),
  draining: z.boolean(),
  /**
   * What runs, by the room: legs whose clients are attached, which a brain that was started anew leaves where they are, and the
   * tenure of the brain that last wanted it.
   */
  holds: z
    .array(z.object({ conference: conferenceId, legs: z.array(legId).max(2_048), epoch: z.int().min(0).optional() }))
    .max(4_096)
    .optional(),
  /** Nodes of other sites that it is linked with, or was until their media packets ceased to come, and whether those come. */
  hears: z
    .array(z.object({ site: siteId, node: nodeId, media: z.boolean() }))
    .max(1_024)
    .optional(),
  /** Since the process began, per conference and directed pipe, counted by mediasoup; RTP payload + header bytes. */
  pipes: z.array(
    z.object({
      /** As desires name it: by the room (ADR 0007). */
      conference: conferenceId,
      toSite: siteId,
      toNode: nodeId,
      sent: traffic,
      received: traffic,
      /** Streams open now. */
      large: z.int(),
      small: z.int(),
      voices: z.int(),
    }),
  ),
  at: z.number(),
});
export type NodeReport = z.infer<typeof nodeReport>;

/** What the estate says against single media nodes: the part of it that goes to every service that deals with nodes (ADR 0072). */
export const nodeWords = z.record(z.string(), z.object({ site: siteId, state: z.enum(['draining', 'removed']), since: z.int() }));

export const nodeLoss = z.object({ node: nodeId });
export type NodeLoss = z.infer<typeof nodeLoss>;

/** `at`: of the report that it answers, by the node's own clock, so that what lay on a broker for long tells nobody anything. */
export const nodeDismissal = z.object({ node: nodeId, at: z.number() });
export type NodeDismissal = z.infer<typeof nodeDismissal>;

/** What became of a supervised process that kept ending: it was left as it is, or runs again after all. */
export const supervision = z.object({
  /** For people: `site New York`. */
  part: z.string().min(1).max(128),
  state: z.enum(['given-up', 'running']),
  /** How often it ended, within how long. */
  endings: z.int().min(1),
  withinMs: z.number(),
  site: siteId.optional(),
  node: nodeId.optional(),
});
export type Supervision = z.infer<typeof supervision>;

export interface FactPublished {
  readonly stream: string;
  readonly seq: number;
  readonly at: number;
  readonly by: string;
  readonly type: string;
  readonly body: unknown;
}

/** How a site sees itself and its links; goes to telemetry. */
export const siteReport = z.object({
  site: siteId,
  estateRevision: z.int(),
  links: z.array(z.object({ site: siteId, up: z.boolean(), rttMs: z.number().optional(), reason: z.string().optional() })),
  conferences: z.array(
    z.object({
      conference: conferenceId,
      room: z.string(),
      /** Seats of this site only. */
      seats: z.array(z.object({ leg: legId, name: z.string(), node: nodeId.optional(), muted: z.boolean() })),
      floor: legId.nullable(),
      locked: z.boolean(),
      /** What goes from this site over each of its links by the rule, for whomever, also what it passes on for others. */
      crossings: z.array(z.object({ to: siteId, large: z.int(), small: z.int() })),
    }),
  ),
  /** What somebody should look into and what stopped nothing: the last of each kind and peer. */
  troubles: z
    .array(
      z.object({ code: z.enum(['stream_forked', 'history_lost', 'peer_poison']), peer: siteId.optional(), message: z.string().max(512) }),
    )
    .max(64)
    .optional(),
  at: z.number(),
});
export type SiteReport = z.infer<typeof siteReport>;

/** What a site's telemetry sends to management once a second: the last words of its brain and nodes, and facts to count. */
export const telemetryBatch = z.object({
  site: siteId,
  /** Grows by one with every batch of one telemetry process; `run` names that process, so a restart is no gap. */
  run: z.string().max(64),
  number: z.int().min(0),
  sentAt: z.number(),
  report: siteReport.optional(),
  nodes: z.array(nodeReport).max(256),
  /** Types of the conference facts recorded since the last batch, counted. */
  facts: z.record(z.string().max(64), z.int()),
  /** Batches that this site had to drop while management was away. */
  dropped: z.int().min(0),
});
export type TelemetryBatch = z.infer<typeof telemetryBatch>;
