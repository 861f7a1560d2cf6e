import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkConfig, configurationPage, printedConfig } from './configuration.js';

const GOOD = {
  ISTHMUS_REGISTRAR_SITE: 'nyc',
  ISTHMUS_CONFERENCE_BRAIN_SITE: 'nyc',
  ISTHMUS_CONFERENCE_BRAIN_STATE_DIR: '/var/lib/isthmus/nyc',
  ISTHMUS_CONFERENCE_BRAIN_MANAGEMENT_URL: 'https://192.0.2.10:7001',
  KAFKA_BROKERS: 'kafka-1:9092, kafka-2:9092',
  EVENTSTORE_CONNECTION_STRING: 'esdb://isthmus:hidden-word@eventstore:2113?tls=true',
};

describe('the configuration of services', () => {
  it('is right for every service that the environment speaks of', () => {
    expect(checkConfig(GOOD)).toEqual(['conference-brain: its settings are right', 'registrar: its settings are right']);
  });

  it('is wrong in one message that names every fault of every service, with an example', () => {
    const wrong = {
      ...GOOD,
      ISTHMUS_REGISTRAR_SITE: 'No Site!',
      ISTHMUS_CONFERENCE_BRAIN_STATEDIR: '/x',
      EVENTSTORE_CONNECTION_STRING: 'http://hidden-word',
    };
    const check = () => checkConfig(wrong);
    expect(check).toThrow(/ISTHMUS_REGISTRAR_SITE is 'No Site!'.*Example: ISTHMUS_REGISTRAR_SITE=nyc/);
    expect(check).toThrow(/ISTHMUS_CONFERENCE_BRAIN_STATEDIR is not a setting\. Did you mean ISTHMUS_CONFERENCE_BRAIN_STATE_DIR\?/);
    expect(check).toThrow(/EVENTSTORE_CONNECTION_STRING is not right \(its value is not shown\): it must begin with esdb:/);
    expect(check).not.toThrow(/hidden-word/);
  });

  it('is printed as it would be read, without secrets', () => {
    const printed = printedConfig(GOOD, 'conference-brain');
    expect(printed).not.toContain('hidden-word');
    expect(JSON.parse(printed)).toMatchObject({
      kafka: { brokers: 'kafka-1:9092, kafka-2:9092', saslMechanism: 'scram-sha-512' },
      eventstore: { connectionString: '[redacted]' },
      'conference-brain': { port: 7104 },
    });
  });

  it('of a service that there is not, or of none, is refused in words', () => {
    expect(() => checkConfig(GOOD, 'brain')).toThrow(/There is no service "brain". There are: provisioning/);
    expect(() => checkConfig({})).toThrow(/No service has a setting/);
  });

  it('is described by docs/configuration.md as it is: `isthmus config reference` writes it anew', () => {
    const page = fileURLToPath(new URL('../../../docs/configuration.md', import.meta.url));
    expect(readFileSync(page, 'utf8')).toBe(configurationPage());
  });
});
