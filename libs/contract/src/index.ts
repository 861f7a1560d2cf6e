export { busContract, busContractTopics } from './bus-contract.js';
export { closing } from './closing.js';
export { eventStoreContract } from './event-store-contract.js';
export type { StorePlace } from './store-at-hand.js';
export { peersContract, type PeersWorld } from './peers-contract.js';
export { chain, collect, streamOf, take } from './sample-facts.js';
