import { describe, expect, it } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import type { SiteConfig } from '../part-config.js';
import { startDemo, type DemoOptions } from './demo.js';
import { servicesApart } from './services-apart.js';

const CONFIG: SiteConfig = {
  site: 'nyc' as SiteId,
  name: 'New York',
  host: '127.0.0.11',
  clientHost: '127.0.0.11',
  ports: {
    ...{ meet: 7_100, brainLink: 7_101, registrar: 7_102, telemetry: 7_103, brainHealth: 7_104 },
    nodes: [{ client: 7_110, mediaLink: 7_120, webRtc: 7_130, crossings: { from: 7_140, to: 7_199 } }],
  },
  capacity: 50,
  stateDir: '/state/nyc',
  management: { url: 'https://127.0.0.10:7001', caFingerprint: 'ab', token: 'once' },
};

describe('the services of a site taken apart', () => {
  it('are told of their broker, and of the store of their site where it has one', () => {
    const eventstore = 'esdb://127.0.0.1:2113?tls=false';
    for (const { name, env } of servicesApart(CONFIG, { kafka: '127.0.0.1:9092', eventstore }, '/apps'))
      expect(env, name).toMatchObject({ KAFKA_BROKERS: '127.0.0.1:9092', EVENTSTORE_CONNECTION_STRING: eventstore });
    for (const { name, env } of servicesApart(CONFIG, { kafka: '127.0.0.1:9092' }, '/apps'))
      expect(env, name).not.toHaveProperty('EVENTSTORE_CONNECTION_STRING');
  });

  it('are refused in words where there are not as many brokers, or stores, as sites', async () => {
    const wish = {
      sites: 2,
      nodesPerSite: 1,
      capacity: 50,
      basePort: 7_000,
      listen: undefined,
      state: '/nowhere',
      main: '',
      say: () => {},
    };
    const refused = (more: Partial<DemoOptions>) => expect(startDemo({ ...wish, ...more })).rejects;
    await refused({ kafka: ['a:1'] }).toThrow('--kafka takes one broker for each of the 2 sites');
    await refused({ kafka: ['a:1', 'b:1'], eventstore: ['esdb://a'] }).toThrow('--eventstore takes one server for each of the 2 sites');
    await refused({ eventstore: ['esdb://a', 'esdb://b'] }).toThrow('give --kafka as well');
  });
});
