import { HD_KBPS_DEFAULT, makeClips, personaOf, PERSONAS } from '@isthmus/bots';

/**
 * Makes the pictures and voices of the first `count` bots, once per machine: it takes minutes, and must not fall into a measurement.
 * Most benchmarks use the bit rate of the demo's bots, so that they are made once for all.
 * @param {import('../figures.mjs').BenchContext} context
 * @param {number} count
 * @param {number} [hdKbps] bit rate of the large picture
 */
export const prepareClips = async (context, count, hdKbps = HD_KBPS_DEFAULT) => {
  context.note('pictures and voices of bots');
  const personas = Array.from({ length: Math.min(count, PERSONAS.length) }, (_, n) => personaOf(n));
  await makeClips(personas, { hdKbps, onProgress: (line) => context.note(line) });
};
