import type { z } from 'zod';
import { conferenceBrainSettings } from '@isthmus/conference-brain';
import { gatewayRouterSettings } from '@isthmus/gateway-router';
import { Fault, Refusal } from '@isthmus/kernel';
import { mediaNodeSettings } from '@isthmus/media-node';
import { provisioningSettings } from '@isthmus/provisioning';
import { registrarSettings } from '@isthmus/registrar';
import { readConfig, redactedConfig, settingRows, type SettingRow } from '@isthmus/service-kit';
import { telemetrySettings } from '@isthmus/telemetry';
import { BUS_SETTINGS, EVENTSTORE_SETTINGS, KAFKA_SETTINGS } from '@isthmus/wiring';

type Environment = Readonly<Record<string, string | undefined>>;

/** Every service that is a process of its own, and what it is told by its environment. */
const SERVICES: Readonly<Record<string, z.ZodRawShape>> = {
  provisioning: provisioningSettings,
  telemetry: telemetrySettings,
  'conference-brain': conferenceBrainSettings,
  'gateway-router': gatewayRouterSettings,
  'media-node': mediaNodeSettings,
  registrar: registrarSettings,
};

/** Engines, that the services of a site share: their names begin as other programs call them. */
const ENGINES: Readonly<Record<string, z.ZodRawShape>> = { KAFKA_: KAFKA_SETTINGS, BUS_: BUS_SETTINGS, EVENTSTORE_: EVENTSTORE_SETTINGS };

/** The services that this environment says something to, or the one that was asked for. */
const meant = (environment: Environment, service: string | undefined): readonly string[] => {
  const names = Object.keys(SERVICES);
  if (service !== undefined) {
    if (names.includes(service)) return [service];
    throw new Refusal('config.no-service', `There is no service "${service}". There are: ${names.join(', ')}.`);
  }
  const told = names.filter((name) => Object.keys(environment).some((key) => key.startsWith(prefixOf(name))));
  if (told.length > 0) return told;
  throw new Refusal(
    'config.empty',
    `No service has a setting in this environment. Their names begin with ${names.map(prefixOf).join(', ')}.`,
  );
};

const prefixOf = (service: string): string => `ISTHMUS_${service.replaceAll('-', '_').toUpperCase()}_`;

/** @returns what is fine, one line per service. @throws Fault `config.invalid` with all that is not, of all services */
export const checkConfig = (environment: Environment, service?: string): readonly string[] => {
  const names = meant(environment, service);
  const wrong = [...names.map((name) => faultOf(name, SERVICES[name]!, environment)), ...enginesOf(environment).map(([, fault]) => fault)];
  const faults = wrong.filter((fault) => fault !== undefined);
  if (faults.length > 0) throw new Fault('config.invalid', faults.join('\n'));
  return names.map((name) => `${name}: its settings are right`);
};

const faultOf = (name: string, settings: z.ZodRawShape, environment: Environment, shared?: string): string | undefined => {
  try {
    readConfig(name, settings, environment, shared);
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return (error as Fault).message;
  }
};

const nameOf = (prefix: string): string => prefix.slice(0, -1).toLowerCase();
const enginesOf = (environment: Environment) =>
  Object.entries(ENGINES).map(([prefix, settings]) => [prefix, faultOf(nameOf(prefix), settings, environment, prefix)] as const);

/** The settings as the services would read them, without secrets. */
export const printedConfig = (environment: Environment, service?: string): string => {
  const printed = (name: string, settings: z.ZodRawShape, shared?: string) =>
    [name, redactedConfig(settings, readConfig(name, settings, environment, shared) as never)] as const;
  const engines = Object.entries(ENGINES).map(([prefix, settings]) => printed(nameOf(prefix), settings, prefix));
  return JSON.stringify(
    Object.fromEntries([...engines, ...meant(environment, service).map((name) => printed(name, SERVICES[name]!))]),
    undefined,
    2,
  );
};

const HEAD = `# Configuration

Services read their settings from the environment, say everything that is wrong with them in one message, and do not start with a name that looks like a setting
and is none. \`isthmus config check\` looks without starting anything, \`isthmus config print\` shows what a service would read, without secrets. A secret may
also be given as a file: the same name with \`_FILE\`.

With no engine named, everything is in one process and in files. With \`KAFKA_BROKERS\` a site's services are processes of their own that talk over its
Kafka; with \`EVENTSTORE_CONNECTION_STRING\` its facts are in its EventStoreDB.

This page is made by \`isthmus config reference\`.
`;

/** \`docs/configuration.md\`, made of the settings themselves. */
export const configurationPage = (): string => {
  const shared = Object.entries(ENGINES).flatMap(([prefix, settings]) => settingRows('', settings, prefix));
  const own = Object.entries(SERVICES).map(([service, settings]) => section(service, settingRows(service, settings)));
  return [HEAD, section('Engines, for every service that uses them', shared), ...own].join('\n');
};

const section = (title: string, rows: readonly SettingRow[]): string => `## ${title}\n\n${rows.map(entry).join('\n')}\n`;

const entry = ({ name, says, example, secret, needed, fallback }: SettingRow): string => {
  const notes = [needed ? 'needed' : fallback === undefined ? 'may be left out' : `default \`${fallback}\``, ...(secret ? ['secret'] : [])];
  return `- \`${name}\` (${notes.join(', ')}): ${says} Example: \`${example}\``;
};
