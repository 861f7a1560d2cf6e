import { endingsElsewhere, legOf, siteOfLeg, voidedActs, type Conference, type LegId, type VoidedAct } from '@isthmus/conference';
import type { SiteId } from '@isthmus/kernel';
import type { ViewPublished } from '@isthmus/protocol';

type Notice = ViewPublished['notices'][number];

/** What people call a site. */
export type SiteName = (site: SiteId) => string;

/**
 * What people of this site are told once, after a merge: that something they did has no effect (merge rule 15), or that the
 * meeting was ended beyond a split (rule 9). What a brain finds when it starts counts as told: its predecessor has said it.
 */
export class Notices {
  private readonly told = new Set<string>();
  private looked: Conference | undefined;

  constructor(
    private readonly site: SiteId,
    private readonly nameOf: SiteName,
  ) {}

  /** Takes what is so for known, without a word. */
  remember(conference: Conference): void {
    for (const { hash } of [...voidedActs(conference, this.site), ...endingsElsewhere(conference, this.site)]) this.told.add(hash);
  }

  /** What is news in this state, for these people of the site. */
  fresh(conference: Conference, people: readonly LegId[]): readonly Notice[] {
    if (conference === this.looked) return [];
    this.looked = conference;
    const voided = voidedActs(conference, this.site).filter(({ hash }) => this.isNews(hash));
    const endings = endingsElsewhere(conference, this.site).filter(({ hash }) => this.isNews(hash));
    return [
      ...voided.map((act) => ({ leg: act.by, code: `void.${act.act}`, message: this.inWords(act, conference) })),
      ...endings.flatMap(({ by, sites }) => {
        const where = sites.map(this.nameOf).join(' and ');
        const message = `${this.person(by, conference)} ended the meeting in ${where}. Here it goes on.`;
        return people.map((leg) => ({ leg, code: 'conference.ended-elsewhere', message }));
      }),
    ];
  }

  private isNews(hash: string): boolean {
    const news = !this.told.has(hash);
    this.told.add(hash);
    return news;
  }

  private inWords({ act, leg, against }: VoidedAct, conference: Conference): string {
    const whom = leg === undefined ? '' : nameIn(leg, conference);
    const who = against === undefined ? undefined : `${this.person(against, conference)}, in ${this.nameOf(siteOfLeg(against))},`;
    const standing = leg === undefined ? undefined : legOf(conference, leg);
    const why = (did: string, done: string) =>
      who === undefined
        ? `before your ${done} was known at the other sites, you had lost the right to it there`
        : `${who} ${did} before your ${done} was known there`;
    switch (act) {
      case 'unlock':
        return `The room is locked: ${why('locked it', 'unlocking')}.${who === undefined ? '' : ' Unlock it again if it should be open.'}`;
      case 'admit':
        if (standing?.ended === 'removed') return `${whom} is not in the meeting: ${why('removed them', 'letting them in')}.`;
        if (standing?.ended !== null) return `${whom} is not in the meeting: ${why('turned them away', 'letting them in')}.`;
        if (standing.held === 'pin')
          return `${whom} waits again: the PIN of the room was changed before that was known here. Let them in again if you know them.`;
        return `${whom} waits again: ${why('locked the room', 'letting them in')}. Let them in again if you know them.`;
      case 'make-host':
        return `${whom} is a guest: ${why('made them one', 'making them host')}.`;
      case 'unmute':
        return `${whom} stays muted: ${why('muted them', 'letting them speak')}.`;
      case 'camera-on':
        return `The camera of ${whom} stays off: ${why('turned it off', 'turning it on')}.`;
    }
  }

  private person(leg: LegId, conference: Conference): string {
    return nameIn(leg, conference) || 'Somebody';
  }
}

const nameIn = (leg: LegId, conference: Conference): string => legOf(conference, leg)?.leg.name ?? '';
