import { Fault } from '@isthmus/kernel';
import type { Bus, Clock, Subscription } from '@isthmus/ports';
import { status, TOPICS, type Status } from '@isthmus/protocol';
import { logOf } from '@isthmus/service-kit';

/** Without a word from telemetry for this long, what we have is no longer the truth. */
const STALE_MS = 5_000;

/** What telemetry last said of the running estate, for those who look at it through the portal. */
export class LiveStatus {
  private latest: { readonly status: Status; readonly heardAt: number } | undefined;
  private readonly listeners = new Set<(status: Status) => void>();
  private subscription: Subscription | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly clock: Clock,
  ) {}

  async start(): Promise<this> {
    this.subscription = await this.bus.subscribe(TOPICS.statuses, { group: 'provisioning' }, async ({ value }) => this.take(value));
    return this;
  }

  async close(): Promise<void> {
    this.listeners.clear();
    await this.subscription?.close();
  }

  /** Why there is nothing to show, if so. */
  missing(): string | undefined {
    const heard = this.latest !== undefined && this.clock.monotonic() - this.latest.heardAt < STALE_MS;
    return heard ? undefined : 'telemetry on the management node is silent, so nothing is known of what runs now';
  }

  /** @throws Fault `status.unavailable` while telemetry is silent. */
  now(): Status {
    const missing = this.missing();
    if (this.latest && missing === undefined) return this.latest.status;
    throw new Fault('status.unavailable', `There is nothing to show: ${missing}. Meetings go on. Try again in a moment.`);
  }

  listen(listener: (status: Status) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private take(value: unknown): void {
    const parsed = status.safeParse(value);
    if (!parsed.success)
      return logOf('provisioning').warn({ issues: parsed.error.issues.slice(0, 3) }, 'telemetry sent a status that is none');
    this.latest = { status: parsed.data, heardAt: this.clock.monotonic() };
    for (const listener of this.listeners) listener(parsed.data);
  }
}
