import { createHash } from 'node:crypto';
import type { ConferenceId, LegId, Stage } from '@isthmus/conference';
import type { LegDesire, NodeDesire, NodeId, PipeDesire } from '@isthmus/placement';

/** What a brain would publish, in the words of a spec. */
export const CONFERENCE = 'standup' as ConferenceId;

export const tokenOf = (leg: string): string => `token-of-${leg}`;
export const legOf = (name: string): LegId => name as LegId;

export const legDesire = (
  leg: string,
  main: string | null,
  thumbnails: readonly string[] = [],
  changes: Partial<LegDesire> = {},
): LegDesire => ({
  leg: legOf(leg),
  tokenHash: createHash('sha256').update(tokenOf(leg)).digest('hex'),
  stage: { main, thumbnails } as unknown as Stage,
  hears: [main, ...thumbnails].filter((each) => each !== null).map(legOf),
  may: { speak: true, show: true },
  watched: { large: true, small: true },
  ...changes,
});

let revision = 0;
export const nodeDesire = (
  node: string,
  legs: readonly LegDesire[],
  pipes: readonly PipeDesire[] = [],
  intermediary = true,
): NodeDesire => ({
  node: node as NodeId,
  conference: CONFERENCE,
  room: 'standup',
  version: { epoch: 1, revision: ++revision },
  legs,
  pipes,
  intermediary,
});
