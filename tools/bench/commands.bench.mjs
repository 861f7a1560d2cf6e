import { startBrainProcess } from './brain/start-brain.mjs';

/**
 * How many commands a site's brain carries out in a second: decided, on disk (fsynced) and only then acknowledged, with all that
 * follows from each (view and desires). They come over the bus as a gateway-router sends them, one under way in each room; writes
 * that wait for the disk share its next fsync. Then again with every fsync made 5 ms slower, as on a busy or a distant disk.
 */
export const title = 'Durable commands';
export const seconds = 30;

const GOAL_PER_SECOND = 5_000;
const ROOMS = 256;
const PEOPLE = 2;
const SLOW_MS = 5;

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  const ms = context.quick ? 2_000 : 6_000;
  const measured = async (/** @type {number | undefined} */ fsyncDelayMs) => {
    context.note(fsyncDelayMs === undefined ? 'as the disk is' : `each fsync ${fsyncDelayMs} ms slower`);
    const brain = await startBrainProcess(context, { rooms: ROOMS, ...(fsyncDelayMs === undefined ? {} : { fsyncDelayMs }) });
    await brain.tell('fill', { rooms: ROOMS, people: PEOPLE });
    const result = await brain.tell('talk', { ms });
    await brain.tell('close');
    return result;
  };
  const [plain, slow] = [await measured(undefined), await measured(SLOW_MS)];
  const figure = (/** @type {string} */ name, /** @type {{ perSecond: number, cpuUsEach: number }} */ { perSecond, cpuUsEach }) => ({
    name,
    value: perSecond,
    unit: '/s',
    goal: { atLeast: GOAL_PER_SECOND },
    note: `${ROOMS} rooms, one command under way in each; ${Math.round(cpuUsEach)} µs of CPU each`,
  });
  return [
    figure('durable commands', plain),
    { ...figure(`durable commands, fsync ${SLOW_MS} ms slower`, slow), anchor: { name: 'with the disk as it is', value: plain.perSecond } },
  ];
};
