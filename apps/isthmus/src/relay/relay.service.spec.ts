import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket as TcpSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectRelay, type RelayClient } from './relay-client.js';
import { aliasOf, type Place } from './relay-plan.js';
import { startRelay, type Relay } from './relay.js';

/** Loopback addresses of this run only: other runs on the machine have others. */
const block = 100 + (process.pid % 100);
const place = (id: string, index: number): Place => ({
  id,
  host: `127.0.${block}.${index}`,
  index: index + (block % 50) * 4,
  tcpPorts: [31_001],
  udpPorts: { from: 31_040, to: 31_043 },
});
const nyc = place('nyc', 1);
const lon = place('lon', 2);
const cpt = place('cpt', 3);

/** An RTP packet as SRTP sends it: header, payload, tag. */
const rtp = (payloadType: number, ssrc: number, payloadBytes: number): Buffer => {
  const packet = Buffer.alloc(12 + payloadBytes + 16);
  packet[0] = 0x80;
  packet[1] = payloadType;
  packet.writeUInt32BE(ssrc, 8);
  return packet;
};

describe('the relay', () => {
  let folder: string;
  let relay: Relay;
  let client: RelayClient;
  const sockets: Socket[] = [];
  const connections: TcpSocket[] = [];
  const servers: Server[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-relay-'));
    relay = await startRelay({ places: [nyc, lon, cpt], controlPath: join(folder, 'relay.sock') });
    client = await connectRelay(join(folder, 'relay.sock'));
  });
  afterEach(async () => {
    client.close();
    for (const socket of sockets.splice(0)) socket.close();
    for (const connection of connections.splice(0)) connection.destroy();
    for (const server of servers.splice(0)) server.close();
    await relay.close();
    rmSync(folder, { recursive: true });
  });

  const open = async (at: Place, port: number) => {
    const socket = createSocket('udp4');
    socket.bind(port, at.host);
    await once(socket, 'listening');
    sockets.push(socket);
    return socket;
  };
  const received = (socket: Socket) => once(socket, 'message', { signal: AbortSignal.timeout(2_000) }) as Promise<[Buffer, RemoteInfo]>;
  const link = async (from: Place, to: Place) => (await client.stats()).links.find((each) => each.from === from.id && each.to === to.id)!;

  describe('with RTP', () => {
    it('makes the sender appear where the receiver would send to, so that both ends of a pipe agree', async () => {
      const a = await open(nyc, 31_040);
      const b = await open(lon, 31_042);
      a.send(rtp(101, 7, 100), 31_042, aliasOf(nyc, lon));
      const [, seenByB] = await received(b);
      expect([seenByB.address, seenByB.port]).toEqual([aliasOf(lon, nyc), 31_040]);
      b.send(rtp(100, 8, 50), seenByB.port, seenByB.address);
      const [packet, seenByA] = await received(a);
      expect([seenByA.address, seenByA.port]).toEqual([aliasOf(nyc, lon), 31_042]);
      expect(packet).toEqual(rtp(100, 8, 50));
    });

    it('counts each direction by what it carries, with and without what SRTP adds', async () => {
      const a = await open(nyc, 31_040);
      const b = await open(lon, 31_042);
      const rtcp = Buffer.from([0x80, 200, 0, 0, 0, 0, 0, 1]);
      for (const packet of [rtp(101, 7, 1000), rtp(101, 7, 500), rtp(102, 9, 200), rtp(100, 8, 50), rtcp, Buffer.from('junk')]) {
        a.send(packet, 31_042, aliasOf(nyc, lon));
        await received(b);
      }
      const { kinds, streams } = await link(nyc, lon);
      expect(kinds).toEqual({
        audio: { packets: 1, bytes: 78, rtpBytes: 62 },
        video: { packets: 2, bytes: 1556, rtpBytes: 1524 },
        retransmission: { packets: 1, bytes: 228, rtpBytes: 212 },
        rtcp: { packets: 1, bytes: 8, rtpBytes: 0 },
        other: { packets: 1, bytes: 4, rtpBytes: 0 },
      });
      expect(streams.find(({ ssrc }) => ssrc === 7)).toEqual({ ssrc: 7, kind: 'video', packets: 2, bytes: 1556, rtpBytes: 1524 });
      expect((await link(lon, nyc)).kinds.video.packets).toBe(0);
      const bins = await client.bins('nyc', 'lon', 50);
      await sleep(100);
      expect((await client.bins('nyc', 'lon', 50)).video.reduce((sum, bytes) => sum + bytes, 0)).toBe(1556);
      expect(bins.video).toHaveLength(50);
      await client.reset();
      expect((await link(nyc, lon)).kinds.video.bytes).toBe(0);
    });

    it('drops what a stranger sends to an alias', async () => {
      const b = await open(lon, 31_042);
      const stranger = createSocket('udp4');
      sockets.push(stranger);
      stranger.send(rtp(101, 7, 100), 31_042, aliasOf(nyc, lon));
      await expect(received(b)).rejects.toThrow();
      expect(await link(nyc, lon)).toMatchObject({ dropped: 1 });
    });

    it('cuts one way or both, touches no other link, and heals', async () => {
      const a = await open(nyc, 31_040);
      const b = await open(lon, 31_042);
      const c = await open(cpt, 31_041);
      const gets = async (to: Socket, send: () => void) => {
        const message = once(to, 'message', { signal: AbortSignal.timeout(300) }).then(
          () => true,
          () => false,
        );
        send();
        return message;
      };
      const toLon = () => a.send(rtp(101, 1, 10), 31_042, aliasOf(nyc, lon));
      const toNyc = () => b.send(rtp(101, 2, 10), 31_040, aliasOf(lon, nyc));
      const toCpt = () => a.send(rtp(101, 1, 10), 31_041, aliasOf(nyc, cpt));
      await client.cut('nyc', 'lon', { oneWay: true });
      expect([await gets(b, toLon), await gets(a, toNyc), await gets(c, toCpt)]).toEqual([false, true, true]);
      await client.cut('nyc', 'lon');
      expect([await gets(b, toLon), await gets(a, toNyc), await gets(c, toCpt)]).toEqual([false, false, true]);
      await client.heal();
      expect([await gets(b, toLon), await gets(a, toNyc), await gets(c, toCpt)]).toEqual([true, true, true]);
    });

    it('delays and loses as asked, in order', async () => {
      const a = await open(nyc, 31_040);
      const b = await open(lon, 31_042);
      const arrived: number[] = [];
      b.on('message', (packet: Buffer) => arrived.push(packet.readUInt32BE(8)));
      await client.shape('nyc', 'lon', { delayMs: 150, jitterMs: 50 });
      for (let ssrc = 0; ssrc < 20; ssrc++) a.send(rtp(101, ssrc, 10), 31_042, aliasOf(nyc, lon));
      await sleep(100);
      expect(arrived).toEqual([]);
      await sleep(200);
      expect(arrived).toEqual(Array.from({ length: 20 }, (_, at) => at));
      await client.shape('nyc', 'lon', { delayMs: 0, jitterMs: 0, lossPercent: 50 });
      for (let at = 0; at < 400; at++) a.send(rtp(101, 99, 10), 31_042, aliasOf(nyc, lon));
      await sleep(300);
      expect(arrived.length - 20).toBeGreaterThan(130);
      expect(arrived.length - 20).toBeLessThan(270);
    });

    it('passes 20,000 packets on as fast as they come, and loses none', async () => {
      const a = await open(nyc, 31_040);
      const b = await open(lon, 31_042);
      b.setRecvBufferSize(4 << 20);
      let arrived = 0;
      b.on('message', () => arrived++);
      const packet = rtp(101, 7, 1100);
      // Ten at a time, as a key frame comes.
      for (let burst = 0; burst < 2_000; burst++) {
        for (let at = 0; at < 10; at++) a.send(packet, 31_042, aliasOf(nyc, lon));
        if (burst % 10 === 0) await sleep(5);
        else await new Promise(setImmediate);
      }
      await expect.poll(() => arrived, { timeout: 5_000 }).toBeGreaterThan(19_900);
      expect((await link(nyc, lon)).kinds.video.packets).toBe(20_000);
    });
  });

  describe('with TCP', () => {
    const serve = async (at: Place, handle: (socket: TcpSocket) => void) => {
      const server = createServer((socket) => {
        connections.push(socket);
        socket.on('error', () => socket.destroy());
        handle(socket);
      });
      server.listen(31_001, at.host);
      await once(server, 'listening');
      servers.push(server);
    };
    const call = async (from: Place, to: Place) => {
      const socket = connect({ host: aliasOf(from, to), port: 31_001, localAddress: from.host });
      connections.push(socket);
      socket.on('error', () => socket.destroy());
      await once(socket, 'connect');
      return socket;
    };
    const textOf = (socket: TcpSocket) => {
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      return () => text;
    };

    it('passes a connection on, to its end on both sides, and counts it', async () => {
      let seenAs: string | undefined;
      await serve(lon, (socket) => {
        seenAs = socket.remoteAddress;
        socket.pipe(socket);
      });
      const caller = await call(nyc, lon);
      const heard = textOf(caller);
      caller.end('hello'.repeat(50_000));
      await once(caller, 'close');
      expect(heard()).toHaveLength(250_000);
      expect(seenAs).toBe(aliasOf(lon, nyc));
      expect((await link(nyc, lon)).tcpBytes).toBe(250_000);
      expect((await link(lon, nyc)).tcpBytes).toBe(250_000);
    });

    it('stands still while the link is cut, tells nobody that the other has gone, and loses nothing', async () => {
      let callee: TcpSocket | undefined;
      await serve(lon, (socket) => (callee = socket));
      const caller = await call(nyc, lon);
      await expect.poll(() => callee).toBeDefined();
      const heard = textOf(callee!);
      caller.write('before ');
      await expect.poll(heard).toBe('before ');
      await client.cut('nyc', 'lon');
      caller.write('during');
      caller.destroySoon();
      await sleep(300);
      expect([heard(), callee!.closed]).toEqual(['before ', false]);
      await client.heal('nyc', 'lon');
      await expect.poll(heard).toBe('before during');
      await expect.poll(() => callee!.readableEnded).toBe(true);
    });

    it('lets a call made while the link is cut through when it heals', async () => {
      await serve(lon, (socket) => socket.end('welcome'));
      await client.cut('nyc', 'lon');
      const caller = await call(nyc, lon);
      const heard = textOf(caller);
      await sleep(200);
      expect(heard()).toBe('');
      await client.heal();
      await expect.poll(heard).toBe('welcome');
    });

    it('delays without slowing down', async () => {
      await serve(lon, (socket) => socket.pipe(socket));
      await client.shape('nyc', 'lon', { delayMs: 50 });
      const caller = await call(nyc, lon);
      const heard = textOf(caller);
      const begun = performance.now();
      for (let at = 0; at < 20; at++) {
        caller.write('.');
        await sleep(5);
      }
      await expect.poll(heard, { interval: 5 }).toHaveLength(20);
      expect(performance.now() - begun).toBeGreaterThan(195);
      expect(performance.now() - begun).toBeLessThan(400);
    });
  });

  describe('at its control socket', () => {
    it('lets only its owner in', () => {
      expect(statSync(join(folder, 'relay.sock')).mode & 0o777).toBe(0o700);
    });

    it('says which links there are when it is asked for another', async () => {
      await expect(client.cut('nyc', 'oslo')).rejects.toThrow('There is no link from "nyc" to "oslo". The relay knows: nyc, lon, cpt.');
    });

    it('answers nonsense with an error and goes on', async () => {
      const socket = connect(join(folder, 'relay.sock'));
      connections.push(socket);
      let answers = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => (answers += chunk));
      socket.write(
        'not json\n{"id":1,"do":"explode"}\n{"id":2,"do":"shape","from":"nyc","to":"lon","delayMs":-1}\n{"id":3,"do":"stats"}\n',
      );
      await expect.poll(() => answers.trim().split('\n').length).toBe(4);
      const parsed = answers
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { id: number; error?: string });
      expect(parsed.map(({ id, error }) => [id, error !== undefined])).toEqual([
        [-1, true],
        [1, true],
        [2, true],
        [3, false],
      ]);
    });
  });

  it('says in one sentence which port is taken, and leaves nothing open', async () => {
    const other = createSocket('udp4');
    const elsewhere: Place = { ...place('elsewhere', 4), index: nyc.index + 200 > 254 ? nyc.index - 50 : nyc.index + 50 };
    other.bind(31_043, aliasOf(elsewhere, nyc));
    await once(other, 'listening');
    sockets.push(other);
    const moved = { ...nyc };
    const attempt = () => startRelay({ places: [elsewhere, moved], controlPath: join(folder, 'second.sock') });
    await expect(attempt()).rejects.toThrow(`The relay needs ${aliasOf(elsewhere, nyc)}:31043, which another program has.`);
    sockets.splice(sockets.indexOf(other), 1);
    other.close();
    await once(other, 'close');
    const second = await attempt();
    await second.close();
    await second.close();
  });
});
