import { IconEyeOff, IconMicrophoneOff } from '@tabler/icons-react';
import { useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { useDevices, useMeeting, useMeetingState } from '../state/use-meeting.js';
import { Avatar } from './avatar.js';
import type { Rect } from './stage-layout.js';
import { Video } from './video.js';

type Corner = 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right';
const CORNERS: readonly Corner[] = ['top-left', 'top-right', 'bottom-left', 'bottom-right'];
const MARGIN = 12;

const placeOf = (corner: Corner, bounds: Rect, width: number, height: number): { x: number; y: number } => ({
  x: corner.endsWith('left') ? bounds.x + MARGIN : bounds.x + bounds.width - width - MARGIN,
  y: corner.startsWith('top') ? bounds.y + MARGIN : bounds.y + bounds.height - height - MARGIN,
});

const moved = (corner: Corner, key: string): Corner => {
  const [vertical, horizontal] = corner.split('-') as ['top' | 'bottom', 'left' | 'right'];
  if (key === 'ArrowUp') return `top-${horizontal}`;
  if (key === 'ArrowDown') return `bottom-${horizontal}`;
  if (key === 'ArrowLeft') return `${vertical}-left`;
  if (key === 'ArrowRight') return `${vertical}-right`;
  return corner;
};

/** Oneself, small, mirrored as in a mirror, in whichever corner of the large picture one drags or arrows it to. */
export const SelfView = ({ bounds, onHide }: { readonly bounds: Rect; readonly onHide: () => void }) => {
  const { keep } = useMeeting();
  const name = useMeetingState((state) => state.name);
  const { camera, microphone } = useDevices();
  const [corner, setCorner] = useState<Corner>(() => CORNERS.find((known) => known === keep.get('self-corner')) ?? 'bottom-right');
  const [drag, setDrag] = useState<{ x: number; y: number } | null>(null);
  const grip = useRef({ x: 0, y: 0 });

  const width = Math.round(Math.min(208, Math.max(104, bounds.width * 0.2)));
  const height = Math.round((width * 9) / 16);
  const settled = placeOf(corner, bounds, width, height);
  const at = drag ?? settled;

  const settle = (next: Corner): void => {
    setCorner(next);
    keep.set('self-corner', next);
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.target instanceof Element && event.target.closest('button') !== null) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    grip.current = { x: event.clientX - at.x, y: event.clientY - at.y };
    setDrag(at);
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>): void => {
    if (drag !== null) setDrag({ x: event.clientX - grip.current.x, y: event.clientY - grip.current.y });
  };
  const onPointerUp = (): void => {
    if (drag === null) return;
    const distance = (candidate: Corner): number => {
      const place = placeOf(candidate, bounds, width, height);
      return Math.hypot(place.x - drag.x, place.y - drag.y);
    };
    settle(CORNERS.reduce((best, candidate) => (distance(candidate) < distance(best) ? candidate : best), corner));
    setDrag(null);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!event.key.startsWith('Arrow')) return;
    event.preventDefault();
    settle(moved(corner, event.key));
  };

  return (
    <div
      className="self-view"
      data-testid="self-view"
      data-dragging={drag !== null}
      style={{ transform: `translate(${at.x}px, ${at.y}px)`, width, height }}
      role="group"
      aria-label="You, as the others see you. The arrow keys move this picture."
      tabIndex={0}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
      onKeyDown={onKeyDown}
    >
      {camera.on && camera.track !== null ? <Video track={camera.track} mirrored label="Your own picture" /> : <Avatar name={name} />}
      <span className="self-caption">
        {microphone.on ? null : <IconMicrophoneOff size={14} aria-hidden="true" />}
        You
      </span>
      <button type="button" className="self-hide" onClick={onHide} aria-label="Hide your own picture" title="Hide your own picture">
        <IconEyeOff size={16} aria-hidden="true" />
      </button>
    </div>
  );
};
