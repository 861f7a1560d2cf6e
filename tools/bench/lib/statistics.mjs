/**
 * The value that `share` of the samples do not exceed: nearest rank, so that it is always one that was really measured.
 * @param {readonly number[]} samples
 * @param {number} share 0.5 for the median
 */
export const percentile = (samples, share) => {
  if (samples.length === 0) throw new Error('There are no samples.');
  const sorted = [...samples].sort((a, b) => a - b);
  return /** @type {number} */ (sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]);
};

/**
 * What one more of `x` adds to `y`: the slope of the straight line that fits best (least squares).
 * @param {readonly (readonly [x: number, y: number])[]} points
 */
export const slope = (points) => {
  const mean = (/** @type {0 | 1} */ at) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const spread = points.reduce((sum, [px]) => sum + (px - x) ** 2, 0);
  if (!(spread > 0)) throw new Error('A slope needs two different places to be measured at.');
  return points.reduce((sum, [px, py]) => sum + (px - x) * (py - y), 0) / spread;
};
