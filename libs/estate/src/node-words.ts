import { Refusal, type SiteId } from '@isthmus/kernel';
import { nodeWordOf, type Estate, type NodeWord } from './estate.js';

/**
 * What becomes of single media nodes (ADR 0072). The estate does not list them: they say themselves that they are there. It
 * holds only what an administrator said against one, so that every service of its site goes by it.
 */
export type NodeFact = { readonly type: 'NodeDrained' | 'NodeReturned' | 'NodeRemoved'; readonly id: string; readonly site: SiteId };

export type NodeCommand = {
  /** `AdmitNode`: a machine has enrolled as this node, so that it is one again if it was removed. */
  readonly type: 'DrainNode' | 'UndrainNode' | 'RemoveNode' | 'AdmitNode';
  readonly id: string;
  readonly site: SiteId;
};

export type NodeRefusal = 'node.id-invalid' | 'node.removed';

const NODE_ID = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** @param site of the node, which is known to exist. @throws Refusal with a {@link NodeRefusal} */
export const decideNode = ({ type, id }: NodeCommand, estate: Estate, site: SiteId): readonly NodeFact[] => {
  if (!NODE_ID.test(id)) throw new Refusal<NodeRefusal>('node.id-invalid', 'A media node is named by 1 to 64 of a to z, 0 to 9, _ and -.');
  const state = nodeWordOf(estate, id)?.state;
  switch (type) {
    case 'DrainNode':
      if (state === 'removed') throw removed(id);
      return state === 'draining' ? [] : [{ type: 'NodeDrained', id, site }];
    case 'UndrainNode':
      if (state === 'removed') throw removed(id);
      return state === 'draining' ? [{ type: 'NodeReturned', id, site }] : [];
    case 'RemoveNode':
      return state === 'removed' ? [] : [{ type: 'NodeRemoved', id, site }];
    case 'AdmitNode':
      return state === 'removed' ? [{ type: 'NodeReturned', id, site }] : [];
  }
};

/** The estate after such a fact; total, as the whole fold is. */
export const withNodeWord = (estate: Estate, type: NodeFact['type'], body: object): Estate => {
  const { id, site } = body as Readonly<Record<string, unknown>>;
  if (typeof id !== 'string' || !NODE_ID.test(id) || typeof site !== 'string') return estate;
  const others = Object.fromEntries(Object.entries(estate.nodes ?? {}).filter(([key]) => key !== id));
  if (type === 'NodeReturned') return { ...estate, nodes: others };
  const word: NodeWord = { site: site as SiteId, state: type === 'NodeRemoved' ? 'removed' : 'draining', since: estate.revision };
  return { ...estate, nodes: { ...others, [id]: word } };
};

/** A site that ends takes with it what was to be emptied there. A node that was removed stays so: its certificate may still be about. */
export const withoutNodesOf = ({ nodes }: Estate, site: unknown): Pick<Estate, 'nodes'> =>
  nodes === undefined
    ? {}
    : { nodes: Object.fromEntries(Object.entries(nodes).filter(([, word]) => word.site !== site || word.state === 'removed')) };

const removed = (id: string): Refusal<NodeRefusal> =>
  new Refusal('node.removed', `Media node ${id} was removed. \`isthmus node add\` makes a machine that node again.`);
