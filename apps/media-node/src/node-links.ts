import type { NodeDesire, NodeId } from '@isthmus/placement';
import type { MediaLinkMessage } from '@isthmus/protocol';

export type Neighbour = NodeDesire['pipes'][number]['to'];

export interface NodeLinkHandlers {
  message(from: NodeId, message: Exclude<MediaLinkMessage, { type: 'hello' }>): void;
  /** Linked with that node, for the first time or again. */
  up(node: NodeId): void;
}

/** The links between this node and the others it shares conferences with. */
export interface NodeLinks {
  /** Keeps links with exactly these. */
  want(all: readonly Neighbour[]): void;
  /** Sends in order while the link is up, else does nothing: whoever sends state sends it again on `up`. */
  send(to: Neighbour, message: MediaLinkMessage): void;
  readonly url: string;
  close(): Promise<void>;
}
