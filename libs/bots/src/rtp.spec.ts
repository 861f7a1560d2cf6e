import { describe, expect, it } from 'vitest';
import { RtcpPacketConverter, RtcpSrPacket, RtpPacket, Vp8RtpPayload } from 'werift';
import { markOf, readMark, writeMark } from './mark.js';
import { negativeAcknowledgement, pictureLoss, readRtcp, receiverReport, senderReport } from './rtcp.js';
import { readRtpHeader, writeRtpHeader } from './rtp.js';
import { keyFrameSize, packetise, readDescriptor } from './vp8.js';

describe('RTP', () => {
  const header = { payloadType: 111, marker: true, sequence: 65_535, timestamp: 4_294_967_295, ssrc: 0xdeadbeef };

  it('reads back what it wrote, with and without an audio level', () => {
    const plain = Buffer.concat([writeRtpHeader(header), Buffer.from('x')]);
    expect(readRtpHeader(plain)).toEqual({ ...header, length: 12 });
    const loud = Buffer.concat([writeRtpHeader(header, { id: 10, level: 23, voice: true }), Buffer.from('x')]);
    expect(readRtpHeader(loud)).toEqual({ ...header, length: 20 });
    expect(RtpPacket.deSerialize(loud).header.extensions).toEqual([{ id: 10, payload: Buffer.from([0x80 | 23]) }]);
  });

  it('finds no header in what is shorter than it says', () => {
    const loud = writeRtpHeader(header, { id: 10, level: 23, voice: true });
    for (let length = 0; length < loud.length; length++) expect(readRtpHeader(loud.subarray(0, length))).toBeNull();
  });
});

describe('VP8 payloads', () => {
  const keyFrame = Buffer.concat([Buffer.from([0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02]), Buffer.alloc(3_000, 7)]);

  it('put together are the frame again, as another implementation reads them', () => {
    const payloads = packetise(keyFrame, { id: 0x1234, tl0: 9 });
    expect(payloads.length).toBe(3);
    const read = payloads.map((payload) => Vp8RtpPayload.deSerialize(payload));
    expect(Buffer.concat(read.map(({ payload }) => payload))).toEqual(keyFrame);
    expect(read.map(({ isPartitionHead }) => isPartitionHead)).toEqual([true, false, false]);
    expect(read[0]!.isKeyframe).toBe(true);
    expect(payloads.map((payload) => readDescriptor(payload))).toEqual(
      [true, false, false].map((start) => ({ start, pictureId: 0x1234, tl0: 9, length: 6 })),
    );
  });

  it('fit the size they are given', () => {
    for (const size of [1, 1_093, 1_094, 1_095, 20_000]) {
      const payloads = packetise(Buffer.alloc(size), { id: 1, tl0: 1 });
      expect(Math.max(...payloads.map(({ length }) => length))).toBeLessThanOrEqual(1_100);
      expect(payloads.reduce((sum, { length }) => sum + length - 6, 0)).toBe(size);
    }
  });

  it('tell the size of a key frame and nothing of another', () => {
    expect(keyFrameSize(keyFrame)).toEqual({ width: 1280, height: 720 });
    expect(keyFrameSize(Buffer.from([0x11, ...keyFrame.subarray(1)]))).toBeNull();
    expect(keyFrameSize(keyFrame.subarray(0, 9))).toBeNull();
  });

  it('that end inside their descriptor are refused', () => {
    for (const bytes of [[], [0x90], [0x90, 0x80], [0x90, 0x80, 0x81], [0x90, 0xe0, 0x81, 0x02, 0x03]])
      expect(readDescriptor(Buffer.from(bytes))).toBeNull();
  });
});

describe('a mark', () => {
  it('tells sender, layer and frame at the end of any bytes', () => {
    const mark = { sender: markOf('nyc-5f2c'), layer: 'large', frame: 32_767 } as const;
    expect(readMark(Buffer.concat([Buffer.alloc(50, 3), writeMark(mark)]))).toEqual(mark);
  });

  it('is not seen where there is none', () => {
    const bytes = writeMark({ sender: markOf('nyc-5f2c'), layer: 'small', frame: 1 });
    for (let i = 0; i < bytes.length; i++) {
      const damaged = Buffer.from(bytes);
      damaged[i]! ^= 0x10;
      expect(readMark(damaged)).toBeNull();
    }
    expect(readMark(Buffer.alloc(5))).toBeNull();
  });
});

describe('RTCP', () => {
  it('reports in a form that another implementation reads', () => {
    const [report] = RtcpPacketConverter.deSerialize(
      senderReport({ ssrc: 5, timestamp: 77, packets: 3, octets: 900 }, 'leg', 1_700_000_000_250),
    );
    expect(report).toBeInstanceOf(RtcpSrPacket);
    expect(report).toMatchObject({ ssrc: 5, senderInfo: { rtpTimestamp: 77, packetCount: 3, octetCount: 900 } });
  });

  it('reads requests for key frames, losses and reports out of one compound packet', () => {
    const fir = Buffer.from([0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1, 0, 0, 0]);
    const compound = Buffer.concat([
      receiverReport(1, []),
      senderReport({ ssrc: 5, timestamp: 1, packets: 1, octets: 1 }, 'leg', 1_000),
      pictureLoss(1, 8),
      fir,
      negativeAcknowledgement(1, 8, [65_535, 0, 2, 40]),
    ]);
    expect(readRtcp(compound)).toEqual([
      { type: 'sender-report', ssrc: 5, ntpMiddle: expect.any(Number) as number },
      { type: 'key-frame-wanted', ssrc: 8 },
      { type: 'key-frame-wanted', ssrc: 9 },
      { type: 'lost', ssrc: 8, sequences: [65_535, 0, 2, 40] },
    ]);
  });

  it('passes over what it cannot hold together', () => {
    const whole = Buffer.concat([pictureLoss(1, 8), pictureLoss(1, 9)]);
    for (let length = 0; length <= whole.length; length++) expect(readRtcp(whole.subarray(0, length)).length).toBe(Math.floor(length / 12));
  });
});
