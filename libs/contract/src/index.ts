export { busContract, busContractTopics } from './bus-contract.js';
export { eventStoreContract, type StorePlace } from './event-store-contract.js';
export { peersContract, type PeersWorld } from './peers-contract.js';
export { chain, collect, streamOf, take } from './sample-facts.js';
