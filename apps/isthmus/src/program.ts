import { Command, InvalidArgumentError } from 'commander';
import { join } from 'node:path';
import { runDemo } from './demo/run-demo.js';
import { SITES_MAX } from './demo/plan.js';
import { addBackup, addGrowing } from './growing.js';
import { managementConfig, mediaNodeConfig, relayConfig, siteConfig } from './part-config.js';
import { readPartConfig, runPart } from './part.js';
import { startRelay } from './relay/relay.js';
import { sayFailure } from './say-failure.js';
import { VERSION } from './version.js';

/** `isthmus …`: data goes to standard output, messages to standard error. @param main the file that starts it, for the processes it starts itself */
export const program = (main: string): Command => {
  const isthmus = new Command('isthmus')
    .description('Distributed meetings: one conference over any number of nodes and sites.')
    .version(VERSION)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  const state = process.env['ISTHMUS_STATE'] || '.isthmus';

  const demo = isthmus
    .command('demo')
    .description('a whole deployment on this machine: management, sites, and the links between them')
    .option('--listen <address>', 'serve other machines too, over HTTPS, at this address of this machine')
    .option('--state <folder>', 'where everything is kept ($ISTHMUS_STATE)', state)
    .option('--sites <number>', `how many sites, 1 to ${SITES_MAX}`, number, 3)
    .option('--nodes-per-site <number>', 'media nodes in each site', number, 1)
    .option('--capacity <number>', 'participants that a media node takes', number, 50)
    .option('--node-processes', 'run each media node as a process of its own: if one ends, its people are moved')
    .option('--port <number>', "management's first port; each site's are 100 higher than those before it", number, 7_000)
    .option('--kafka <brokers>', 'a Kafka broker for each site, with a comma between: every service is then a process of its own', list)
    .option('--eventstore <servers>', 'with --kafka: the connection string of an EventStoreDB for each site, with a comma between', list)
    .addHelpText('after', '\nExample:\n  isthmus demo --sites 2 --state /tmp/two-sites')
    .action((options: DemoFlags) => sayFailure(() => runDemo({ ...options, listen: options.listen, main })));
  demo
    .command('start')
    .description('fill the running demo’s room with speaking participants')
    .option('--per-site <number>', 'participants at each site', number, 2)
    .option('--minutes <number>', 'how long they stay', number, 5)
    .option('--script <file>', 'who talks when, as JSON')
    .addHelpText('after', '\nExample:\n  isthmus demo start --per-site 3 --minutes 10')
    .action((options: FillFlags) =>
      sayFailure(async () => {
        const { fillDemo } = await import('./demo/fill-demo.js');
        await fillDemo({ ...options, state: demo.opts<DemoFlags>().state });
      }),
    );
  const change =
    (cut: boolean) =>
    (site: string | undefined, other: string | undefined, { oneWay }: { oneWay: boolean }) =>
      sayFailure(async () => {
        const { changeLinks } = await import('./demo/demo-links.js');
        const sites = [site, other].filter((name) => name !== undefined);
        process.stdout.write(`${await changeLinks({ state: demo.opts<DemoFlags>().state, sites, oneWay, cut })}\n`);
      });
  demo
    .command('cut <site> [other]')
    .description('cut the link between two sites of the running demo, or all links of one')
    .option('--one-way', 'only what the first sends to the other', false)
    .addHelpText('after', '\nExample:\n  isthmus demo cut new-york london')
    .action(change(true));
  demo
    .command('heal [site] [other]')
    .description('make links of the running demo whole again: one, all of a site, or all')
    .option('--one-way', 'only what the first sends to the other', false)
    .addHelpText('after', '\nExample:\n  isthmus demo heal')
    .action(change(false));

  isthmus
    .command('management <config>')
    .description('run a management node, as the file says')
    .action((file: string) =>
      runPart('management', async () => {
        const { startManagement } = await import('./management/management.js');
        return startManagement(readPartConfig(managementConfig, file), webRoot(main));
      }),
    );
  const site = isthmus
    .command('site <config>')
    .description('run all services of a site in one process, as the file says')
    .action((file: string) =>
      runPart('site', async () => {
        const { startSite } = await import('./site/site.js');
        return startSite(readPartConfig(siteConfig, file), webRoot(main));
      }),
    );
  isthmus
    .command('media-node <config>', { hidden: true })
    .description('run a media node beside the process of its site, as the file says')
    .action((file: string) =>
      runPart('media-node', async () => {
        const { startMediaNodeProcess } = await import('./site/media-node-process.js');
        return startMediaNodeProcess(readPartConfig(mediaNodeConfig, file));
      }),
    );
  isthmus
    .command('relay <config>', { hidden: true })
    .description('run the relay between the sites of a demo')
    .action((file: string) => runPart('relay', () => startRelay(readPartConfig(relayConfig, file))));
  addGrowing({ isthmus, site }, main);
  addBackup(isthmus);
  const config = isthmus.command('config').description('look at the settings of services in this environment');
  const say = (work: (about: typeof import('./configuration.js')) => string) =>
    sayFailure(async () => void process.stdout.write(work(await import('./configuration.js'))));
  config
    .command('check [service]')
    .description('say everything that is wrong with them, without starting anything')
    .action((service?: string) => say(({ checkConfig }) => `${checkConfig(process.env, service).join('\n')}\n`));
  config
    .command('print [service]')
    .description('show them as the service would read them')
    .option('--redact', 'without secrets; they are never shown, so this is always so')
    .action((service?: string) => say(({ printedConfig }) => `${printedConfig(process.env, service)}\n`));
  config
    .command('reference')
    .description('write the reference of all settings (docs/configuration.md)')
    .action(() => say(({ configurationPage }) => configurationPage()));
  isthmus
    .command('version')
    .description('say which version this is')
    .action(() => void process.stdout.write(`${VERSION}\n`));
  return isthmus;
};

interface DemoFlags {
  readonly listen?: string;
  readonly state: string;
  readonly sites: number;
  readonly nodesPerSite: number;
  readonly capacity: number;
  readonly nodeProcesses?: boolean;
  readonly port: number;
  readonly kafka?: readonly string[];
  readonly eventstore?: readonly string[];
}

export interface FillFlags {
  readonly perSite: number;
  readonly minutes: number;
  readonly script?: string;
}

const list = (text: string): string[] => text.split(',').map((part) => part.trim());

const number = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
};

/** Where the builds of the web apps lie, seen from `apps/isthmus/dist/main.js`. */
const webRoot = (main: string): string => join(main, '..', '..', '..');
