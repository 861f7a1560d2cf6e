import { describe, expect, it } from 'vitest';
import { readRtpHeader, writeRtpHeader } from './rtp.js';
import { Opener, Protector, type MasterKey } from './srtp.js';
import { senderReport } from './rtcp.js';
import { ProtectionProfileAeadAes128Gcm, RtpHeader, SrtcpSession, SrtpSession } from 'werift';

const master: MasterKey = {
  key: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'),
  salt: Buffer.from('517569642070726f2071756f', 'hex'),
};
const packet = (protector: Protector, sequence: number, payload = Buffer.from(`packet ${sequence}`)) =>
  protector.protectRtp(writeRtpHeader({ payloadType: 96, marker: true, sequence, timestamp: 1, ssrc: 7 }), payload);
const openPacket = (opener: Opener, sealed: Buffer) => {
  const header = readRtpHeader(sealed);
  const payload = header && opener.openRtp(sealed, header, opener.note(header));
  return header && payload && { header, payload };
};

describe('SRTP with AES-GCM', () => {
  // werift's implementation is older than ours and talks to browsers: an independent reading of RFC 7714.
  const werift = {
    profile: ProtectionProfileAeadAes128Gcm,
    keys: { localMasterKey: master.key, localMasterSalt: master.salt, remoteMasterKey: master.key, remoteMasterSalt: master.salt },
  } as const;

  it('is opened by another implementation', () => {
    const opened = new SrtpSession(werift).decrypt(packet(new Protector(master), 100));
    expect(opened.subarray(12).toString()).toBe('packet 100');
  });

  it('opens what another implementation protected', () => {
    const header = new RtpHeader({ payloadType: 96, sequenceNumber: 5, timestamp: 9, ssrc: 7, marker: true });
    const opened = openPacket(new Opener(master), new SrtpSession(werift).encrypt(Buffer.from('hello'), header));
    expect(opened?.payload.toString()).toBe('hello');
    expect(opened?.header).toMatchObject({ sequence: 5, ssrc: 7, marker: true });
  });

  it('exchanges RTCP with another implementation both ways', () => {
    const report = senderReport({ ssrc: 7, timestamp: 1, packets: 2, octets: 3 }, 'somebody', 1_700_000_000_500);
    expect(new SrtcpSession(werift).decrypt(new Protector(master).protectRtcp(report))).toEqual(report);
    expect(new Opener(master).openRtcp(new SrtcpSession(werift).encrypt(report))).toEqual(report);
  });

  it('follows the sequence number around, twice, with late packets at the seam', () => {
    const protector = new Protector(master);
    const opener = new Opener(master);
    let sequence = 65_000;
    for (let n = 0; n < 2_300; n++, sequence = (sequence + 60) & 0xffff) {
      const [first, second] = [packet(protector, sequence), packet(protector, (sequence + 1) & 0xffff)];
      expect(openPacket(opener, second)?.payload.toString()).toBe(`packet ${(sequence + 1) & 0xffff}`);
      expect(openPacket(opener, first)?.payload.toString()).toBe(`packet ${sequence}`);
    }
  });

  it('refuses a packet that was changed on the way, and short rubbish', () => {
    const sealed = packet(new Protector(master), 1);
    sealed[20]! ^= 1;
    expect(openPacket(new Opener(master), sealed)).toBeNull();
    expect(openPacket(new Opener(master), Buffer.from([0x80, 96, 0, 1]))).toBeNull();
    expect(new Opener(master).openRtcp(Buffer.alloc(11, 0x80))).toBeNull();
  });
});
