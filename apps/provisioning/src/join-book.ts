import { Refusal } from '@isthmus/kernel';
import type { JoinTicket } from '@isthmus/protocol';
import type { OpenAuthority } from './authority.js';
import type { NodeWish } from './shapes.js';
import type { SiteBook } from './site-book.js';

/** One command, to be typed on the machine that is to join. */
export interface JoinCommand {
  readonly site: string;
  readonly node: string | null;
  /** Signed, good once. */
  readonly ticket: string;
  readonly command: string;
  readonly expiresAt: string;
}

/** A site's nodes find its bus this many ports above its link. */
const BUS_ABOVE_LINK = 4;
const NODE_PORT = 7_110;

/** Makes the commands by which machines become sites, and nodes of sites. */
export class JoinBook {
  /** Where sites reach management; known once its door is open. */
  url = '';

  constructor(
    private readonly sites: SiteBook,
    private readonly authority: OpenAuthority,
  ) {}

  async forSite(id: string, by: string): Promise<JoinCommand & { readonly token: string; readonly caFingerprint: string }> {
    const { token, expiresAt, caFingerprint } = await this.sites.offer(id, by);
    const { name, meetUrl, linkUrl } = this.sites.get(id);
    const command = this.signed({ ...this.head(id, name, token, expiresAt), kind: 'site', meetUrl, linkUrl });
    return { site: id, node: null, ...command, expiresAt, token, caFingerprint };
  }

  async forNode(id: string, wish: NodeWish, by: string): Promise<JoinCommand> {
    const { name, meetUrl, linkUrl } = this.sites.get(id);
    const { node, address: host, clientAddress: clientHost = host, port = NODE_PORT } = wish;
    if (!node.startsWith(`${id}-`)) {
      const message = `A node of site ${id} is called ${id}- and something, such as ${id}-2.`;
      throw new Refusal('request.invalid', message, { status: 400, errors: [{ path: 'node', message }] });
    }
    const { token, expiresAt } = await this.sites.offer(id, by, node);
    const bus = new URL(linkUrl);
    bus.port = String(Number(bus.port || 443) + BUS_ABOVE_LINK);
    const secure = meetUrl.startsWith('https:');
    const command = this.signed({
      ...this.head(id, name, token, expiresAt),
      ...({
        kind: 'node',
        node,
        host,
        clientHost,
        port,
        secure,
        busUrl: bus.origin === 'null' ? `wss://${bus.host}` : bus.origin,
      } as const),
    });
    return { site: id, node, ...command, expiresAt };
  }

  private head(site: string, siteName: string, secret: string, expiresAt: string) {
    const { fingerprint: authority } = this.authority;
    return {
      ...{ v: 1 as const, management: this.url, authority, siteName, secret },
      site: site as JoinTicket['site'],
      expiresAt: Date.parse(expiresAt),
    };
  }

  private signed(ticket: JoinTicket): { readonly ticket: string; readonly command: string } {
    const payload = Buffer.from(JSON.stringify(ticket)).toString('base64url');
    const text = `${payload}.${this.authority.signText(payload)}`;
    return { ticket: text, command: `npm run join -- ${text}` };
  }
}
