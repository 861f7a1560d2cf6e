/**
 * One clock for everybody who sends: fifty bots with a timer each would wake the process thousands of times a second, and
 * drift apart. Ticks while somebody listens.
 */
const TICK_MS = 10;

type Beat = (nowMs: number) => void;
const listeners = new Set<Beat>();
let timer: NodeJS.Timeout | null = null;

/** Monotonic, ms. */
export const monotonicMs = (): number => performance.now();

const tick = (): void => {
  const now = monotonicMs();
  for (const beat of listeners) beat(now);
};

/** Calls `beat` about every 10 ms; answers how to stop it. */
export const onBeat = (beat: Beat): (() => void) => {
  listeners.add(beat);
  timer ??= setInterval(tick, TICK_MS);
  return () => {
    listeners.delete(beat);
    if (listeners.size > 0 || !timer) return;
    clearInterval(timer);
    timer = null;
  };
};
