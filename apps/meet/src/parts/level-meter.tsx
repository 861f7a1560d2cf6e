import { useEffect, useRef } from 'react';

const BARS = 12;
/** From about -55 dBFS (a quiet room) to -10 dBFS (a firm voice). */
const FLOOR_DB = -55;
const CEILING_DB = -10;

/** Shows that the microphone hears something, before anyone else has to. Draws by itself; React sees none of it. */
export const LevelMeter = ({ track, on }: { readonly track: MediaStreamTrack | null; readonly on: boolean }) => {
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const bars = root.current === null ? [] : [...root.current.children];
    const show = (level: number): void => bars.forEach((bar, at) => bar.toggleAttribute('data-lit', at < Math.round(level * BARS)));
    if (track === null || !on) {
      show(0);
      return undefined;
    }
    const audio = new AudioContext();
    const analyser = audio.createAnalyser();
    analyser.fftSize = 1_024;
    audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let level = 0;
    let frame = 0;
    const draw = (): void => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      const db = 10 * Math.log10(power + 1e-10);
      const heard = Math.min(1, Math.max(0, (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
      level = Math.max(heard, level * 0.9);
      show(level);
      frame = requestAnimationFrame(draw);
    };
    draw();
    // Chromium starts it suspended until the first click or key on the page.
    const wake = (): void => void audio.resume().catch(() => undefined);
    addEventListener('pointerdown', wake, { once: true });
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener('pointerdown', wake);
      void audio.close();
    };
  }, [track, on]);
  return (
    <div
      className="level"
      ref={root}
      role="img"
      aria-label={on && track !== null ? 'Microphone level' : 'Microphone is off'}
      data-testid="level"
    >
      {Array.from({ length: BARS }, (_, at) => (
        <span key={at} />
      ))}
    </div>
  );
};
