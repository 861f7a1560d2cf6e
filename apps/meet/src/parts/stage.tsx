import { useMemo } from 'react';
import type { LegId } from '@isthmus/conference';
import { useMeeting, useMeetingState, useRoster, useSiteName } from '../state/use-meeting.js';
import { Alone } from './alone.js';
import { SelfView } from './self-view.js';
import { layoutStage } from './stage-layout.js';
import { Tile } from './tile.js';
import { useSize } from './use-size.js';

const EMPTY: readonly LegId[] = [];

/**
 * The stage exactly as the brain says: one large, up to seven small, in its order. Tiles keep their place in the document
 * while they change places on the screen, because a video that is moved in the document stops.
 */
export const Stage = ({ selfView, onHideSelf }: { readonly selfView: boolean; readonly onHideSelf: () => void }) => {
  const meeting = useMeeting();
  const main = useMeetingState(({ view }) => view?.stage.main ?? null);
  const thumbnails = useMeetingState(({ view }) => view?.stage.thumbnails ?? EMPTY);
  const streams = useMeetingState((state) => state.streams);
  const speaking = useMeetingState((state) => state.speaking);
  const roster = useRoster();
  const nameOfSite = useSiteName();
  const { ref, width, height } = useSize();
  const layout = useMemo(() => layoutStage(width, height, thumbnails.length), [width, height, thumbnails.length]);

  const order = main === null ? thumbnails : [main, ...thumbnails];
  // Legs are sorted by name of the leg, not by position: see above.
  const shown = roster.filter(({ leg }) => order.includes(leg)).toSorted((a, b) => (a.leg < b.leg ? -1 : 1));

  return (
    <div className="stage" ref={ref} data-testid="stage" role="group" aria-label="People in view">
      {main === null ? <Alone rect={layout.main} /> : null}
      {shown.map((entry) => {
        const at = order.indexOf(entry.leg);
        const isMain = entry.leg === main;
        return (
          <Tile
            key={entry.leg}
            entry={entry}
            siteName={nameOfSite(entry.site)}
            role={isMain ? 'main' : 'thumbnail'}
            position={isMain ? 0 : thumbnails.indexOf(entry.leg) + 1}
            rect={isMain ? layout.main : layout.thumbnails[main === null ? at : at - 1]}
            track={streams.get(entry.leg)?.camera}
            speaking={speaking.includes(entry.leg)}
            onFirstFrame={(at) => meeting.firstFrame(at)}
          />
        );
      })}
      {selfView ? <SelfView bounds={layout.main} onHide={onHideSelf} /> : null}
    </div>
  );
};
