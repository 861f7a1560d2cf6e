import type { NodeId } from './desire.js';

/** How full a node is, as it last said. */
export interface NodeLoad {
  readonly node: NodeId;
  /** Most legs it takes. */
  readonly capacity: number;
  readonly legs: number;
  /** Takes no new legs: maintenance, shutting down, or not heard of lately. */
  readonly draining: boolean;
}

/** Up to this share of its capacity a node that has the conference already is preferred: people together need no pipe. */
const COMFORTABLE = 0.75;

/**
 * Which of a site's nodes takes one more leg of a conference; undefined when all are full. `carrying` are the nodes that
 * have the conference already. Conferences grow past one node by this rule alone: there is no mode to switch (S1, S6b).
 */
export const place = (nodes: readonly NodeLoad[], carrying: ReadonlySet<NodeId>): NodeId | undefined => {
  const open = nodes.filter((load) => !load.draining && load.legs < load.capacity);
  return (comfortableTogether(open, carrying) ?? leastLoaded(open))?.node;
};

const comfortableTogether = (open: readonly NodeLoad[], carrying: ReadonlySet<NodeId>): NodeLoad | undefined =>
  leastLoaded(open.filter((load) => carrying.has(load.node) && share(load) < COMFORTABLE));

const leastLoaded = (loads: readonly NodeLoad[]): NodeLoad | undefined =>
  [...loads].sort((a, b) => share(a) - share(b) || (a.node < b.node ? -1 : 1))[0];

const share = ({ legs, capacity }: NodeLoad): number => (capacity === 0 ? 1 : legs / capacity);

/**
 * The one node of a site that stands for it in a conference: every stream crosses a link once, to here. It stays who it
 * was while it carries anyone; else the node with the most legs follows it.
 */
export const intermediaryOf = (placed: Iterable<NodeId>, current: NodeId | undefined): NodeId | undefined => {
  const legs = new Map<NodeId, number>();
  for (const node of placed) legs.set(node, (legs.get(node) ?? 0) + 1);
  if (current !== undefined && legs.has(current)) return current;
  return [...legs].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0]?.[0];
};
