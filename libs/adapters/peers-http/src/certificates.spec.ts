import 'reflect-metadata';
import { X509Certificate, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import * as x509 from '@peculiar/x509';
import type { SiteId } from '@isthmus/kernel';
import { createAuthority, createRequest, issue, sign } from './certificates.js';
import { identityFromUri, identityOf, uriOf, type Identity } from './identity.js';

const nyc: Identity = { kind: 'site', site: 'nyc' as SiteId };

describe('certificates', () => {
  test('an authority issues certificates that OpenSSL accepts as its own, with their names', async () => {
    const authority = await createAuthority();
    const {
      certificate,
      key,
      authority: trusted,
    } = await issue(authority, { identity: nyc, dns: ['meet.example'], ips: ['127.0.0.11'], days: 30 });
    const parsed = new X509Certificate(certificate);
    const issuer = new X509Certificate(trusted);
    expect(parsed.checkIssued(issuer)).toBe(true);
    expect(parsed.verify(issuer.publicKey)).toBe(true);
    expect(parsed.subjectAltName).toBe('URI:isthmus:site:nyc, DNS:meet.example, IP Address:127.0.0.11');
    expect(parsed.ca).toBe(false);
    expect(issuer.ca).toBe(true);
    expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(new Date(parsed.validTo).getTime() - Date.now()).toBeLessThan(30 * 86_400_000 + 1_000);
  });

  test('a request is signed under the names that the authority gives, its key staying where it was made', async () => {
    const authority = await createAuthority();
    const { request, key } = await createRequest();
    const certificate = await sign(authority, request, { identity: nyc });
    expect(identityOf(certificate)).toEqual(nyc);
    expect(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))).toBe(true);
  });

  test('a name that stands in the request does not come to stand in the certificate', async () => {
    const authority = await createAuthority();
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const greedy = await x509.Pkcs10CertificateRequestGenerator.create({
      name: [{ CN: ['isthmus:management'] }],
      keys,
      signingAlgorithm: algorithm,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'url', value: 'isthmus:management' }])],
    });
    const certificate = await sign(authority, greedy.toString('pem'), { identity: nyc });
    expect(identityOf(certificate)).toEqual(nyc);
    expect(new X509Certificate(certificate).subjectAltName).toBe('URI:isthmus:site:nyc');
  });

  test('what is no request, is tampered with, or has another kind of key is refused', async () => {
    const authority = await createAuthority();
    const { request } = await createRequest();
    const tampered = (() => {
      const bytes = Buffer.from(x509.PemConverter.decodeFirst(request));
      bytes[bytes.length - 5]! ^= 0xff;
      return x509.PemConverter.encode(Uint8Array.from(bytes).buffer, 'CERTIFICATE REQUEST');
    })();
    const { publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 1024,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    for (const bad of [
      '',
      'hello',
      '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
      authority.certificate,
      tampered,
      publicKey,
    ]) {
      await expect(sign(authority, bad, { identity: nyc })).rejects.toMatchObject({ kind: 'refusal', code: 'certificate.bad-request' });
    }
  });

  test('an identity reads back from its URI, and nothing else does', () => {
    const identities: Identity[] = [{ kind: 'management' }, nyc, { kind: 'node', site: 'nyc' as SiteId, node: 'nyc-1' }];
    for (const identity of identities) expect(identityFromUri(uriOf(identity))).toEqual(identity);
    for (const odd of [
      '',
      'isthmus:',
      'isthmus:site:',
      'isthmus:site:NYC',
      'isthmus:site:nyc\n',
      'isthmus:site:a:b',
      'isthmus:management:x',
      'https:site:nyc',
    ]) {
      expect(identityFromUri(odd)).toBeUndefined();
    }
  });

  test('a certificate that names two of us, or none, names nobody', async () => {
    const authority = await createAuthority();
    expect(identityOf((await issue(authority, { dns: ['isthmus.example'] })).certificate)).toBeUndefined();
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const two = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=two',
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [
        new x509.SubjectAlternativeNameExtension([
          { type: 'url', value: 'isthmus:site:nyc' },
          { type: 'url', value: 'isthmus:site:lon' },
        ]),
      ],
    });
    expect(identityOf(two.toString('pem'))).toBeUndefined();
    expect(identityOf('garbage')).toBeUndefined();
  });
});
