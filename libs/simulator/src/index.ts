export { PARTITIONS, type Partition } from './weather.js';
export { runSeed, World, type Outcome, type WorldOptions } from './world.js';
