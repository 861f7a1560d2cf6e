import { useEffect, useRef, useState } from 'react';
import { now } from '../net/trace.js';

interface VideoProps {
  readonly track: MediaStreamTrack;
  readonly mirrored?: boolean;
  readonly label: string;
  /** When a frame of this element was first drawn, ms since 1970. */
  readonly onFirstFrame?: (at: number) => void;
}

/** More than this share of a picture is never cut off; a picture that would lose more is shown whole, with bars. */
const CROP_MAX = 0.26;

/** Shows one live track. Sound never comes from here: see `Voices`. */
export const Video = ({ track, mirrored = false, label, onFirstFrame }: VideoProps) => {
  const element = useRef<HTMLVideoElement>(null);
  const [whole, setWhole] = useState(false);
  const first = useRef(onFirstFrame);
  useEffect(() => {
    first.current = onFirstFrame;
  });

  useEffect(() => {
    const video = element.current;
    if (video === null) return undefined;
    video.srcObject = new MediaStream([track]);
    // Muted pictures may always play; a refusal here only means that the element went away meanwhile.
    video.play().catch(() => undefined);
    const shown = (): void => first.current?.(now());
    if ('requestVideoFrameCallback' in video) {
      const handle = video.requestVideoFrameCallback(shown);
      return () => {
        video.cancelVideoFrameCallback(handle);
        video.srcObject = null;
      };
    }
    const old = video as HTMLVideoElement;
    old.addEventListener('playing', shown, { once: true });
    return () => {
      old.removeEventListener('playing', shown);
      old.srcObject = null;
    };
  }, [track]);

  useEffect(() => {
    const video = element.current;
    if (video === null) return undefined;
    const judge = (): void => {
      const { videoWidth, videoHeight, clientWidth, clientHeight } = video;
      if (videoWidth === 0 || clientWidth === 0) return;
      const ratio = videoWidth / videoHeight / (clientWidth / clientHeight);
      setWhole(Math.min(ratio, 1 / ratio) < 1 - CROP_MAX);
    };
    const observer = new ResizeObserver(judge);
    observer.observe(video);
    video.addEventListener('resize', judge);
    return () => {
      observer.disconnect();
      video.removeEventListener('resize', judge);
    };
  }, []);

  return (
    <video
      ref={element}
      className="video"
      data-mirrored={mirrored}
      data-whole={whole}
      aria-label={label}
      autoPlay
      muted
      playsInline
      disablePictureInPicture
    />
  );
};
