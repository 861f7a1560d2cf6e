import { Refusal } from '@isthmus/kernel';
import { z } from 'zod';
import { say, untilDrained, type DrainFlags, type RemoveFlags } from './draining.js';
import { asAdministrator, type Ask, type PortalFlags } from './management-client.js';

const nodeShape = z.object({
  node: z.string(),
  site: z.string(),
  up: z.boolean(),
  legs: z.number(),
  capacity: z.number(),
  draining: z.boolean(),
  drained: z.boolean(),
});
type Node = z.infer<typeof nodeShape>;

const pathOf = (id: string): string => `/v1/nodes/${encodeURIComponent(id)}`;

/** Writes one line a node, or JSON. */
export const listNodes = ({ json, ...portal }: PortalFlags & { readonly json: boolean }): Promise<void> =>
  asAdministrator(portal, async (ask) => {
    const nodes = await all(ask);
    if (json) return void process.stdout.write(`${JSON.stringify(nodes)}\n`);
    for (const node of nodes) process.stdout.write(`${node.node}\t${node.legs} of ${node.capacity}\t${conditionOf(node)}\n`);
  });

/** Has a node emptied, and waits until nobody is on it. */
export const drainNode = (id: string, { within, ...portal }: DrainFlags): Promise<void> =>
  asAdministrator(portal, (ask) => emptied(ask, id, within));

export const undrainNode = (id: string, portal: PortalFlags): Promise<void> =>
  asAdministrator(portal, async (ask) => {
    await ask('PATCH', pathOf(id), { draining: false });
    say(`Media node ${id} takes people again.`);
  });

/** Takes a node out of its site for good: drained first, unless it has to be now. */
export const removeNode = (id: string, { within, now, ...portal }: RemoveFlags): Promise<void> =>
  asAdministrator(portal, async (ask) => {
    if (!now) await emptied(ask, id, within);
    await ask('DELETE', `${pathOf(id)}${now ? '?now=true' : ''}`);
    say(`Media node ${id} is no part of its site any more. Stop it on its machine, if it still runs there.`);
  });

/** @throws Fault `node.not-drained` when people are there still after so many seconds; it stays draining */
const emptied = async (ask: Ask, id: string, withinS: number): Promise<void> => {
  let node = nodeShape.parse(await ask('PATCH', pathOf(id), { draining: true }));
  const progress = async (): Promise<string | undefined> => {
    if (!node.drained) node = await again(ask, node);
    return node.drained ? undefined : progressOf(node, await all(ask));
  };
  await untilDrained(progress, withinS, 'node.not-drained');
  say(`Media node ${id} is drained: nobody is on it.`);
};

/** Management may be busy for a moment; what was known stays known until it says something else. */
const again = async (ask: Ask, node: Node): Promise<Node> => {
  try {
    return nodeShape.parse(await ask('GET', pathOf(node.node)));
  } catch (error) {
    if (error instanceof Refusal && error.code === 'status.unavailable') return node;
    throw error;
  }
};

const progressOf = ({ node, site, legs }: Node, nodes: readonly Node[]): string => {
  const free = nodes
    .filter((other) => other.site === site && other.up && !other.draining)
    .reduce((sum, other) => sum + Math.max(0, other.capacity - other.legs), 0);
  if (legs === 0) return `Media node ${node} has nobody; its site is asked whether somebody is on the way.`;
  const here = `Media node ${node} has ${legs === 1 ? 'one participant' : `${legs} participants`}.`;
  return free >= legs
    ? here
    : `${here} The other nodes of ${site} have room for ${free === 0 ? 'nobody' : free}: add one, or wait until people leave.`;
};

const conditionOf = ({ up, draining, drained }: Node): string =>
  [up ? 'up' : 'down', ...(drained ? ['drained'] : draining ? ['draining'] : [])].join(', ');

const all = async (ask: Ask): Promise<readonly Node[]> =>
  z.object({ items: z.array(nodeShape) }).parse(await ask('GET', '/v1/nodes')).items;
