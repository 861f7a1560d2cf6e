import type { ClientToGateway } from '@isthmus/protocol';
import { inService, spanBetween, toldSpan } from '@isthmus/service-kit';

type Report = Extract<ClientToGateway, { type: 'first-frame' }>;

/** A click and its picture lie no further apart; a report that says otherwise comes from a clock that jumped. */
const LONGEST_MS = 120_000;
const MARKS_MAX = 32;

/**
 * Puts into the trace what only the browser could see: its click on Join, its own milestones, the first picture. A browser has no
 * exporter, so we speak for it: the span that its `traceparent` names, and below it one span up to each mark. Its clock is its
 * own; nothing is made of the difference to ours.
 */
export const tellFirstFrame = (
  traceparent: string,
  report: Report,
  { site, joinedAt }: { readonly site: string; readonly joinedAt: number },
): void => {
  const { clickedAt, shownAt, marks } = report;
  const sound = Math.abs(clickedAt - joinedAt) < LONGEST_MS && shownAt >= clickedAt && shownAt - clickedAt < LONGEST_MS;
  if (!sound) return;
  inService('meet', () => {
    toldSpan('meet.join', clickedAt, shownAt, traceparent, {
      'isthmus.site': site,
      'isthmus.first_frame_ms': Math.round(shownAt - clickedAt),
    });
    let since = clickedAt;
    const milestones = [...Object.entries(marks), ['first-frame', shownAt] as const];
    for (const [name, at] of milestones
      .filter(([, at]) => at >= clickedAt && at <= shownAt)
      .slice(0, MARKS_MAX)
      .sort(([, a], [, b]) => a - b)) {
      spanBetween(`meet.until ${name}`, since, at, traceparent);
      since = at;
    }
  });
};
