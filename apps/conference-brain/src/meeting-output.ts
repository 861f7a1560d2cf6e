import type { ConferenceView } from '@isthmus/conference';
import type { NodeDesire, NodeId } from '@isthmus/placement';
import type { ViewPublished } from '@isthmus/protocol';

/** What a meeting tells the world after each change. */
export interface MeetingOutput {
  view(published: ViewPublished): void;
  desires(desires: readonly NodeDesire[]): void;
  /** Which node stands for this site now; undefined while nobody of it is in. */
  standIn(node: NodeId | undefined): void;
}

/** Whether a view says the same as another: then it is not said again. */
export const sameMeeting = (a: ConferenceView, b: ConferenceView): boolean =>
  JSON.stringify({ ...a, version: 0 }) === JSON.stringify({ ...b, version: 0 });
