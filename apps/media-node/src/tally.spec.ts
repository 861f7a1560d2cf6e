import { beforeEach, describe, expect, it } from 'vitest';
import type { Feed, PipeTransport, Stream } from '@isthmus/media-mediasoup';
import { Tally } from './tally.js';

/** What mediasoup would answer, and how often it was asked. */
let asked: string[];
const line = <T>(id: string, kind: 'audio' | 'video', bytes: () => number): T =>
  ({
    ...{ id, kind, streamId: `of ${id}` },
    open: true,
    closed: false,
    bytes: async () => {
      asked.push(id);
      return bytes();
    },
  }) as T;
const transport = (sent: () => { rtp: number; wire: number }, received = sent): PipeTransport =>
  ({ closed: false, bytes: async () => ({ sent: sent(), received: received() }) }) as unknown as PipeTransport;

describe('the tally of a pipe', () => {
  let tally: Tally;
  let speaks: boolean;
  let now: number;
  beforeEach(() => {
    [speaks, now] = [true, 0];
    tally = new Tally(
      () => speaks,
      () => now,
    );
    asked = [];
  });

  it('tells cameras from voices without asking for each camera', async () => {
    const feeds = [line<Feed>('camera', 'video', () => 5_000), line<Feed>('voice', 'audio', () => 300)];
    const streams = [line<Stream>('their camera', 'video', () => 9_000), line<Stream>('their voice', 'audio', () => 100)];
    const pipe = transport(
      () => ({ rtp: 5_300, wire: 5_900 }),
      () => ({ rtp: 9_100, wire: 9_150 }),
    );
    expect(await tally.read(pipe, feeds, streams)).toEqual({
      sent: { videoBytes: 5_000, audioBytes: 300, rtcpBytes: 600 },
      received: { videoBytes: 9_000, audioBytes: 100, rtcpBytes: 50 },
    });
    expect(asked).toEqual(['voice', 'their voice']);
  });

  it('goes on counting where it was when the pipe begins anew', async () => {
    await tally.read(
      transport(() => ({ rtp: 1_000, wire: 1_100 })),
      [],
      [],
    );
    tally.transportGone();
    const { sent } = await tally.read(
      transport(() => ({ rtp: 10, wire: 30 })),
      [],
      [],
    );
    expect(sent).toEqual({ videoBytes: 1_010, audioBytes: 0, rtcpBytes: 120 });
  });

  it('never counts back, although a voice may have been asked a moment later than the whole', async () => {
    let voice = 0;
    let rtp = 1_000;
    const feeds = [line<Feed>('voice', 'audio', () => voice)];
    const pipe = transport(() => ({ rtp, wire: rtp }));
    const read = async () => (await tally.read(pipe, feeds, [])).sent.videoBytes;
    expect(await read()).toBe(1_000);
    [voice, rtp] = [120, 1_100];
    expect(await read()).toBe(1_000);
    [voice, rtp] = [120, 1_200];
    expect(await read()).toBe(1_080);
  });

  it('asks a voice that is silent only every ten seconds, and at once when it speaks', async () => {
    const feeds = [line<Feed>('voice', 'audio', () => 300)];
    const streams = [line<Stream>('their voice', 'audio', () => 100)];
    const pipe = transport(() => ({ rtp: 1_000, wire: 1_000 }));
    const second = async () => {
      now += 1_000;
      asked = [];
      await tally.read(pipe, feeds, streams);
      return asked;
    };
    speaks = false;
    // For the first time: nothing is known of them yet.
    expect(await second()).toEqual(['voice', 'their voice']);
    for (let silent = 1; silent < 10; silent++) expect(await second()).toEqual([]);
    expect(await second()).toEqual(['voice', 'their voice']);
    speaks = true;
    expect(await second()).toEqual(['voice', 'their voice']);
    expect(await second()).toEqual(['voice', 'their voice']);
  });
});
