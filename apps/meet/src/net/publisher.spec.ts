import { describe, expect, it, vi } from 'vitest';
import { CAMERA_LAYERS } from '@isthmus/protocol';
import type { types } from 'mediasoup-client';
import { Publisher } from './publisher.js';
import { track } from './testing/fake-device.js';
import { settle } from './testing/scripted-socket.js';

/** A send transport whose camera sender remembers its encodings, as RTCRtpSender does. */
const transportWith = (layers: number) => {
  const parameters = { encodings: Array.from({ length: layers }, () => ({ active: true })) } as RTCRtpSendParameters;
  const sender = {
    getParameters: () => structuredClone(parameters),
    setParameters: vi.fn(async (next: RTCRtpSendParameters) => void Object.assign(parameters, next)),
  };
  const produce = vi.fn(async (options: types.ProducerOptions) => {
    const producer = {
      closed: false,
      track: options.track ?? null,
      rtpSender: sender,
      pause: vi.fn(),
      resume: vi.fn(),
      replaceTrack: async ({ track: next }: { track: MediaStreamTrack | null }) => void (producer.track = next),
    };
    return producer;
  });
  const transport = { closed: false, produce } as unknown as types.Transport;
  return { transport, produce, sender, active: () => parameters.encodings.map(({ active }) => active) };
};

const begin = async (layers = 2) => {
  const parts = transportWith(layers);
  const told: string[] = [];
  const publisher = new Publisher(parts.transport, async (source, action) => void told.push(`${action} ${source}`), undefined);
  publisher.send({ microphone: { track: null, on: false }, camera: { track: track('video'), on: true } });
  await settle();
  return { ...parts, publisher, told };
};

describe('publishing', () => {
  it('sends the camera as exactly two layers, thumbnail first, within their bit rates', async () => {
    const { produce } = await begin();
    expect(produce.mock.calls[0]?.[0].encodings).toEqual([
      { scaleResolutionDownBy: 4, maxBitrate: CAMERA_LAYERS.small.bitrate, maxFramerate: 15, scalabilityMode: 'L1T1' },
      { scaleResolutionDownBy: 1, maxBitrate: CAMERA_LAYERS.large.bitrate, maxFramerate: 30, scalabilityMode: 'L1T1' },
    ]);
  });

  it('sends only the layers that somebody watches', async () => {
    const { publisher, active } = await begin();
    expect(active()).toEqual([true, true]);
    publisher.useLayers({ large: false, small: true });
    await settle();
    expect(active()).toEqual([true, false]);
    publisher.useLayers({ large: true, small: false });
    await settle();
    expect(active()).toEqual([false, true]);
    publisher.useLayers({ large: false, small: false });
    await settle();
    expect(active()).toEqual([false, false]);
  });

  it('keeps a camera that has one layer on while anybody watches either', async () => {
    const { publisher, active } = await begin(1);
    publisher.useLayers({ large: true, small: false });
    await settle();
    expect(active()).toEqual([true]);
  });

  it('leaves the sender alone when nothing changes', async () => {
    const { publisher, sender } = await begin();
    publisher.useLayers({ large: true, small: true });
    await settle();
    expect(sender.setParameters).not.toHaveBeenCalled();
  });

  it('ends where the last word left it, however fast words follow each other', async () => {
    const { publisher, active, told } = await begin();
    const camera = track('video');
    publisher.send({ microphone: { track: null, on: false }, camera: { track: null, on: false } });
    publisher.useLayers({ large: false, small: true });
    publisher.send({ microphone: { track: null, on: false }, camera: { track: camera, on: true } });
    await settle();
    await settle();
    expect(active()).toEqual([true, false]);
    expect(told).toEqual([]);
    publisher.send({ microphone: { track: null, on: false }, camera: { track: null, on: false } });
    await settle();
    expect(active()).toEqual([false, false]);
    expect(told).toEqual(['pause camera']);
  });
});
