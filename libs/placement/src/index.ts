export { cascade, type Cascade, type Neighbour } from './cascade.js';
export type { LegDesire, NodeDesire, NodeId, PipeDesire } from './desire.js';
export { intermediaryOf, place, type NodeLoad } from './place.js';
export { carriesForOthers, linkLoads, type LinkLoad } from './transit.js';
