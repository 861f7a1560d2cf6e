import { beforeAll, describe, expect, it } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import { createAuthority, issue, type Authority, type Credentials } from './certificates.js';
import { certificateSignatures } from './signatures.js';

const nyc = 'nyc' as SiteId;
let authority: Authority;
let own: Credentials;
let peer: Credentials;

beforeAll(async () => {
  authority = await createAuthority();
  own = await issue(authority, { identity: { kind: 'site', site: nyc } });
  peer = await issue(authority, { identity: { kind: 'site', site: 'lon' as SiteId } });
});

describe('a word that comes by way of somebody else', () => {
  it('is its site’s if that site’s key signed it', () => {
    const signed = certificateSignatures(() => own).sign('head 7');
    const reader = certificateSignatures(() => peer);
    expect(reader.verify(nyc, 'head 7', signed)).toBe(true);
    expect(reader.verify(nyc, 'head 8', signed)).toBe(false);
    expect(reader.verify('lon' as SiteId, 'head 7', signed)).toBe(false);
    expect(reader.verify(nyc, 'head 7', { ...signed, certificate: peer.certificate })).toBe(false);
    for (const garbage of ['', 'no certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])
      expect(reader.verify(nyc, 'head 7', { ...signed, certificate: garbage })).toBe(false);
    expect(reader.verify(nyc, 'head 7', { ...signed, signature: '' })).toBe(false);
  });
  it('is not, if the certificate comes from another authority or names no site', async () => {
    const stranger = await issue(await createAuthority(), { identity: { kind: 'site', site: nyc } });
    const node = await issue(authority, { identity: { kind: 'node', site: nyc, node: 'nyc-1' } });
    const reader = certificateSignatures(() => peer);
    for (const other of [stranger, node])
      expect(reader.verify(nyc, 'head 7', certificateSignatures(() => other).sign('head 7'))).toBe(false);
  });
  it('is management’s if management’s key signed it, and a site’s key never speaks for management', async () => {
    const management = 'management' as SiteId;
    const credentials = await issue(authority, { identity: { kind: 'management' } });
    const reader = certificateSignatures(() => peer);
    expect(reader.verify(management, 'head 7', certificateSignatures(() => credentials).sign('head 7'))).toBe(true);
    expect(reader.verify(management, 'head 7', certificateSignatures(() => own).sign('head 7'))).toBe(false);
    expect(reader.verify(nyc, 'head 7', certificateSignatures(() => credentials).sign('head 7'))).toBe(false);
  });
  it('stays its site’s word when the certificate is renewed, and the authority replaced by one beside it', async () => {
    const signed = certificateSignatures(() => own).sign('head 7');
    const successor = await createAuthority();
    let trusted = `${authority.certificate}\n${successor.certificate}`;
    const reader = certificateSignatures(() => ({ ...peer, authority: trusted }));
    expect(reader.verify(nyc, 'head 7', signed)).toBe(true);
    const renewed = await issue(successor, { identity: { kind: 'site', site: nyc } });
    expect(reader.verify(nyc, 'head 8', certificateSignatures(() => renewed).sign('head 8'))).toBe(true);
    trusted = successor.certificate;
    expect(reader.verify(nyc, 'head 7', signed)).toBe(false);
  });
});
