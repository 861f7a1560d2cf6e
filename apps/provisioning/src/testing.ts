import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedBus } from '@isthmus/bus-embedded';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import type { Bus, Clock, EventStore } from '@isthmus/ports';
import { startProvisioning, type Provisioning, type ProvisioningOptions } from './start.js';

/** A management node of its own for a spec, over the real store and bus, with an administrator who has settled in. */
export interface TestManagement {
  readonly provisioning: Provisioning;
  readonly bus: Bus;
  readonly store: EventStore;
  readonly folder: string;
  /** Asks as nobody. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Asks as the administrator, from the portal's origin. */
  as(session: SignedIn, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  signIn(name: string, password: string): Promise<SignedIn>;
  close(): Promise<void>;
}

export interface SignedIn {
  readonly cookie: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // What the service answers is what the spec is there to find out.
  readonly body: Record<string, unknown>;
  readonly text: string;
}

export const FIRST = { name: 'ada', password: 'one-time-3f9k-2m7p' };
export const CHOSEN = 'correct horse battery';

export const startTestManagement = async (
  options: Partial<ProvisioningOptions> & { readonly clock?: Clock } = {},
): Promise<TestManagement> => {
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-provisioning-'));
  const store = await sqliteEventStore({ file: join(folder, 'facts.db') });
  const bus = embeddedBus();
  const provisioning = await startProvisioning({
    listen: { host: '127.0.0.1', port: 0 },
    siteListen: { host: '127.0.0.1', port: 0 },
    store,
    bus,
    stateDir: join(folder, 'state'),
    firstAdministrator: FIRST,
    ...options,
  }).catch(async (error: unknown) => {
    await bus.close();
    await store.close();
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  const ask: TestManagement['ask'] = async (method, path, body, headers = {}) => {
    const raw = typeof body === 'string';
    const response = await fetch(provisioning.url + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, text, body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {} };
  };
  return {
    provisioning,
    bus,
    store,
    folder,
    ask,
    as: ({ cookie }, method, path, body, headers = {}) => ask(method, path, body, { cookie, origin: provisioning.url, ...headers }),
    signIn: async (name, password) => {
      const { status, headers, text } = await ask('POST', '/v1/sessions', { name, password });
      if (status !== 201) throw new Error(`not signed in: ${status} ${text}`);
      return { cookie: (headers.getSetCookie()[0] ?? '').split(';', 1)[0] ?? '' };
    },
    close: async () => {
      await provisioning.close();
      await bus.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** The first administrator, past the change of password that everybody has to make. */
export const settledAdministrator = async (management: TestManagement): Promise<SignedIn> => {
  const session = await management.signIn(FIRST.name, FIRST.password);
  const changed = await management.as(session, 'POST', '/v1/sessions/current/password', { current: FIRST.password, next: CHOSEN });
  if (changed.status !== 204) throw new Error(`password not changed: ${changed.text}`);
  return session;
};
