import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureDebianPackages } from '../lib/debian.mjs';
import { ROOT, userCache } from '../lib/paths.mjs';
import { Problem } from '../lib/problem.mjs';
import { step } from '../lib/progress.mjs';
import { mustRun } from '../lib/run.mjs';
import { KAFKA_VERSION, ensureKafka } from '../kafka/install.mjs';

/** The image that docker/Dockerfile begins with. */
export const NODE_IMAGE = String(/^ARG NODE=(\S+)$/m.exec(readFileSync(join(ROOT, 'docker', 'Dockerfile'), 'utf8'))?.[1]);
const DEBIAN = 'bookworm';
/** Where this machine keeps the authorities it trusts; a company's own among them, which builds behind its proxy need. */
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Provides the base image: the one that is here, else the registry's, else, where no registry can be reached, one made of
 * Debian's packages (debootstrap, as root) and the Node that npm brought, under the same name.
 * @param {NodeJS.ProcessEnv} env
 */
export const ensureNodeImage = async (env) => {
  if (haveImage(NODE_IMAGE, env)) return;
  await step(`base image ${NODE_IMAGE}`, async (note) => {
    if (spawnSync('docker', ['pull', '--quiet', NODE_IMAGE], { env }).status === 0) return 'pulled';
    if (process.getuid?.() !== 0)
      throw new Problem(
        `${NODE_IMAGE} cannot be pulled, and only root can make one here.`,
        'Connect to an image registry, or run this as root on Debian.',
      );
    await makeNodeImage(env, note);
    return 'made of Debian and npm packages';
  });
};

/** Whether images can be had from a registry: whether the smallest one there is can. @param {NodeJS.ProcessEnv} env */
export const haveRegistry = (env) => spawnSync('docker', ['pull', '--quiet', 'hello-world:linux'], { env, stdio: 'ignore' }).status === 0;

/**
 * Apache Kafka under the name that compose.yaml uses, for where it cannot be pulled: the same program from Maven Central, started as the
 * official image starts it, from /mnt/shared/config/server.properties.
 * @param {NodeJS.ProcessEnv} env
 */
export const ensureKafkaImage = async (env) => {
  const image = `apache/kafka:${KAFKA_VERSION}`;
  if (haveImage(image, env)) return;
  const libs = dirname(await ensureKafka());
  await step(`image ${image}, made of Maven's packages`, async (note) => {
    const folder = join(userCache(), 'docker-kafka');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    try {
      cpSync(libs, join(folder, 'libs'), { recursive: true });
      writeFileSync(join(folder, 'Dockerfile'), KAFKA_DOCKERFILE);
      await mustRun('docker', ['build', '--network=host', '--tag', image, folder], {
        log: 'docker-kafka.log',
        env: { ...env, DOCKER_BUILDKIT: '0' },
        note,
        what: 'The image of Kafka could not be made',
        next: 'Its log says why.',
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
};

const KAFKA_DOCKERFILE = `FROM ${NODE_IMAGE}
RUN apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless && rm -rf /var/lib/apt/lists/*
COPY libs /opt/kafka/libs
RUN useradd --uid 1000 appuser && install -d -o appuser /var/lib/kafka/data
USER appuser
ENV CLASSPATH=/opt/kafka/libs/*
VOLUME /var/lib/kafka/data
CMD ["bash", "-c", "P=/mnt/shared/config/server.properties; J='java -Xmx384m'; [ -f /var/lib/kafka/data/meta.properties ] || $J kafka.tools.StorageTool format -t 4L6g3nShT-eMCtK--X86sw -c $P; exec $J kafka.Kafka $P"]
`;

/** @param {string} image @param {NodeJS.ProcessEnv} env */
export const haveImage = (image, env) => spawnSync('docker', ['image', 'inspect', image], { env, stdio: 'ignore' }).status === 0;

/** @param {NodeJS.ProcessEnv} env @param {import('../lib/progress.mjs').Note} note */
const makeNodeImage = async (env, note) => {
  await ensureDebianPackages(['debootstrap'], 'make a base image', note);
  const folder = join(userCache(), 'docker-base');
  const root = join(folder, 'rootfs');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const include = '--include=ca-certificates';
    await mustRun('debootstrap', ['--variant=minbase', include, DEBIAN, root], {
      log: 'debootstrap.log',
      note,
      ...failure('Debian could not be fetched'),
    });
    if (existsSync(AUTHORITIES)) cpSync(AUTHORITIES, join(root, AUTHORITIES));
    note('adding Node');
    addNode(root);
    const tar = join(folder, 'rootfs.tar');
    await mustRun('tar', ['-C', root, '-cf', tar, '.'], { log: 'docker-tar.log', ...failure('the file system could not be packed') });
    const change = ['CMD ["node"]', `ENV NODE_EXTRA_CA_CERTS=${AUTHORITIES} PIP_CERT=${AUTHORITIES}`].flatMap((line) => ['--change', line]);
    await mustRun('docker', ['import', ...change, tar, NODE_IMAGE], {
      log: 'docker-import.log',
      env,
      ...failure('Docker did not take the image'),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Node from our packages, npm from whoever runs this. @param {string} root */
const addNode = (root) => {
  copyFileSync(process.execPath, join(root, 'usr/local/bin/node'));
  const program = process.env['npm_execpath'];
  if (program === undefined) throw new Problem('There is no npm to put into the image.', 'Run this by npm: npm run docker -- build');
  cpSync(join(dirname(program), '..'), join(root, 'usr/local/lib/node_modules/npm'), { recursive: true, dereference: true });
  for (const name of ['npm', 'npx'])
    writeFileSync(join(root, 'usr/local/bin', name), `#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/${name}-cli.js "$@"\n`, {
      mode: 0o755,
    });
};

/** @param {string} what */
const failure = (what) => ({ what: `The base image could not be made: ${what}`, next: 'Its log says why.' });
