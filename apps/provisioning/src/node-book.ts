import { Refusal, type SiteId } from '@isthmus/kernel';
import { nodeWordOf } from '@isthmus/estate';
import type { Status } from '@isthmus/protocol';
import type { LiveStatus } from './live-status.js';
import type { EstateKeeper } from './tokens.js';

export type NodeBookRefusal = 'node.unknown' | 'node.not-drained';

type NodeNow = Status['sites'][number]['nodes'][number] & { readonly site: SiteId };

/** Media nodes as administrators handle them: what each last said of itself, and what was said of it here (ADR 0072). */
export class NodeBook {
  constructor(
    private readonly estate: EstateKeeper,
    private readonly live: LiveStatus,
  ) {}

  /** @throws Fault `status.unavailable` while telemetry is silent */
  list(): readonly NodeNow[] {
    return this.live.now().sites.flatMap((site) => site.nodes.map((node) => this.shown(site, node)));
  }

  /** @throws Refusal `node.unknown` */
  get(id: string): NodeNow {
    const found = this.list().find(({ node }) => node === id);
    if (found === undefined) throw unknown(id);
    return found;
  }

  /** Has it emptied, or used again. */
  async change(id: string, draining: boolean, by: string): Promise<NodeNow> {
    const { site } = this.get(id);
    await this.estate.act(by, () => ({ type: draining ? 'DrainNode' : 'UndrainNode', id, site }));
    return this.get(id);
  }

  /**
   * Takes it out of its site: its certificate is worth nothing there any more.
   * @param now although people are on it, or nothing has been heard of it for long
   */
  async remove(id: string, now: boolean, by: string): Promise<void> {
    if (!now && !this.get(id).drained)
      throw new Refusal<NodeBookRefusal>(
        'node.not-drained',
        `People may be on media node ${id}. Drain it first and wait until it is drained, or remove it at once with \`now\`.`,
      );
    const site = this.siteOf(id);
    await this.estate.act(by, () => ({ type: 'RemoveNode', id, site }));
  }

  /** What its site has not heard of is not so yet, whatever the snapshot shows. */
  private shown({ site, configurationVersion }: Status['sites'][number], node: Status['sites'][number]['nodes'][number]): NodeNow {
    const word = nodeWordOf(this.estate.state, node.node);
    const isHeard = word === undefined || (configurationVersion ?? -1) >= word.since;
    return { ...node, site, draining: node.draining || word !== undefined, drained: node.drained && isHeard };
  }

  /** A node that is silent for long is listed no more; it begins with the name of its site. */
  private siteOf(id: string): SiteId {
    const heard = this.live.missing() === undefined ? this.list().find(({ node }) => node === id)?.site : undefined;
    const site = heard ?? nodeWordOf(this.estate.state, id)?.site ?? (id.slice(0, Math.max(0, id.indexOf('-'))) as SiteId);
    if (!Object.hasOwn(this.estate.state.sites, site)) throw unknown(id);
    return site;
  }
}

const unknown = (id: string): Refusal<NodeBookRefusal> =>
  new Refusal('node.unknown', `No media node ${id} has been heard of lately. Look at the list of nodes again.`);
