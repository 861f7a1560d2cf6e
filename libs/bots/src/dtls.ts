import { createHash } from 'node:crypto';
import {
  CipherContext,
  DtlsClient,
  HashAlgorithm,
  NamedCurveAlgorithm,
  ProtectionProfileAeadAes128Gcm,
  SignatureAlgorithm,
  type Transport,
} from 'werift';
import { Fault } from '@isthmus/kernel';
import { SRTP_KEY_BYTES, SRTP_SALT_BYTES, type MasterKey } from './srtp.js';

/**
 * DTLS-SRTP as a client (RFC 5764), on werift's handshake. Only AEAD_AES_128_GCM is offered: it is the cheapest that
 * mediasoup speaks, by half.
 */
export interface Fingerprint {
  readonly algorithm: string;
  readonly value: string;
}

const certificate = () =>
  CipherContext.createSelfSignedCertificateWithKey(
    { signature: SignatureAlgorithm.ecdsa_3, hash: HashAlgorithm.sha256_4 },
    NamedCurveAlgorithm.secp256r1_23,
  );
let ours: ReturnType<typeof certificate> | undefined;
/** One certificate for all bots of a process: making one costs more than a handshake. */
const ourCertificate = () => (ours ??= certificate());

const fingerprintOf = (der: Buffer, algorithm: string): string =>
  createHash(algorithm.replace('-', '')).update(der).digest('hex').toUpperCase().match(/../g)!.join(':');

export const ourFingerprint = async (): Promise<Fingerprint> => {
  const { certPem } = await ourCertificate();
  const der = Buffer.from(certPem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return { algorithm: 'sha-256', value: fingerprintOf(der, 'sha-256') };
};

export interface SrtpKeys {
  readonly send: MasterKey;
  readonly receive: MasterKey;
}

/** Runs the handshake over `transport` and answers the SRTP keys, if the peer's certificate is the one signalling named. */
export const handshake = async (transport: Transport, expected: readonly Fingerprint[], deadlineMs: number): Promise<SrtpKeys> => {
  const { certPem, keyPem, signatureHash } = await ourCertificate();
  const client = new DtlsClient({
    transport,
    cert: certPem,
    key: keyPem,
    signatureHash,
    srtpProfiles: [ProtectionProfileAeadAes128Gcm],
    extendedMasterSecret: true,
  });
  await new Promise<void>((resolve, reject) => {
    const failed = (why: string, cause?: unknown) =>
      reject(
        new Fault('bot.dtls', `The media node did not complete the DTLS handshake: ${why}. Is its UDP port reachable?`, {}, { cause }),
      );
    const timer = setTimeout(() => failed(`no end within ${deadlineMs} ms`), deadlineMs);
    const settle = (act: () => void) => () => {
      clearTimeout(timer);
      act();
    };
    client.onConnect.once(settle(resolve));
    client.onClose.once(settle(() => failed('it sent an alert')));
    client.onError.once((error) => settle(() => failed(String(error), error))());
    client.connect().catch((error: unknown) => settle(() => failed(String(error), error))());
  });
  const theirs = client.remoteCertificate;
  // Browsers insist on every offered hash they know; one of ours suffices, mediasoup always offers sha-256.
  const named = expected.find(({ algorithm }) => algorithm === 'sha-256');
  if (!theirs || !named || fingerprintOf(theirs, 'sha-256') !== named.value.toUpperCase()) {
    throw new Fault('bot.dtls-fingerprint', 'The media node showed another certificate than signalling announced: somebody is in between.');
  }
  if (client.srtp.srtpProfile !== ProtectionProfileAeadAes128Gcm) {
    throw new Fault('bot.srtp-profile', 'The media node does not offer SRTP with AEAD_AES_128_GCM.');
  }
  const keys = client.extractSessionKeys(SRTP_KEY_BYTES, SRTP_SALT_BYTES);
  return {
    send: { key: Buffer.from(keys.localKey), salt: Buffer.from(keys.localSalt) },
    receive: { key: Buffer.from(keys.remoteKey), salt: Buffer.from(keys.remoteSalt) },
  };
};
