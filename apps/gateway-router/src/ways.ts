import { randomInt } from 'node:crypto';
import type { Estate, Site } from '@isthmus/estate';
import type { SiteId } from '@isthmus/kernel';
import type { SiteReport } from '@isthmus/protocol';

/** Sites that are nearer to each other than this, in round-trip time, are equally near. */
const AS_NEAR_MS = 20;

/** Which other sites take people, as far as this one knows. */
export class Ways {
  private links: ReadonlyMap<SiteId, SiteReport['links'][number]> = new Map();

  constructor(
    private readonly site: SiteId,
    private readonly estate: () => Estate,
  ) {}

  /** This site's brain says how its links are. Of several brains one holds them; the others have none to tell of. */
  heard({ site, links }: SiteReport): void {
    if (site === this.site && links.length > 0) this.links = new Map(links.map((link) => [link.site, link]));
  }

  /**
   * Sites to go to, in the order in which to try them: the nearest first, those that are equally near in any order, so that people
   * spread. A site that this one does not hear is none: it could not know who comes from here.
   */
  inOrder(): readonly Site[] {
    return Object.values(this.estate().sites)
      .filter(({ id, draining }) => id !== this.site && draining !== true && this.links.get(id)?.up !== false)
      .map((site) => ({ site, far: Math.floor((this.links.get(site.id)?.rttMs ?? Infinity) / AS_NEAR_MS), chance: randomInt(2 ** 32) }))
      .toSorted((one, other) => compare(one.far, other.far) || one.chance - other.chance)
      .map(({ site }) => site);
  }

  /** Origins of the pages that the deployment's own sites serve. */
  origins(): readonly string[] {
    return Object.values(this.estate().sites).flatMap(({ meetUrl }) => (URL.canParse(meetUrl) ? [new URL(meetUrl).origin] : []));
  }
}

const compare = (one: number, other: number): number => (one === other ? 0 : one < other ? -1 : 1);
