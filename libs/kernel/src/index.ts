export type { Brand } from './brand.js';
export { canonical, isFact, seal, verify, type UnsealedFact } from './canonical.js';
export { Pass, Table, type Decider } from './decider.js';
export { Defect, Fault, IsthmusError, Refusal, invariant } from './error.js';
export {
  categoryOf,
  epochOf,
  siteOf,
  siteOfStream,
  streamNameOf,
  subjectOf,
  writerIdOf,
  writerOf,
  type Fact,
  type FactHash,
  type Head,
  type SiteId,
  type StreamName,
  type WriterId,
} from './fact.js';
export { createTimeline, type Draft, type Timeline } from './history.js';
export { apart, inOrder, saw, type Said } from './said.js';
export { freeze, thaw, type FrozenSnapshot, type Snapshot } from './snapshot.js';
