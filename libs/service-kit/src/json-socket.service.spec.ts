import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { Fault, Refusal } from '@isthmus/kernel';
import { acceptJsonSockets, type JsonSocket, type JsonSocketServer } from './json-socket.js';

const head = { v: z.literal(1), id: z.int().min(1) };
const schema = z.discriminatedUnion('type', [
  z.object({ ...head, type: z.literal('echo'), text: z.string().max(10), delayMs: z.number().default(0) }),
  z.object({ ...head, type: z.literal('flood') }),
  z.object({ ...head, type: z.literal('fail'), how: z.enum(['refusal', 'fault', 'bug']) }),
]);
interface Echoed {
  readonly type: 'echoed';
  readonly re: number;
  readonly text: string;
}

let server: Server;
let door: JsonSocketServer;
let url: string;
const closed = vi.fn();
const handled: string[] = [];

beforeEach(async () => {
  closed.mockClear();
  handled.length = 0;
  server = createServer((_request, response) => response.end('page'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/door`;
  door = acceptJsonSockets(server, {
    service: 'spec',
    path: '/door',
    schema,
    connectionsMax: 5,
    connected: (socket: JsonSocket<Echoed>) => ({
      message: async (message) => {
        handled.push(message.type);
        if (message.type === 'fail') {
          if (message.how === 'refusal') throw new Refusal('room.full', 'No seat is free.');
          if (message.how === 'fault') throw new Fault('bus.no-answer', 'Nobody answered.');
          throw new TypeError('undefined is not a function');
        }
        if (message.type === 'flood') {
          for (let i = 0; i < 100 && socket.open; i++) socket.send({ type: 'echoed', re: message.id, text: 'x'.repeat(1024 * 1024) });
          return;
        }
        if (message.delayMs) await new Promise((resolve) => setTimeout(resolve, message.delayMs));
        socket.send({ type: 'echoed', re: message.id, text: message.text });
      },
      closed,
    }),
  });
});

afterEach(async () => {
  await door.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** A client with everything it heard so far, and how its connection ended. */
const client = async (headers: Record<string, string> = {}) => {
  const ws = new WebSocket(url, { headers });
  const heard: Record<string, unknown>[] = [];
  ws.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString()) as Record<string, unknown>));
  const ended = new Promise<{ code: number; reason: string }>((resolve) =>
    ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
  return {
    ws,
    heard,
    ended,
    say: (message: object | string) => ws.send(typeof message === 'string' ? message : JSON.stringify(message)),
    hears: async (expected: object) => {
      await vi.waitFor(() => expect(heard).toContainEqual(expect.objectContaining(expected)), 2_000);
    },
  };
};
const echo = (id: number, text = 'hello', delayMs = 0) => ({ v: 1, id, type: 'echo', text, delayMs });

describe('a door for clients', () => {
  it('answers requests one after the other, in their order', async () => {
    const ana = await client();
    ana.say(echo(1, 'slow', 50));
    ana.say(echo(2, 'fast'));
    await ana.hears({ re: 2 });
    expect(ana.heard.map((message) => message['text'])).toEqual(['slow', 'fast']);
  });

  it.each([
    ['malformed JSON', '{"id":1', 'protocol.malformed', 0],
    ['an array', '[1]', 'protocol.invalid', 0],
    ['no id', { v: 1, type: 'echo', text: 'x' }, 'protocol.invalid', 0],
    ['an id that is no whole number', { v: 1, id: 1.5, type: 'echo' }, 'protocol.invalid', 0],
    ['an id beyond 2^53', '{"v":1,"id":9007199254740993,"type":"echo","text":"x"}', 'protocol.invalid', 0],
    ['another version', { v: 2, id: 7, type: 'echo', text: 'x' }, 'protocol.version', 7],
    ['an unknown type', { v: 1, id: 7, type: 'dance' }, 'protocol.unknown-type', 7],
    ['no type', { v: 1, id: 7 }, 'protocol.unknown-type', 7],
    ['a field that is wrong', { v: 1, id: 7, type: 'echo', text: 12 }, 'protocol.invalid', 7],
    ['a text that is too long', { v: 1, id: 7, type: 'echo', text: 'x'.repeat(11) }, 'protocol.invalid', 7],
    ['deep nesting', `{"v":1,"id":7,"type":"echo","text":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 'protocol.too-deep', 0],
    ['__proto__', '{"v":1,"id":7,"type":"echo","text":"x","__proto__":{"role":"host"}}', 'protocol.forbidden-key', 0],
    ['a key twice', '{"v":1,"id":7,"id":8,"type":"echo","text":"x"}', 'protocol.duplicate-key', 0],
  ])('refuses %s, and goes on', async (_what, message, code, re) => {
    const ana = await client();
    ana.say(message);
    await ana.hears({ type: 'refused', code, re });
    ana.say(echo(100));
    await ana.hears({ type: 'echoed', re: 100 });
  });

  it('refuses a message that comes again or late, by its id', async () => {
    const ana = await client();
    ana.say(echo(5));
    ana.say(echo(5));
    ana.say(echo(4));
    await ana.hears({ type: 'refused', re: 5, code: 'protocol.out-of-order' });
    await ana.hears({ type: 'refused', re: 4, code: 'protocol.out-of-order' });
    expect(handled).toEqual(['echo']);
  });

  it('refuses binary messages', async () => {
    const ana = await client();
    ana.ws.send(Buffer.from([1, 2, 3]));
    await ana.hears({ type: 'refused', code: 'protocol.not-text' });
  });

  it('closes on an oversized message with 1009 and says why, while others do not notice', async () => {
    const [ana, ben] = [await client(), await client()];
    ana.say(JSON.stringify(echo(1, 'x'.repeat(70_000))));
    expect(await ana.ended).toEqual({ code: 1009, reason: 'A message may have at most 65536 bytes.' });
    ben.say(echo(1));
    await ben.hears({ re: 1 });
  });

  it('closes on somebody who keeps sending junk', async () => {
    const ana = await client();
    for (let i = 0; i < 25; i++) ana.say('junk');
    expect(await ana.ended).toMatchObject({ code: 1008 });
  });

  it('closes on a flood of requests', async () => {
    const ana = await client();
    for (let i = 1; i <= 500; i++) ana.say(echo(i));
    expect(await ana.ended).toMatchObject({ code: 1008 });
    expect(handled.length).toBeLessThanOrEqual(200);
  });

  it('cuts off a client that does not read', async () => {
    const ana = await client();
    ana.ws.pause();
    ana.say({ v: 1, id: 1, type: 'flood' });
    await vi.waitFor(() => expect(closed).toHaveBeenCalled(), 5_000);
    ana.ws.resume();
    expect((await ana.ended).code).toBe(1006);
  });

  it('answers what a handler throws: refusals and faults as they are, bugs without their text', async () => {
    const ana = await client();
    for (const [index, how] of ['refusal', 'fault', 'bug'].entries()) ana.say({ v: 1, id: index + 1, type: 'fail', how });
    await ana.hears({ type: 'refused', re: 3 });
    expect(ana.heard.map((message) => message['code'])).toEqual(['room.full', 'bus.no-answer', 'service.failed']);
    expect(JSON.stringify(ana.heard)).not.toContain('undefined is not a function');
  });

  it('still handles what came just before a goodbye', async () => {
    const ana = await client();
    ana.say(echo(1));
    ana.ws.close();
    await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce());
    expect(handled).toEqual(['echo']);
  });

  it('lets pages of the same host in, whatever their port, and others not', async () => {
    const ana = await client({ origin: 'http://127.0.0.1:7100' });
    ana.say(echo(1));
    await ana.hears({ re: 1 });
    await expect(client({ origin: 'https://evil.example' })).rejects.toThrow('403');
    await expect(client({ origin: 'null' })).rejects.toThrow('403');
  });

  it('answers 404 where there is no door, and 503 when there are too many', async () => {
    url = url.replace('/door', '/elsewhere');
    await expect(client()).rejects.toThrow('404');
    url = url.replace('/elsewhere', '/door');
    for (let i = 0; i < 5; i++) await client();
    await expect(client()).rejects.toThrow('503');
  });

  it('survives bytes that are no WebSocket', async () => {
    const { port } = server.address() as AddressInfo;
    const raw = connect(port, '127.0.0.1');
    raw.on('error', () => undefined).resume();
    raw.write(
      'GET /door HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n',
    );
    raw.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00]));
    await new Promise((resolve) => raw.once('close', resolve));
    const ana = await client();
    ana.say(echo(1));
    await ana.hears({ re: 1 });
  });

  it('says goodbye when it closes, and is quiet the second time', async () => {
    const ana = await client();
    await Promise.all([door.close(), door.close()]);
    expect(await ana.ended).toEqual({ code: 1001, reason: 'This service is stopping.' });
  });
});
