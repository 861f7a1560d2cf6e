import { FakeMediaStreamTrack } from 'fake-mediastreamtrack';
import { Device, FakeHandler, testFakeParameters } from 'mediasoup-client';
import type { ConsumerOffer, TransportOffer } from '@isthmus/protocol';

const handlers: FakeHandler[] = [];

/** mediasoup-client's own stand-in for a browser: everything of it is real down to the peer connection. */
export const fakeDevice = (): Device => {
  const { factory, ...rest } = FakeHandler.createFactory(testFakeParameters);
  const remembered: typeof factory = (options) => {
    const handler = factory(options);
    handlers.push(handler as FakeHandler);
    return handler;
  };
  return new Device({ handlerFactory: { ...rest, factory: remembered } });
};

/** How many transports there are whose media are not through. */
export const transportsUnderWay = (): number => handlers.length;

/** ICE and DTLS are through on all transports made so far. */
export const received = (): void => {
  for (const handler of handlers.splice(0)) handler.setConnectionState('connected');
};

/** The browser has given up, for now, on all transports made so far: nothing gets through. */
export const blocked = (): void => {
  for (const handler of handlers) handler.setConnectionState('failed');
};

export const routerRtpCapabilities = testFakeParameters.generateRouterRtpCapabilities;

export const loadedDevice = async (): Promise<Device> => {
  const device = fakeDevice();
  await device.load({ routerRtpCapabilities: routerRtpCapabilities() });
  return device;
};

export const track = (kind: 'audio' | 'video'): MediaStreamTrack => new FakeMediaStreamTrack({ kind });

export const transportOffer = (): TransportOffer => {
  const { id, iceParameters, iceCandidates, dtlsParameters } = testFakeParameters.generateTransportRemoteParameters();
  return {
    id,
    iceParameters: { ...iceParameters },
    iceCandidates: iceCandidates.map((candidate) => ({ ...candidate })),
    dtlsParameters: { ...dtlsParameters },
  };
};

export const consumerOffer = (leg: string, source: 'microphone' | 'camera'): ConsumerOffer => {
  const codecMimeType = source === 'camera' ? 'video/VP8' : 'audio/opus';
  const { id, producerId, kind, rtpParameters } = testFakeParameters.generateConsumerRemoteParameters({ codecMimeType });
  return { id, producerId, leg: leg as ConsumerOffer['leg'], source, kind, rtpParameters: { ...rtpParameters } };
};
