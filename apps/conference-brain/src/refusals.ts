import type { EndedReason } from '@isthmus/conference';
import { Refusal } from '@isthmus/kernel';

/** Why somebody who asks to come in is not in, in words for them. */
export const allNodesFull = (): Refusal =>
  new Refusal('site.full', 'All media nodes of this site are full. Try again in a moment, or join by another site.');

export const meetingOver = (): Refusal => new Refusal('conference.ended', 'This meeting is over. Join again to begin a new one.');

/** What another site recorded while somebody came in has sent them away already: they hear what happened, as if they had come after it. */
export const tooLate = (ended: EndedReason): Refusal => {
  if (ended === 'removed') return new Refusal('conference.removed', 'A host has removed you from this meeting.');
  if (ended === 'replaced') return new Refusal('conference.elsewhere', 'You have joined this meeting on a newer connection meanwhile.');
  return new Refusal('conference.ended', 'A host has ended this meeting for everyone. Join again to begin a new one.');
};
