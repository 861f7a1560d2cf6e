import { createSocket } from 'node:dgram';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { aliasOf, connectRelay } from '@isthmus/cli';
import { cpuMs } from './lib/processes.mjs';

/**
 * Whether the demo's relay stays out of the way of what it measures: what a packet costs it at a steady 20,000 a second, ten times
 * what a demo makes. The goal is from two cores of a shared cloud machine: half of one core.
 */
export const title = 'The relay between the sites of the demo';
export const seconds = 8;

const RATE = 20_000;
const MEASURED_MS = 5_000;
const place = (/** @type {string} */ id, /** @type {number} */ index) => ({
  id,
  host: `127.0.21.${index}`,
  index: 240 + index,
  tcpPorts: [31_201],
  udpPorts: { from: 31_240, to: 31_241 },
});

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async () => {
  const [a, b] = [place('a', 1), place('b', 2)];
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-bench-'));
  const config = join(folder, 'relay.json');
  const controlPath = join(folder, 'relay.sock');
  writeFileSync(config, JSON.stringify({ places: [a, b], controlPath }));
  const relay = fork(fileURLToPath(new URL('../../apps/isthmus/dist/main.js', import.meta.url)), ['relay', config], { stdio: 'ignore' });
  const sender = createSocket('udp4');
  // It only has to be there: what the relay passed on, the relay counted.
  const receiver = createSocket('udp4');
  try {
    await once(relay, 'message');
    const client = await connectRelay(controlPath);
    await Promise.all([bound(sender, 31_240, a.host), bound(receiver, 31_241, b.host)]);
    const cpuBefore = cpuMs(relay.pid ?? 0);
    const begun = performance.now();
    const sent = await sendSteadily(sender, aliasOf(a, b));
    const tookMs = performance.now() - begun;
    await sleep(200);
    const cpu = cpuMs(relay.pid ?? 0) - cpuBefore;
    const passed = (await client.stats()).links.find(({ from }) => from === a.id)?.kinds.video.packets ?? 0;
    client.close();
    return [
      {
        name: `relay: CPU at ${Math.round(sent / (tookMs / 1000) / 1000)},000 packets/s`,
        value: (cpu / tookMs) * 100,
        unit: '% of a core',
        goal: { atMost: 50 },
      },
      { name: 'relay: packets lost', value: ((sent - passed) / sent) * 100, unit: '%', goal: { atMost: 1 } },
    ];
  } finally {
    sender.close();
    receiver.close();
    relay.kill('SIGTERM');
    if (relay.exitCode === null) await once(relay, 'exit');
    rmSync(folder, { recursive: true });
  }
};

/** @param {import('node:dgram').Socket} socket @param {number} port @param {string} host */
const bound = async (socket, port, host) => {
  socket.bind(port, host);
  await once(socket, 'listening');
};

/** As media come: a few every few milliseconds, catching up when we were not scheduled. @param {import('node:dgram').Socket} sender @param {string} to */
const sendSteadily = async (sender, to) => {
  const packet = Buffer.alloc(1_100);
  packet.set([0x80, 101]);
  const begun = performance.now();
  let sent = 0;
  for (let elapsed = 0; elapsed < MEASURED_MS; elapsed = performance.now() - begun) {
    for (const due = Math.min(sent + 200, (elapsed / 1000) * RATE); sent < due; sent += 1) sender.send(packet, 31_241, to);
    await sleep(1);
  }
  return sent;
};
