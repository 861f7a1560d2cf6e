export {
  createAuthority,
  createRequest,
  issue,
  sign,
  type Authority,
  type Credentials,
  type KeyedCertificate,
  type Names,
} from './certificates.js';
export { identityFromUri, identityOf, uriOf, type Identity } from './identity.js';
export { dial, type DialOptions, type Dialled } from './secure-dialler.js';
export { type LinkLimits, type SecureLink } from './secure-link.js';
export { secureServer, type SecureServer, type SecureServerOptions, type TurnedAway } from './secure-server.js';
export { httpPeers, type HttpPeers, type HttpPeersOptions } from './http-peers.js';
export type { Trouble } from './outgoing-line.js';
export { certificateSignatures } from './signatures.js';
export { keepFile } from './kept-file.js';
