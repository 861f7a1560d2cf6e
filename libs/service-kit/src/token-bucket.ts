/** Whether one more may pass: `perSecond` all the time, `atOnce` after a pause. */
export const tokenBucket = ({ perSecond, atOnce }: { readonly perSecond: number; readonly atOnce: number }): (() => boolean) => {
  let tokens = atOnce;
  let at = performance.now();
  return () => {
    const now = performance.now();
    tokens = Math.min(atOnce, tokens + ((now - at) / 1000) * perSecond);
    at = now;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
};
