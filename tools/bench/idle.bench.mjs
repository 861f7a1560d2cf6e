import { startBrainProcess } from './brain/start-brain.mjs';
import { ownMemoryMiB } from './lib/processes.mjs';

/**
 * What a conference costs the brain in memory while two people are in it and nothing happens, with ten thousand of them: what lives on
 * JavaScript's heap after a collection, and the process's own pages, which also hold what the heap has room for. Media are apart
 * (see `memory`): a node sets up the media of a conference only for whoever is attached there.
 */
export const title = 'Memory of idle conferences';
export const seconds = 60;

const PEOPLE = 2;

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  const conferences = context.quick ? 1_000 : 10_000;
  const brain = await startBrainProcess(context, { rooms: conferences + 100 });
  // What the first ones make for all that follow is not theirs.
  await brain.tell('fill', { rooms: 100, people: PEOPLE });
  const memory = async () => ({ heap: (await brain.tell('memory')).heap / 1_024, pages: ownMemoryMiB(brain.pid) * 1_024 });
  const before = await memory();
  context.note(`${conferences} conferences of ${PEOPLE}`);
  await brain.tell('fill', { rooms: conferences, people: PEOPLE });
  const after = await memory();
  await brain.tell('close');
  const each = (/** @type {'heap' | 'pages'} */ part) => (after[part] - before[part]) / conferences;
  const note = `${conferences} of them, ${PEOPLE} people in each`;
  return [
    { name: 'brain’s heap per idle conference', value: each('heap'), unit: 'KiB', note },
    { name: 'brain’s memory per idle conference', value: each('pages'), unit: 'KiB', note },
  ];
};
