import { z } from 'zod';
import { siteReport } from './bus.js';
import { conferenceId, nodeId, siteId, version } from './common.js';
import { LINK_LIST_MAX } from './link.js';

/** The tenure under which a brain was started; its name among its colleagues, and nobody else's ever. */
const brain = z.int().min(1);
const intermediaries = z.array(z.object({ conference: conferenceId, node: nodeId, url: z.string() }));

/** What the brains of one site say to each other, where several share its conferences (ADR 0059). */
export const brainWord = z.discriminatedUnion('type', [
  /** Again and again. Whoever is not `ready` has not listened for long enough to decide anything. */
  z.object({
    type: z.literal('beat'),
    brain,
    ready: z.boolean(),
    /** Those that were silent for too long, or said goodbye: they do not come back under that name. */
    gone: z.array(brain).max(1_024),
    /** No tenure before this one is written under any more: peers may know another story of it (merge rule 4). */
    notBefore: z.int().min(0),
  }),
  z.object({ type: z.literal('bye'), brain }),
  /** It decides for a room from now on, under this epoch; whoever did under an earlier one does not any more. */
  z.object({ type: z.literal('claimed'), brain, room: z.string().max(128), epoch: z.int().min(1) }),
  /** What the envoy needs of the others: whole each time, on change and every second. */
  z.object({
    type: z.literal('share'),
    brain,
    intermediaries,
    conferences: siteReport.shape.conferences,
  }),
  /** What the others need of the envoy: how it sees the other sites. Whole each time, on change and every second. */
  z.object({
    type: z.literal('links'),
    brain,
    reach: z.array(siteId).max(LINK_LIST_MAX),
    /** Sites that carry nothing for others. */
    closed: z.array(siteId).max(LINK_LIST_MAX),
    words: z
      .array(
        z.object({
          site: siteId,
          version,
          hears: z.array(z.object({ peer: siteId, facts: z.boolean(), media: z.boolean() })).max(LINK_LIST_MAX),
        }),
      )
      .max(LINK_LIST_MAX),
    elsewhere: z.array(z.object({ site: siteId, version, intermediaries })).max(LINK_LIST_MAX),
  }),
]);
export type BrainWord = z.infer<typeof brainWord>;
