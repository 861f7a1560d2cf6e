export interface PortalAnswer {
  readonly status: number;
  /** Of the body. */
  readonly type: string;
  readonly text: string;
}

/** What an administrator does, by the REST API alone. */
export class PortalClient {
  private cookie = '';

  constructor(private readonly url: string) {}

  /** Signs in with the one-time password, and changes it as one must. */
  async firstSignIn(name: string, password: string, next: string): Promise<void> {
    await this.ask('POST', '/v1/sessions', { name, password });
    await this.ask('POST', '/v1/sessions/current/password', { current: password, next });
  }

  async ask<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const { status, text } = await this.answer(method, path, body === undefined ? undefined : JSON.stringify(body));
    if (status >= 400) throw new Error(`${method} ${path} answered ${status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Sends this text as it is, JSON or not, and gives back whatever comes. */
  async answer(method: string, path: string, body?: string): Promise<PortalAnswer> {
    const response = await fetch(this.url + path, {
      method,
      headers: { origin: this.url, cookie: this.cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body }),
    });
    const set = response.headers.getSetCookie()[0];
    if (set !== undefined) this.cookie = set.split(';', 1)[0]!;
    return { status: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() };
  }
}
