import { IconMicrophoneOff, IconVideoOff } from '@tabler/icons-react';
import { useState } from 'react';
import type { RosterEntry } from '@isthmus/protocol';
import { Avatar } from './avatar.js';
import type { Rect } from './stage-layout.js';
import { Video } from './video.js';

interface TileProps {
  readonly entry: RosterEntry;
  readonly siteName: string;
  readonly role: 'main' | 'thumbnail';
  /** 0 is the main picture, 1 the first thumbnail. */
  readonly position: number;
  readonly rect: Rect | undefined;
  readonly track: MediaStreamTrack | undefined;
  readonly speaking: boolean;
  readonly onFirstFrame: (at: number) => void;
}

const described = (entry: RosterEntry, role: 'main' | 'thumbnail', speaking: boolean): string =>
  [
    entry.name,
    role === 'main' ? 'large' : '',
    speaking ? 'speaking' : '',
    entry.muted !== false ? 'muted' : '',
    entry.cameraOff ? 'camera off' : '',
  ]
    .filter(Boolean)
    .join(', ');

/** One of the others on the stage: live picture or initials, name, and what one should know about them. */
export const Tile = ({ entry, siteName, role, position, rect, track, speaking, onFirstFrame }: TileProps) => {
  const picture = track !== undefined && !entry.cameraOff;
  // Newcomers fade in, small. What is large from the start is what a join waits for: to draw it over and over while it fades takes the
  // machine the time in which the picture comes. By what it was at first, as the fade would begin again with every change.
  const [fades] = useState(role === 'thumbnail');
  const place =
    rect === undefined ? { display: 'none' } : { transform: `translate(${rect.x}px, ${rect.y}px)`, width: rect.width, height: rect.height };
  return (
    <figure
      className="tile"
      style={place}
      data-testid="tile"
      data-leg={entry.leg}
      data-role={role}
      data-position={position}
      data-speaking={speaking}
      data-picture={picture}
      data-fades={fades}
      aria-label={described(entry, role, speaking)}
    >
      {/* The picture covers it once there is one. */}
      <Avatar name={entry.name} size="large" />
      {picture ? <Video track={track} label={`Picture of ${entry.name}`} onFirstFrame={onFirstFrame} /> : null}
      <figcaption className="tile-caption">
        {entry.muted !== false ? <IconMicrophoneOff size={15} aria-hidden="true" /> : null}
        {entry.cameraOff ? <IconVideoOff size={15} aria-hidden="true" /> : null}
        <span className="tile-name">{entry.name}</span>
        {role === 'main' ? <span className="tile-site">{siteName}</span> : null}
      </figcaption>
    </figure>
  );
};
