import { useEffect, useRef } from 'react';
import { useMeeting, useMeetingState } from '../state/use-meeting.js';

const Voice = ({ track }: { readonly track: MediaStreamTrack }) => {
  const { store } = useMeeting();
  const element = useRef<HTMLAudioElement>(null);
  const blocked = useMeetingState((state) => state.soundBlocked);
  useEffect(() => {
    const audio = element.current;
    if (audio === null || blocked) return;
    if (!(audio.srcObject instanceof MediaStream) || !audio.srcObject.getTracks().includes(track))
      audio.srcObject = new MediaStream([track]);
    audio.play().catch((reason: unknown) => {
      if (reason instanceof DOMException && reason.name === 'NotAllowedError') store.set({ soundBlocked: true });
    });
  }, [track, blocked, store]);
  return <audio ref={element} autoPlay />;
};

/** The voices of everyone else, one element each, so that one that stalls does not silence the rest. */
export const Voices = () => {
  const streams = useMeetingState((state) => state.streams);
  return (
    <div hidden>
      {[...streams].map(([leg, { microphone }]) => (microphone === undefined ? null : <Voice key={leg} track={microphone} />))}
    </div>
  );
};
