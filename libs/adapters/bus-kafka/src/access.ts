import { readFileSync } from 'node:fs';
import { Kafka, logLevel, type KafkaConfig } from 'kafkajs';
import { Fault } from '@isthmus/kernel';

/** Which cluster, and who we are there. */
export interface KafkaAccess {
  /** `host:port` of some of its brokers; the rest is learned from them. */
  readonly brokers: readonly string[];
  /** How the cluster's logs call us. */
  readonly clientId: string;
  /** SASL/SCRAM or PLAIN; over TLS, unless the network is trusted. */
  readonly sasl?: { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string };
  /** TLS; with `caFile` if its authority is not one that Node knows. */
  readonly tls?: { readonly caFile?: string };
}

/** kafkajs' own patience; ours, around it, is in the places that know what waits. */
const RETRY = { initialRetryTime: 200, maxRetryTime: 1_500, retries: 6, factor: 0.2 };

/** For whoever has a loop of their own around it. */
export const IMPATIENT = { initialRetryTime: 100, maxRetryTime: 300, retries: 1, factor: 0.2 };

export const kafkaOf = ({ brokers, clientId, sasl, tls }: KafkaAccess, retry: typeof RETRY = RETRY): Kafka => {
  // kafkajs says so on the console, once per process, unless told that the partitioner of version 2 is meant.
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] ??= '1';
  return new Kafka({
    brokers: [...brokers],
    clientId,
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    retry,
    ...(sasl ? { sasl: sasl as NonNullable<KafkaConfig['sasl']> } : {}),
    ...(tls ? { ssl: tls.caFile === undefined ? true : { ca: [readFileSync(tls.caFile, 'utf8')] } } : {}),
  });
};

/** A fault that trying again does not mend. */
export class LastingFault extends Fault {
  override readonly retryable = false;
}

/** What kafkajs ran into, in our words. It wraps its errors several times; the innermost says what happened. */
export const faultOf = (error: unknown, { brokers }: Pick<KafkaAccess, 'brokers'>): Fault => {
  if (error instanceof Fault) return error as Fault;
  const inner = innermost(error);
  const at = brokers.join(', ');
  if (/SASL|authentication/i.test(`${inner.name} ${inner.message}`)) {
    return new LastingFault(
      'bus.forbidden',
      `Kafka at ${at} does not let us in (${inner.message}). Check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and the mechanism.`,
      { brokers },
      { cause: error },
    );
  }
  if (typeOf(inner) === 'TOPIC_AUTHORIZATION_FAILED' || typeOf(inner) === 'GROUP_AUTHORIZATION_FAILED') {
    return new LastingFault(
      'bus.forbidden',
      `Kafka at ${at} forbids it: ${inner.message} Give this user the right to.`,
      { brokers },
      { cause: error },
    );
  }
  if (typeOf(inner) === 'KAFKA_STORAGE_ERROR') {
    return new Fault(
      'bus.unavailable',
      `Kafka at ${at} cannot keep what it is given: a broker's disk is full, or fails. ${MAKE_ROOM}`,
      { brokers },
      { cause: error },
    );
  }
  // Nobody listens there. To its clients a broker whose only disk is full has ended: it says nothing before.
  const gone = inner.message.includes('ECONNREFUSED')
    ? ` A broker that finds its disk full stops, and says so in its log. ${MAKE_ROOM}`
    : '';
  return new Fault(
    'bus.unavailable',
    `Kafka at ${at} cannot be used: ${inner.message}. Is it running, and reachable from here?${gone}`,
    { brokers },
    { cause: error },
  );
};

const MAKE_ROOM = 'Make room where its log.dirs are, then start it again.';

export const typeOf = (error: unknown): string | undefined => (error as { type?: string } | null)?.type;

const innermost = (error: unknown): Error => {
  if (!(error instanceof Error)) return new Error(String(error));
  const { originalError, cause } = error as { originalError?: unknown; cause?: unknown };
  const next = originalError ?? cause;
  return next instanceof Error && next !== error ? innermost(next) : error;
};
