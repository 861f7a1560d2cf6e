import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lib/paths.mjs';
import { Problem } from '../lib/problem.mjs';

/**
 * kafkajs, once it has sent anything, checks its empty queue of requests every millisecond for ever (tulios/kafkajs#1751,
 * #1704): `throttledUntil` is -1 until a broker throttles, so the time to wait is negative, which setTimeout takes for 1 ms. Five
 * idle clients spend 4 % of a core so, and Node warns of every one. Nothing is pending then, and nothing has to be looked at.
 */
const VERSION = '2.2.4';
const FILE = join('src', 'network', 'requestQueue', 'index.js');
const BEFORE = '    let scheduleAt = this.throttledUntil - Date.now()\n';
const AFTER = `${BEFORE}    if (scheduleAt <= 0 && this.pending.length === 0) return // patched by Isthmus (tools/kafka/patch-kafkajs.mjs)\n`;

/**
 * Patches kafkajs where it lies; quiet if it is patched already. Another version than the one it was written for is refused, so
 * that nobody upgrades without looking.
 * @param {string} [folder]
 */
export const patchKafkajs = (folder = join(ROOT, 'node_modules', 'kafkajs')) => {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const next = 'See whether its timer is mended (tulios/kafkajs#1751), then adapt or remove tools/kafka/patch-kafkajs.mjs.';
  if (version !== VERSION) throw new Problem(`kafkajs is ${version}, and the patch for its timer was made for ${VERSION}.`, next);
  const file = join(folder, FILE);
  const source = readFileSync(file, 'utf8');
  if (source.includes(AFTER)) return;
  if (source.split(BEFORE).length !== 2) throw new Problem(`The patch for kafkajs does not fit ${FILE}.`, next);
  // In one step: services may be reading it.
  writeFileSync(
    `${file}.patched`,
    source.replace(BEFORE, () => AFTER),
  );
  renameSync(`${file}.patched`, file);
};
