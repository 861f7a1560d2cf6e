import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Fault, Refusal } from '@isthmus/kernel';

/** Where the portal is, and as whom to speak. The password comes from `ISTHMUS_PASSWORD`, or is asked for. */
export interface PortalFlags {
  readonly portal: string;
  readonly administrator: string;
  /** Certificate of the authority that the portal's own is from, if no public one. */
  readonly ca?: string;
}

/** An administrator on the command line: signed in at the portal's API while `work` runs, and signed out again. */
export const asAdministrator = async <T>(flags: PortalFlags, work: (ask: Ask) => Promise<T>): Promise<T> => {
  const client = new Client(flags);
  await client.signIn(flags.administrator, process.env['ISTHMUS_PASSWORD'] ?? (await askForPassword(flags.administrator)));
  try {
    return await work((method, path, body) => client.ask(method, path, body));
  } finally {
    await client.ask('DELETE', '/v1/sessions/current').catch(() => undefined);
  }
};

export type Ask = (method: string, path: string, body?: unknown) => Promise<unknown>;

class Client {
  private cookie = '';
  private readonly origin: string;
  private readonly ca: string | undefined;

  constructor({ portal, ca }: PortalFlags) {
    const url = URL.parse(portal);
    if (!url || !/^https?:$/.test(url.protocol)) {
      throw new Refusal('portal.bad-url', `"${portal}" is no address of a portal. It looks like https://192.0.2.1:7000.`);
    }
    this.origin = url.origin;
    this.ca = ca === undefined ? undefined : readFileSync(ca, 'utf8');
  }

  async signIn(name: string, password: string): Promise<void> {
    const session = (await this.ask('POST', '/v1/sessions', { name, password })) as { mustChangePassword: boolean };
    if (session.mustChangePassword) {
      throw new Refusal('session.password-due', `${name} has to change the one-time password first, in the portal at ${this.origin}.`);
    }
  }

  async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const response = await this.send(method, path, text).catch((cause: unknown) => {
      const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
      throw new Fault(
        'portal.unreachable',
        `The portal cannot be reached at ${this.origin} (${why}). Check --portal, and --ca if it has a certificate of its own.`,
        {},
        { cause },
      );
    });
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const said = Buffer.concat(chunks).toString('utf8');
    const answer: unknown = said === '' ? undefined : JSON.parse(said);
    const status = response.statusCode ?? 0;
    this.cookie = response.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? this.cookie;
    if (status < 400) return answer;
    const { code = 'portal.refused', detail = `The portal answers ${status}.` } = (answer ?? {}) as { code?: string; detail?: string };
    throw new Refusal(code, detail);
  }

  private send(method: string, path: string, text: string | undefined): Promise<IncomingMessage> {
    const url = new URL(path, this.origin);
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method,
      ...(this.ca === undefined ? {} : { ca: this.ca }),
      timeout: 15_000,
      headers: {
        origin: this.origin,
        ...(this.cookie === '' ? {} : { cookie: this.cookie }),
        ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
    });
    return new Promise((resolve, reject) => {
      request.once('timeout', () => request.destroy(new Error('no answer')));
      request.once('error', reject);
      request.once('response', resolve);
      request.end(text);
    });
  }
}

/** What is typed is not shown. */
const askForPassword = async (administrator: string): Promise<string> => {
  process.stderr.write(`Password of ${administrator}: `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: process.stdin.isTTY });
  try {
    const ended = new Promise<never>((_, reject) => {
      const unsaid = `The password of ${administrator} is needed, and nothing was typed. Type it when asked, or put it into ISTHMUS_PASSWORD.`;
      lines.once('close', () => reject(new Refusal('admin.no-password', unsaid)));
    });
    return await Promise.race([lines.question(''), ended]);
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
};
