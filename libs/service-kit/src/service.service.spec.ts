import { createServer, type AddressInfo } from 'node:net';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import { Refusal } from '@isthmus/kernel';
import { startService, type RunningService, type Verdict } from './service.js';

@Controller()
class EchoController {
  @Post('echo')
  echo(@Body() body: unknown): unknown {
    return body;
  }

  @Get('slow')
  async slow(): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 150));
    return 'done';
  }

  @Get('refused')
  refused(): never {
    throw new Refusal('room.alias-taken', 'Another room has this alias.');
  }

  @Get('broken')
  broken(): never {
    throw new TypeError('secret detail');
  }
}

@Module({ controllers: [EchoController] })
class EchoModule {}

const running: RunningService[] = [];
const start = async (port = 0, host = '127.0.0.1', extra = {}) => {
  const service = await startService({ name: 'echo', module: EchoModule, listen: { host, port }, ...extra });
  running.push(service);
  return service;
};
afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.close()));
});

const post = (service: RunningService, body: string, type = 'application/json') =>
  fetch(`${service.url}/echo`, { method: 'POST', headers: { 'content-type': type }, body });

describe('a service', () => {
  it('tells of its health: live, started, ready and on what that depends', async () => {
    let store: string | undefined = 'the disk is full';
    let broker: Verdict = undefined;
    const service = await start(0, '127.0.0.1', { checks: { store: () => store, broker: () => broker } });
    expect((await fetch(`${service.url}/healthz/live`)).status).toBe(200);
    expect((await fetch(`${service.url}/healthz/startup`)).status).toBe(200);
    const unready = await fetch(`${service.url}/healthz/ready`);
    expect([unready.status, await unready.json()]).toEqual([
      503,
      { status: 'unready', service: 'echo', dependencies: { store: 'the disk is full', broker: 'ok', service: 'ok' } },
    ]);
    store = undefined;
    expect((await fetch(`${service.url}/healthz/ready`)).status).toBe(200);
    broker = { degraded: 'away for 3 s' };
    const degraded = await fetch(`${service.url}/healthz/ready`);
    expect([degraded.status, await degraded.json()]).toMatchObject([
      200,
      { status: 'degraded', dependencies: { store: 'ok', broker: 'away for 3 s' } },
    ]);
  });

  it.each([
    ['a body that is no JSON', '{"a":', 400],
    ['a body over 100 kB', JSON.stringify({ text: 'x'.repeat(101 * 1024) }), 413],
  ])('answers %s with a problem', async (_what, body, status) => {
    const response = await post(await start(), body);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({ status, code: expect.stringMatching(/^http\./) as string });
  });

  it('answers refusals with their code, and its own failures without their detail', async () => {
    const service = await start();
    expect(await (await fetch(`${service.url}/refused`)).json()).toMatchObject({
      status: 409,
      code: 'room.alias-taken',
      detail: 'Another room has this alias.',
    });
    const broken = await fetch(`${service.url}/broken`);
    expect(broken.status).toBe(500);
    expect(await broken.text()).not.toContain('secret detail');
    expect((await fetch(`${service.url}/nowhere`)).status).toBe(404);
  });

  it('says in one sentence that its port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(start(port)).rejects.toMatchObject({
      code: 'service.port-taken',
      message: `echo cannot listen on 127.0.0.1:${port}: something else has that port. Stop it, or choose another port.`,
    });
    await new Promise((resolve) => other.close(resolve));
  });

  it('says in one sentence that this machine has no such address', async () => {
    await expect(start(0, '192.0.2.1')).rejects.toMatchObject({ code: 'service.address-unknown' });
  });

  it('says which certificate it cannot read', async () => {
    const listen = { host: '127.0.0.1', port: 0, tls: { certFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' } };
    await expect(startService({ name: 'echo', module: EchoModule, listen })).rejects.toMatchObject({
      code: 'service.certificate-unreadable',
      message: expect.stringContaining('/nowhere/cert.pem (ENOENT)') as string,
    });
  });

  it('closes gently: unready first, what is under way is finished, and twice is once', async () => {
    const service = await start(0, '127.0.0.1', {
      drain: async () => {
        expect((await fetch(`${service.url}/healthz/ready`)).status).toBe(503);
      },
    });
    const answer = fetch(`${service.url}/slow`).then((response) => response.text());
    await new Promise((resolve) => setTimeout(resolve, 30));
    await Promise.all([service.close(), service.close()]);
    expect(await answer).toBe('done');
    await expect(fetch(`${service.url}/healthz/live`)).rejects.toThrow();
  });
});
