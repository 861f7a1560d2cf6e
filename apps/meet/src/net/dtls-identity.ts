import type { types } from 'mediasoup-client';

/** A certificate of this page's own, and what a node needs to know of it to accept what comes under it. */
export interface DtlsIdentity {
  readonly certificate: RTCCertificate;
  readonly dtlsParameters: types.DtlsParameters;
}

/** What both ends of mediasoup agree on: the client begins the handshake (RFC 8842 §5.2). */
const ROLE = 'client';

/**
 * Makes the certificate under which this page's media will come, before they do: its fingerprint then goes along with the attach
 * request, and the node can answer our first DTLS flight whenever that comes. Null where the browser does not tell fingerprints; then
 * they are told when the browser's own certificate is known.
 */
export const dtlsIdentity = async (): Promise<DtlsIdentity | null> => {
  if (!('RTCPeerConnection' in globalThis) || !('RTCCertificate' in globalThis)) return null;
  if (!('getFingerprints' in RTCCertificate.prototype)) return null;
  try {
    const certificate = await RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' } as AlgorithmIdentifier);
    const fingerprints = certificate.getFingerprints().flatMap(({ algorithm, value }) =>
      // Upper case, as in SDP (RFC 8122 §5).
      algorithm === 'sha-256' && value !== undefined ? [{ algorithm: 'sha-256' as const, value: value.toUpperCase() }] : [],
    );
    return fingerprints.length === 0 ? null : { certificate, dtlsParameters: { role: ROLE, fingerprints } };
  } catch {
    return null;
  }
};
