import type { EndReason } from '@isthmus/protocol';

/** Endings after which this client comes back by itself (client-gateway.ts, `ended`). */
export const WORTH_COMING_BACK: readonly EndReason[] = ['node-lost', 'timeout'];
/** Refusals of a join that are good-byes. */
export const ENDING_OF_REFUSAL: Readonly<Record<string, EndReason>> = {
  'conference.removed': 'removed',
  'conference.rejected': 'rejected',
  'conference.elsewhere': 'replaced',
  'conference.ended': 'ended',
};
