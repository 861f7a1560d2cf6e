import { InvalidArgumentError, type Command } from 'commander';
import type { DrainFlags, RemoveFlags } from './admin/draining.js';
import type { NodeFlags, SiteFlags } from './admin/estate-commands.js';
import type { PortalFlags } from './admin/management-client.js';
import type { JoinFlags } from './join/join.js';
import { sayFailure } from './say-failure.js';

const PORTAL = 'http://127.0.0.10:7000';

/** The commands by which a deployment grows and shrinks while it runs. */
export const addGrowing = ({ isthmus, site }: Record<'isthmus' | 'site', Command>, main: string): void => {
  const state = process.env['ISTHMUS_STATE'] || '.isthmus';
  const node = isthmus.command('node').description('media nodes of a site');
  const estate = () => import('./admin/estate-commands.js');
  const nodes = () => import('./admin/node-commands.js');

  asAdministrator(site.command('add <id>'))
    .description('put a site on the list, and print what to type on its machine')
    .requiredOption('--address <address>', 'of the machine, for other sites')
    .option('--client-address <address>', 'where people reach it, if not there')
    .option('--name <name>', 'what people call it')
    .option('--port <number>', 'the first of its ports', whole, 7_100)
    .addHelpText('after', '\nExample:\n  isthmus site add cpt --name "Cape Town" --address 192.0.2.7')
    .action((id: string, options: SiteFlags) => sayFailure(async () => (await estate()).addSite(id, options)));
  asAdministrator(site.command('drain <id>'))
    .description('let nobody new in at a site, take who is there to other ones, and wait until nobody is in')
    .option('--within <seconds>', 'how long to wait; it stays draining', whole, 600)
    .addHelpText('after', '\nExample:\n  isthmus site drain cpt')
    .action((id: string, options: DrainFlags) => sayFailure(async () => (await estate()).drainSite(id, options)));
  asAdministrator(site.command('undrain <id>'))
    .description('have a site take people again')
    .action((id: string, options: PortalFlags) => sayFailure(async () => (await estate()).undrainSite(id, options)));
  asAdministrator(site.command('remove <id>'))
    .description('drain a site, and take it off the list for good; the others go on')
    .option('--within <seconds>', 'how long to wait until nobody is in', whole, 600)
    .option('--now', 'do not wait: also when people are there, who leave, or the site is gone for good', false)
    .addHelpText('after', '\nExample:\n  isthmus site remove cpt')
    .action((id: string, options: RemoveFlags) => sayFailure(async () => (await estate()).removeSite(id, options)));
  asAdministrator(node.command('add <site>'))
    .description('print what to type on the machine that is to be one more media node of a site')
    .requiredOption('--address <address>', 'of the machine, for other nodes')
    .option('--client-address <address>', 'where people reach it, if not there')
    .option('--node <id>', 'what to call it, such as nyc-2; default: something that nobody is called')
    .option('--port <number>', 'the first of its ports', whole, 7_110)
    .addHelpText('after', '\nExample:\n  isthmus node add nyc --address 192.0.2.9')
    .action((id: string, options: NodeFlags) => sayFailure(async () => (await estate()).addNode(id, options)));
  asAdministrator(node.command('list'))
    .description('list media nodes: whom they have, and whether they are draining')
    .option('--json', 'for a machine', false)
    .action((options: PortalFlags & { readonly json: boolean }) => sayFailure(async () => (await nodes()).listNodes(options)));
  asAdministrator(node.command('drain <node>'))
    .description('move everybody to other nodes of the site, without a redial; nobody new comes there')
    .option('--within <seconds>', 'how long to wait until it is empty; it stays draining', whole, 60)
    .addHelpText('after', '\nExample:\n  isthmus node drain nyc-2')
    .action((id: string, options: DrainFlags) => sayFailure(async () => (await nodes()).drainNode(id, options)));
  asAdministrator(node.command('undrain <node>'))
    .description('have a node take people again')
    .action((id: string, options: PortalFlags) => sayFailure(async () => (await nodes()).undrainNode(id, options)));
  asAdministrator(node.command('remove <node>'))
    .description('drain a node, and take it out of its site for good; its certificate is worth nothing any more')
    .option('--within <seconds>', 'how long to wait until it is empty', whole, 60)
    .option('--now', 'do not wait: also when people are there, or the machine is gone', false)
    .addHelpText('after', '\nExample:\n  isthmus node remove nyc-2')
    .action((id: string, options: RemoveFlags) => sayFailure(async () => (await nodes()).removeNode(id, options)));

  isthmus
    .command('join <token>')
    .description('make this machine a part of a deployment, and run it')
    .option('--state <folder>', 'where everything is kept ($ISTHMUS_STATE)', state)
    .option('--capacity <number>', 'participants that a media node takes', whole, 50)
    .option('--cert <file>', 'certificate for people’s browsers; default: one of an authority made here')
    .option('--key <file>', 'key to the certificate')
    .addHelpText('after', '\nThe token comes from isthmus site add or isthmus node add, or from the portal.')
    .action((token: string, options: JoinFlags) =>
      sayFailure(async () => (await import('./join/join.js')).joinDeployment(token, options, main)),
    );
  isthmus
    .command('run <name>')
    .description('run what has joined once more')
    .option('--state <folder>', 'where everything is kept ($ISTHMUS_STATE)', state)
    .action((name: string, options: { readonly state: string }) =>
      sayFailure(async () => (await import('./join/join.js')).runJoined(name, options.state, main)),
    );
};

/** What is kept, copied and put back. */
export const addBackup = (isthmus: Command): void => {
  isthmus
    .command('backup')
    .description('copy all that a site or management keeps; it may run meanwhile')
    .requiredOption('--state <folder>', 'where the site or management keeps its state')
    .requiredOption('--to <folder>', 'a new folder for the copy')
    .action(({ state, to }: { readonly state: string; readonly to: string }) =>
      sayFailure(async () => {
        await (await import('./backup/backup.js')).backUp(state, to);
        process.stderr.write(`${to} is whole. Whoever has it can be that site: keep it as you keep keys.\n`);
      }),
    );
  isthmus
    .command('restore <backup>')
    .description('put a backup where a site or management keeps its state')
    .requiredOption('--state <folder>', 'where the site or management keeps its state')
    .option('--replace', 'although something is there; that is kept beside it', false)
    .action((from: string, { state, replace }: { readonly state: string; readonly replace: boolean }) =>
      sayFailure(async () => {
        const before = await (await import('./backup/backup.js')).restore(from, state, { replace });
        if (before !== undefined) process.stderr.write(`What was there is in ${before}.\n`);
        process.stderr.write(`${state} is as it was when the backup was taken, and may be started.\n`);
      }),
    );
};

const asAdministrator = (command: Command): Command =>
  command
    .option('--portal <url>', 'where the portal is ($ISTHMUS_PORTAL)', process.env['ISTHMUS_PORTAL'] || PORTAL)
    .option('--administrator <name>', 'as whom; the password is asked for, or $ISTHMUS_PASSWORD', 'admin')
    .option('--ca <file>', 'authority of the portal’s certificate, if no public one');

const whole = (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return value;
};
