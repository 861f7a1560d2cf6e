import type { ConferenceView, Occasion } from '@isthmus/conference';
import type { Chronicle } from './chronicle.js';

/** Where the other meetings of the room are, which stay apart. */
export const besides = (occasion: Occasion | undefined, chronicle: Chronicle): Pick<ConferenceView, 'besides'> => {
  if (occasion === undefined || occasion.besides.length === 0) return {};
  const sites = chronicle.sites();
  return { besides: occasion.besides.map((id) => ({ sites: [...(sites.get(id) ?? [])].sort() })) };
};
