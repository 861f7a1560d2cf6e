import { createHash } from 'node:crypto';
import { Refusal, type SiteId } from '@isthmus/kernel';
import type { EnrolmentCommand, Enrolments, Site } from '@isthmus/estate';
import type { Clock } from '@isthmus/ports';
import type { Keeper } from './keeper.js';
import type { LiveStatus } from './live-status.js';
import { newToken } from './secrets.js';
import type { NewSite, SitePatch } from './shapes.js';
import type { EstateKeeper } from './tokens.js';

/** How long somebody has to carry a token to the other machine. */
const TOKEN_LIFE_MS = 30 * 60_000;

/** What a site last told us at the door. */
interface Contact {
  readonly applied: number;
  /** ms since 1970. */
  readonly seenAt: number;
}

/** Sites as administrators handle them, with what each last said of itself. */
export class SiteBook {
  private readonly contacts = new Map<string, Contact>();

  constructor(
    private readonly estate: EstateKeeper,
    private readonly enrolments: Keeper<Enrolments, EnrolmentCommand>,
    private readonly clock: Clock,
    private readonly caFingerprint: string,
    private readonly live: LiveStatus,
  ) {}

  get configurationVersion(): number {
    return this.estate.state.revision;
  }

  list() {
    return Object.values(this.estate.state.sites).map((site) => this.shown(site));
  }

  get(id: string) {
    return this.shown(this.known(id));
  }

  async add(site: NewSite, by: string) {
    await this.estate.act(by, () => ({ type: 'EnrolSite', site }));
    return this.get(site.id);
  }

  async change(id: string, change: SitePatch, by: string) {
    await this.estate.act(by, () => ({ type: 'ChangeSite', id: id as SiteId, change }));
    return this.get(id);
  }

  async remove(id: string, by: string): Promise<void> {
    await this.estate.act(by, () => ({ type: 'RemoveSite', id: id as SiteId }));
    this.contacts.delete(id);
  }

  /** For seeding: there afterwards, and as wanted. */
  async ensure(site: NewSite, by: string) {
    return Object.hasOwn(this.estate.state.sites, site.id)
      ? this.change(site.id, { ...site, id: undefined } as SitePatch, by)
      : this.add(site, by);
  }

  /** @param node to become one of the site's nodes instead of the site itself */
  async offer(id: string, by: string, node?: string) {
    const site = this.known(id).id;
    const token = newToken();
    const expiresAt = this.clock.now() + TOKEN_LIFE_MS;
    await this.enrolments.act(by, () => ({ type: 'Offer', tokenHash: hashOf(token), site, ...of(node), expiresAt }));
    return { site, token, expiresAt: new Date(expiresAt).toISOString(), caFingerprint: this.caFingerprint };
  }

  /** Uses up a token. @throws Refusal `enrolment.refused` */
  async redeem(token: string, site: SiteId, node?: string): Promise<void> {
    await this.enrolments.act(`site:${site}`, () => ({ type: 'Use', tokenHash: hashOf(token), site, ...of(node), at: this.clock.now() }));
    if (node !== undefined) await this.estate.act(`site:${site}`, () => ({ type: 'AdmitNode', id: node, site }));
  }

  isKnown(id: string): boolean {
    return Object.hasOwn(this.estate.state.sites, id);
  }

  heard(id: string, applied: number): void {
    if (this.isKnown(id)) this.contacts.set(id, { applied, seenAt: this.clock.now() });
  }

  private known(id: string): Site {
    const site = this.isKnown(id) ? this.estate.state.sites[id] : undefined;
    if (!site) throw new Refusal('site.unknown', 'There is no such site.', { status: 404 });
    return site;
  }

  /** Whether a site is empty is known of one that goes by what was said last, and of one that never was there. */
  private peopleAt({ id, draining = false }: Site): { readonly drained: boolean; readonly participants: number | null } {
    const status = this.live.missing() === undefined ? this.live.now() : undefined;
    const now = status?.sites.find(({ site }) => site === id);
    const isUnborn = now !== undefined && !now.up && now.lastHeardAt === null && !this.contacts.has(id);
    if (isUnborn) return { drained: draining, participants: 0 };
    if (status === undefined || now === undefined || !now.up) return { drained: false, participants: null };
    const participants = status.conferences.flatMap(({ seats }) => seats).filter(({ site }) => site === id).length;
    const knows = (now.configurationVersion ?? -1) >= this.configurationVersion;
    return { drained: draining && knows && participants === 0, participants };
  }

  private shown(site: Site) {
    const contact = this.contacts.get(site.id);
    return {
      ...site,
      draining: site.draining ?? false,
      ...this.peopleAt(site),
      configurationVersion: contact?.applied ?? null,
      upToDate: contact?.applied === this.configurationVersion,
      lastSeenAt: contact ? new Date(contact.seenAt).toISOString() : null,
    };
  }
}

const of = (node: string | undefined) => (node === undefined ? {} : { node });
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
