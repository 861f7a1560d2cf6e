import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tail } from '../lib/run.mjs';
import { Problem } from '../lib/problem.mjs';
import { untilReady } from './ready.mjs';

const HOST = '127.0.0.1';
const READY_MS = 90_000;
const STOP_MS = 15_000;
const FULL_MS = 60_000;
/** A broker for a laptop: small, on one thread of collecting, compiled quickly rather than well. */
const JAVA_OPTIONS = ['-Xms96m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Sixteen bytes in base64url, of which one in 64 would begin with a dash: an option, to who formats the folder. Kafka's own never do. */
export const clusterId = () => `I${randomBytes(16).toString('base64url').slice(1)}`;

/**
 * @typedef {object} BrokerOptions
 * @property {string} classPath as `ensureKafka` gives it
 * @property {string} folder where its log and its records are; the same folder again is the same broker
 * @property {number} port for clients; the two above it are for its controller, and for clients who must prove who they are
 * @property {{ username: string, password: string }} [sasl] who may connect at the third port
 */

/** One single broker, its own controller (KRaft): a site's whole cluster. */
export class Broker {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  /** @type {Promise<void>} */
  #ended = Promise.resolve();

  /** @param {BrokerOptions} options */
  constructor(options) {
    this.options = options;
  }

  get address() {
    return `${HOST}:${this.options.port}`;
  }

  /** Where clients must prove who they are (SASL/PLAIN). */
  get guardedAddress() {
    return `${HOST}:${this.options.port + 2}`;
  }

  get pid() {
    return this.#child?.pid;
  }

  /** Starts it and waits until a group can be joined. */
  async start() {
    const { classPath, folder } = this.options;
    const properties = join(folder, 'server.properties');
    mkdirSync(folder, { recursive: true });
    writeFileSync(properties, this.#properties(), { mode: 0o600 });
    if (!existsSync(join(folder, 'data', 'meta.properties'))) this.#format(properties);
    const logFile = join(folder, 'broker.log');
    const log = openSync(logFile, 'a');
    const child = spawn(
      'java',
      [...JAVA_OPTIONS, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', classPath, 'kafka.Kafka', properties],
      {
        stdio: ['ignore', log, log],
        // Ctrl-C on a terminal is for whoever started it, who then ends it in order.
        detached: true,
      },
    );
    closeSync(log);
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()));
    /** @type {Promise<never>} */
    const died = new Promise((_, reject) => {
      child.once('error', (cause) => reject(new Problem(`java could not be started: ${cause.message}.`, 'Is it on the PATH?', { cause })));
      child.once('exit', (code, signal) =>
        reject(
          new Problem(`The broker ended with ${signal ?? `status ${code}`}:\n${tail(logFile, 12)}\n`, 'Is the port free?', {
            log: logFile,
          }),
        ),
      );
    });
    died.catch(() => undefined);
    try {
      await Promise.race([untilReady(this.address, READY_MS), died]);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /** Gently: what it has is written, and its next start is quick. */
  async stop() {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const forced = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await this.#ended;
    clearTimeout(forced);
  }

  /** As a power cut would. */
  async kill() {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /**
   * As if its disk were full: no file of it grows any more (RLIMIT_FSIZE, setrlimit(2)), and writing fails as it does without space. It
   * stops by itself then; resolves when it has. Started again, it has space.
   */
  async fill() {
    const { status, stderr } = spawnSync('prlimit', ['--pid', String(this.pid), '--fsize=1:'], { encoding: 'utf8' });
    if (status !== 0) throw new Problem(`The broker's files could not be limited: ${stderr}.`, 'prlimit is part of util-linux.');
    /** @type {NodeJS.Timeout | undefined} */
    let late;
    const goesOn = new Promise((_, reject) => {
      late = setTimeout(() => reject(new Problem('The broker goes on although it can write nothing.', 'Its log says more.')), FULL_MS);
    });
    await Promise.race([this.#ended, goesOn]).finally(() => clearTimeout(late));
  }

  /** @param {string} properties */
  #format(properties) {
    const { classPath, folder } = this.options;
    const id = clusterId();
    const args = [...JAVA_OPTIONS, '-cp', classPath, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', properties];
    const { status, stdout, stderr } = spawnSync('java', args, { encoding: 'utf8' });
    if (status === 0) return;
    // It lists all of its settings first.
    const telling = `${stdout}${stderr}`.split('\n').filter((line) => /exception|error/i.test(line) && !/^\t?[\w.]+ = /.test(line));
    throw new Problem(
      `Kafka could not prepare ${folder}: ${telling.slice(0, 3).join(' ')}`,
      'Give it an empty folder that can be written to.',
    );
  }

  #properties() {
    const { folder, port, sasl } = this.options;
    const listeners = [`PLAINTEXT://${this.address}`, ...(sasl ? [`SASL_PLAINTEXT://${this.guardedAddress}`] : [])];
    const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
    return [
      'process.roles=broker,controller',
      'node.id=1',
      `controller.quorum.voters=1@${HOST}:${port + 1}`,
      'controller.listener.names=CONTROLLER',
      'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT',
      `listeners=${[...listeners, `CONTROLLER://${HOST}:${port + 1}`].join(',')}`,
      `advertised.listeners=${listeners.join(',')}`,
      'inter.broker.listener.name=PLAINTEXT',
      ...(sasl
        ? [
            'sasl.enabled.mechanisms=PLAIN',
            `listener.name.sasl_plaintext.plain.sasl.jaas.config=${login} user_${sasl.username}="${sasl.password}";`,
          ]
        : []),
      `log.dirs=${join(folder, 'data')}`,
      'num.network.threads=2',
      'num.io.threads=2',
      'offsets.topic.num.partitions=4',
      'offsets.topic.replication.factor=1',
      'transaction.state.log.num.partitions=1',
      'transaction.state.log.replication.factor=1',
      'transaction.state.log.min.isr=1',
      'share.coordinator.state.topic.num.partitions=1',
      'share.coordinator.state.topic.replication.factor=1',
      'share.coordinator.state.topic.min.isr=1',
      // Who joins a group need not wait for others who might.
      'group.initial.rebalance.delay.ms=0',
      // A topic that nobody planned is a typing mistake.
      'auto.create.topics.enable=false',
      'log.cleaner.dedupe.buffer.size=16777216',
      '',
    ].join('\n');
  }
}
