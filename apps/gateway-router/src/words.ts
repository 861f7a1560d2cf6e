import type { ConferenceRefusal } from '@isthmus/conference';
import { IsthmusError, Refusal } from '@isthmus/kernel';
import type { EndReason } from '@isthmus/protocol';

/** What the brain and this service may refuse, in words for whoever wanted to join or to act. */
type KnownRefusal = ConferenceRefusal | 'room.full' | 'site.full' | 'conference.rejected';

const REFUSED: Record<KnownRefusal, string> = {
  'conference.locked': 'The meeting is locked. Ask a host to let you in.',
  'conference.full': 'All seats of this meeting are taken.',
  'room.full': 'All seats of this meeting are taken.',
  'site.full': 'This site has no free capacity right now. Trying again in a few minutes may help.',
  'conference.removed': 'A host removed you from this meeting.',
  'conference.rejected': 'A host did not let you in.',
  'conference.ended': 'This meeting is over.',
  'conference.elsewhere': 'You are in this meeting from a newer connection. That one stays.',
  'conference.unknown-leg': 'That person is no longer in the meeting.',
  'conference.host-only': 'Only a host can do that.',
  'conference.owner-only': 'Only they themselves can do that.',
  'conference.muted-by-host': 'A host muted you. Ask a host to let you speak.',
  'conference.camera-off-by-host': 'A host turned your camera off. Ask a host to turn it on again.',
  'conference.not-waiting': 'That person no longer waits.',
};

const ENDED: Record<EndReason, string> = {
  left: 'You left the meeting.',
  removed: 'A host removed you from the meeting.',
  ended: 'A host ended the meeting for everybody.',
  replaced: 'You joined again from another tab or device, so this one left.',
  rejected: 'A host did not let you in.',
  'room-disabled': 'This meeting room was closed by an administrator.',
  'node-lost': 'The connection to the meeting was lost. Joining again helps.',
  timeout: 'The connection was away for too long. Joining again helps.',
};

export const endedInWords = (reason: EndReason): string => ENDED[reason];

/** The code and the sentence for an answer: what the domain refused is told as such, all else is the site's trouble and not theirs. */
export const refusedInWords = (error: unknown): { readonly code: string; readonly message: string } => {
  if (!(error instanceof IsthmusError)) return UNAVAILABLE;
  const { code, message } = error as IsthmusError;
  if (error instanceof Refusal) return { code, message: Object.hasOwn(REFUSED, code) ? REFUSED[code as KnownRefusal] : message };
  return code === 'site.busy' || code === 'site.starting' ? { code, message } : UNAVAILABLE;
};

const UNAVAILABLE = { code: 'site.unavailable', message: 'This site cannot take calls right now. Trying again in a moment may help.' };
