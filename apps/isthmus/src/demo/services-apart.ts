import { join } from 'node:path';
import { CREDENTIALS_FOLDER, type SiteConfig } from '../part-config.js';
import { translatorOf } from '../relay/relay-plan.js';

/** One service as a process of its own: what is started, and with which settings. */
export interface ServiceProcess {
  readonly title: string;
  readonly name: string;
  readonly main: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What a site's services stand on. */
export interface Engines {
  /** `host:port` of its broker. */
  readonly kafka: string;
  /** The connection string of its EventStoreDB; left out, facts are in a file. */
  readonly eventstore?: string | undefined;
}

type Settings = Readonly<Record<string, string | number | undefined>>;

/**
 * The services of one site taken apart: each the program of its own `main.ts`, configured by the environment as anybody would,
 * with a broker between them, and a store of its own if there is one.
 * @param appsFolder where the services are built: `apps` of the checkout
 */
export const servicesApart = (config: SiteConfig, { kafka, eventstore }: Engines, appsFolder: string): readonly ServiceProcess[] => {
  const { site, name, host, clientHost, ports, stateDir, management, capacity, relay = [] } = config;
  const credentialsDir = join(stateDir, CREDENTIALS_FOLDER);
  const translate = translatorOf(relay, site);
  const linkVia = relay
    .filter(({ id }) => id !== site)
    .map((other) => `${other.host}=${translate(other.host)}`)
    .join(',');
  const via = linkVia === '' ? {} : { linkVia };
  const service = (app: string, own: Settings, suffix = ''): ServiceProcess => ({
    title: `${app}${suffix} of ${name}`,
    name: `${site}-${app}${suffix}`,
    main: join(appsFolder, app, 'dist', 'main.js'),
    env: {
      KAFKA_BROKERS: kafka,
      ...(ports.bus === undefined ? {} : { BUS_DOORS: `wss://${host}:${ports.bus}` }),
      ...(eventstore === undefined ? {} : { EVENTSTORE_CONNECTION_STRING: eventstore }),
      ...environmentOf(app, { site, ...own }),
    },
  });
  return [
    service('conference-brain', {
      ...{
        host,
        port: ports.brainHealth,
        linkPort: ports.brainLink,
        doorPort: ports.bus,
        stateDir,
        managementUrl: management.url,
        token: management.token,
      },
      ...{ authorityFingerprint: management.caFingerprint || undefined, ...via },
    }),
    ...ports.nodes.map((node, at) =>
      service(
        'media-node',
        {
          ...{ node: `${site}-${at + 1}`, host, port: node.client, linkPort: node.mediaLink, mediaPort: node.webRtc, capacity },
          ...{ pipePortMin: node.crossings.from, pipePortMax: node.crossings.to, credentialsDir, ...via },
        },
        `-${at + 1}`,
      ),
    ),
    service('registrar', { host, port: ports.registrar }),
    service('telemetry', { host, port: ports.telemetry, managementUrl: management.url, credentialsDir }),
    service('gateway-router', {
      siteName: name,
      host: clientHost,
      port: ports.meet,
      meetDir: join(appsFolder, 'meet', 'dist'),
      credentialsDir,
    }),
  ];
};

/** `linkPort: 7101` of `media-node` is `ISTHMUS_MEDIA_NODE_LINK_PORT=7101`. */
const environmentOf = (app: string, settings: Settings): Record<string, string> =>
  Object.fromEntries(
    Object.entries(settings)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [`ISTHMUS_${snake(app)}_${snake(name)}`, String(value)]),
  );

const snake = (name: string): string =>
  name
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase();
