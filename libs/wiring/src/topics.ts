import type { TopicPlan } from '@isthmus/bus-kafka';
import { TOPICS } from '@isthmus/protocol';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** What says how things are is said again; whoever was away longer than this learns it anew. */
const STATE_MS = 10 * MINUTE_MS;
/** A site's rooms are decided side by side; more than this many services that share them gain nothing. */
const MANY = 12;

const shared = { partitions: MANY, retentionMs: STATE_MS };
const single = { partitions: 1, retentionMs: STATE_MS };

/** How each topic has to be on a broker: its key's order is kept within a partition, and history is in the event store, not here. */
const PLANS: Readonly<Record<keyof typeof TOPICS, Omit<TopicPlan, 'topic'>>> = {
  commands: shared,
  brains: single,
  facts: { partitions: MANY, retentionMs: 7 * DAY_MS },
  views: shared,
  desires: shared,
  mediaEvents: shared,
  nodes: single,
  nodeLosses: single,
  nodeDismissals: single,
  estate: single,
  estateRequests: single,
  sites: single,
  batches: single,
  supervision: single,
  statuses: single,
  statusRequests: single,
};

export const TOPIC_PLANS: readonly TopicPlan[] = Object.entries(PLANS).map(([name, plan]) => ({
  topic: TOPICS[name as keyof typeof TOPICS],
  ...plan,
}));
