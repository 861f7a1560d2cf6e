export type { LegDesire, NodeDesire, NodeId, PipeDesire } from './desire.js';
