import { saw, type FactHash, type Said, type SiteId } from '@isthmus/kernel';
import type { ConferenceAct } from './commands.js';
import { standingOf, type LegStanding } from './standing.js';
import type { Conference } from './state.js';
import type { LegId } from './words.js';

/** Something that somebody was told is done, and that a merge has made void (merge rule 15). */
export interface VoidedAct {
  /** The fact's name: whoever tells people keeps it, so as to tell them once. */
  readonly hash: FactHash;
  readonly by: LegId;
  readonly act: Extract<ConferenceAct['type'], 'unlock' | 'admit' | 'make-host' | 'unmute' | 'camera-on'>;
  /** Whom it was about. */
  readonly leg?: LegId;
  /** Who had said otherwise, unseen; left out where the author had lost the right to, or nobody in particular had. */
  readonly against?: LegId;
}

/**
 * What people of a site, who are still there, did and has no effect although it had when they did it. A word that undid it
 * knowing of it does not count: that is how a meeting goes.
 */
export const voidedActs = (conference: Conference, site: SiteId): readonly VoidedAct[] => {
  const { legs, locks } = standingOf(conference);
  const isTheirs = (said: Said) => said.site === site && legs.get(said.by as LegId)?.ended === null;
  const voided = (act: VoidedAct['act'], said: Said, leg: LegId | undefined, against: Said | undefined): VoidedAct => ({
    hash: said.hash,
    by: said.by as LegId,
    act,
    ...(leg === undefined ? {} : { leg }),
    ...(against === undefined || against.by === 'system' ? {} : { against: against.by as LegId }),
  });
  const acts: VoidedAct[] = [];

  const unlock = conference.unlocks.findLast(isTheirs);
  const unseen = unlock && locks.filter((lock) => !saw(lock, unlock));
  if (unlock && unseen!.length > 0 && unseen!.length === locks.length) {
    acts.push(
      voided(
        'unlock',
        unlock,
        undefined,
        unseen!.find((lock) => !saw(unlock, lock)),
      ),
    );
  }

  for (const standing of legs.values()) {
    const { leg, admissions, appointments, microphone, camera } = standing.leg;
    const admission = admissions.findLast(isTheirs);
    const refusal = admission && refusalOf(standing, admission, conference, locks);
    if (admission && refusal) acts.push(voided('admit', admission, leg, refusal.against));
    if (standing.ended !== null) continue;

    const appointment = appointments.findLast(isTheirs);
    const demotions = standing.leg.demotions;
    if (appointment && standing.role === 'guest' && !demotions.some((demotion) => saw(demotion, appointment)))
      acts.push(
        voided(
          'make-host',
          appointment,
          leg,
          demotions.findLast((demotion) => !saw(appointment, demotion)),
        ),
      );

    const hushes = conference.hushes.map(({ said }) => said);
    for (const [act, off, releases, stops] of [
      ['unmute', standing.muted === 'host', microphone.releases, [...microphone.stops, ...hushes]],
      ['camera-on', standing.camera === 'host', camera.releases, camera.stops],
    ] as const) {
      const release = releases.findLast((said) => isTheirs(said) && said.by !== leg);
      if (release && off && !stops.some((stop) => saw(stop, release)))
        acts.push(
          voided(
            act,
            release,
            leg,
            stops.findLast((stop) => !saw(release, stop)),
          ),
        );
    }
  }
  return acts;
};

/** Why somebody who was let in is not in. */
const refusalOf = (
  { leg, ended, held }: LegStanding,
  admission: Said,
  { removals }: Conference,
  locks: readonly Said[],
): { readonly against: Said | undefined } | undefined => {
  const words = ended === 'rejected' ? leg.rejections : ended === 'removed' ? (removals.get(leg.person) ?? []) : undefined;
  if (words !== undefined) return words.some((word) => saw(word, admission)) ? undefined : { against: words.at(-1) };
  if (ended !== null || held === false) return undefined;
  return { against: held === 'lock' ? locks.find((lock) => !saw(admission, lock)) : undefined };
};

/** "End for all" said at sites beyond a split: here the meeting goes on, and people are told (merge rule 9). */
export const endingsElsewhere = (
  { ends }: Conference,
  site: SiteId,
): readonly { readonly hash: FactHash; readonly by: LegId; readonly sites: readonly SiteId[] }[] =>
  ends.filter(({ sites }) => !sites.includes(site)).map(({ sites, said }) => ({ hash: said.hash, by: said.by as LegId, sites }));
