import { z } from 'zod';
import { embeddedBus } from '@isthmus/bus-embedded';
import { kafkaBus } from '@isthmus/bus-kafka';
import { Fault } from '@isthmus/kernel';
import type { Bus } from '@isthmus/ports';
import { logOf, readConfig, setting } from '@isthmus/service-kit';
import { withDetour, type DetourParts } from './detours.js';
import { TOPIC_PLANS } from './topics.js';

/** The same for every service of a site, so they carry no service's name: `KAFKA_BROKERS`, as other programs call it too. */
export const KAFKA_SETTINGS = {
  brokers: setting(z.string().min(1).optional(), {
    says: 'Brokers of this site. Without them, the services of a site talk only within one process.',
    example: '192.0.2.20:9092,192.0.2.21:9092',
  }),
  saslMechanism: setting(z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).default('scram-sha-512'), {
    says: 'How to prove who we are; with SASL_USERNAME.',
    example: 'scram-sha-512',
  }),
  saslUsername: setting(z.string().min(1).optional(), { says: 'Who we are to Kafka.', example: 'isthmus-media-node' }),
  saslPassword: setting(z.string().min(1).optional(), { says: 'The password to it.', example: 'of-at-least-16-letters', secret: true }),
  tls: setting(z.stringbool().default(false), { says: 'Whether to speak TLS.', example: 'true' }),
  caFile: setting(z.string().min(1).optional(), { says: "Authority of Kafka's certificates (PEM).", example: '/etc/isthmus/kafka-ca.pem' }),
};

/**
 * The bus that a service which runs as a process of its own takes part in: Kafka where `KAFKA_BROKERS` says so, else one within
 * the process, to which nobody else belongs.
 * @param detour how it goes on while Kafka is away, where `BUS_DOORS` names a way past it; left out, it waits
 * @throws Fault `config.invalid`; what {@link kafkaBus} and {@link withDetour} throw
 */
export const serviceBus = async (service: string, detour?: DetourParts, environment = process.env): Promise<Bus> => {
  const log = logOf(service);
  const report = ({ topic, group, error }: { topic: string; group: string; error: unknown }) =>
    log.error({ topic, group, error }, 'a handler failed');
  const { brokers, saslMechanism, saslUsername, saslPassword, tls, caFile } = readConfig('kafka', KAFKA_SETTINGS, environment, 'KAFKA_');
  if (brokers === undefined) {
    log.warn('KAFKA_BROKERS is not set: this service hears and is heard by nothing outside its process');
    return embeddedBus({ report });
  }
  if ((saslUsername === undefined) !== (saslPassword === undefined))
    throw new Fault('config.invalid', 'KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD belong together. Set both, or neither.');
  const kafka = await kafkaBus({
    brokers: brokers.split(',').map((broker) => broker.trim()),
    clientId: `isthmus-${service}`,
    topics: TOPIC_PLANS,
    ...(saslUsername !== undefined && saslPassword !== undefined
      ? { sasl: { mechanism: saslMechanism, username: saslUsername, password: saslPassword } }
      : {}),
    ...(tls ? { tls: caFile === undefined ? {} : { caFile } } : {}),
    waiting: (why) => log.warn(`waiting for Kafka: ${why}`),
    report,
  });
  if (detour === undefined) return kafka;
  try {
    return await withDetour(service, kafka, detour, environment);
  } catch (error) {
    await kafka.close();
    throw error;
  }
};
