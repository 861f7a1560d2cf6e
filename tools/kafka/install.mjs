import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureDebianPackages } from '../lib/debian.mjs';
import { userCache } from '../lib/paths.mjs';
import { Problem } from '../lib/problem.mjs';
import { step } from '../lib/progress.mjs';
import { mustRun } from '../lib/run.mjs';

export const KAFKA_VERSION = '4.3.0';
/** Kafka 4 wants this Java or a later one. */
const JAVA_MIN = 17;

/** What a broker takes, by Debian's names: a Java to run it, and Maven to fetch it. */
export const KAFKA_PACKAGES = ['openjdk-17-jre-headless', 'maven'];

/** Nothing but Kafka itself, and something that writes its warnings to standard error. */
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.isthmus.tools</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`;

/**
 * Brings Apache Kafka from Maven Central, once per user.
 * @returns {Promise<string>} Java's class path of it
 */
export const ensureKafka = async () => {
  const libs = join(userCache(), 'kafka', KAFKA_VERSION);
  const needed = [...(javaVersion() >= JAVA_MIN ? [] : ['openjdk-17-jre-headless']), ...(existsSync(libs) || haveMaven() ? [] : ['maven'])];
  if (needed.length > 0) await step('Java', (note) => ensureDebianPackages(needed, 'run Apache Kafka', note));
  if (javaVersion() < JAVA_MIN) {
    throw new Problem(
      `Kafka ${KAFKA_VERSION} needs Java ${JAVA_MIN} or newer; \`java\` here is older.`,
      'Put a newer one first on the PATH.',
    );
  }
  if (!existsSync(libs)) await step(`Apache Kafka ${KAFKA_VERSION}`, (note) => fetchKafka(libs, note));
  return join(libs, '*');
};

/** @param {string} libs @param {import('../lib/progress.mjs').Note} note */
const fetchKafka = async (libs, note) => {
  mkdirSync(dirname(libs), { recursive: true });
  const folder = mkdtempSync(`${dirname(libs)}/.fetch-`);
  try {
    writeFileSync(join(folder, 'pom.xml'), POM);
    note('from Maven Central');
    await mustRun(
      'mvn',
      ['-q', '-B', '-f', join(folder, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${join(folder, 'libs')}`],
      {
        log: 'kafka-maven.log',
        note,
        telling: /ERROR/,
        what: 'Maven could not fetch Apache Kafka',
        next: 'Check the connection to Maven Central (or your mirror in ~/.m2/settings.xml), then run this again.',
      },
    );
    try {
      renameSync(join(folder, 'libs'), libs);
    } catch (error) {
      // Somebody else brought it meanwhile.
      if (!existsSync(libs)) throw error;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const haveMaven = () => spawnSync('mvn', ['--version'], { stdio: 'ignore' }).status === 0;

/** @returns {number} 0: there is none */
const javaVersion = () => {
  const { stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  const [, first = '0', second = '0'] = /version "(\d+)(?:\.(\d+))?/.exec(stderr ?? '') ?? [];
  return Number(first) === 1 ? Number(second) : Number(first);
};
