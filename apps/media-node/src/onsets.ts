import { siteOfLeg, type LegId } from '@isthmus/conference';
import type { SiteId } from '@isthmus/kernel';
import type { NodeDesire, NodeId } from '@isthmus/placement';
import type { Arriving } from './streams.js';

/** Whether a node says when a voice begins, and understands it when we do: it is linked with us, and not of an older version. */
export type SaysOnsets = (node: NodeId) => boolean;

type Neighbour = NodeDesire['pipes'][number]['to'];

/**
 * Whether we need not listen to the silence of a voice, because whoever sends it to us says when it begins. A site's own voices are
 * always listened to: from them follows who has the floor (ADR 0093).
 */
export const isTold = ({ leg, from }: Pick<Arriving, 'leg' | 'from'>, site: SiteId, saysOnsets: SaysOnsets): boolean =>
  from !== 'client' && siteOfLeg(leg) !== site && saysOnsets(from);

/** Which nodes we tell that a voice begins: those of other sites than its own that get it from us, and do not send it to us. */
export const whomToTell = (
  leg: LegId,
  from: Arriving['from'] | undefined,
  pipes: NodeDesire['pipes'],
  saysOnsets: SaysOnsets,
): readonly Neighbour[] =>
  pipes.flatMap(({ to, sends }) => {
    const relies = to.node !== from && to.site !== siteOfLeg(leg) && saysOnsets(to.node);
    return relies && sends.some((send) => send.leg === leg && send.voice) ? [to] : [];
  });
