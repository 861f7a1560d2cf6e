export type { Brand } from './brand.js';
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
