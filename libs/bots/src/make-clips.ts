import { parseArgs } from 'node:util';
import { cacheFolder, HD_KBPS_DEFAULT, makeClips } from './clips.js';
import { PERSONAS } from './persona.js';

/** `node libs/bots/dist/make-clips.js [--hd-kbps 600] [--personas 12]`: films and records the cast ahead of its first meeting. */
const { values } = parseArgs({
  options: {
    'hd-kbps': { type: 'string', default: String(HD_KBPS_DEFAULT) },
    personas: { type: 'string', default: String(PERSONAS.length) },
  },
});

const natural = (name: 'hd-kbps' | 'personas', max: number): number => {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1 || value > max) {
    console.error(`--${name} must be a whole number from 1 to ${max}, not "${values[name]}".`);
    process.exit(2);
  }
  return value;
};

const hdKbps = natural('hd-kbps', 8_000);
const personas = PERSONAS.slice(0, natural('personas', PERSONAS.length));
try {
  await makeClips(personas, { hdKbps, onProgress: (line) => console.log(line) });
  console.log(`${personas.length} personas at ${hdKbps} kbit/s are in ${cacheFolder()}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
