/** What may also be used outside of a test run, by processes that specs start. */
export { freePort } from './free-port.js';
export { chained, estateFacts, noBus, noPeers, roomsCreated, sampleNode, sampleRoom, sha256, type Unsealed } from './sample-site.js';
