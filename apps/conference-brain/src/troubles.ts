import type { SiteId } from '@isthmus/kernel';
import type { Clock } from '@isthmus/ports';
import type { SiteReport } from '@isthmus/protocol';

type Trouble = NonNullable<SiteReport['troubles']>[number];
export type TroubleCode = Trouble['code'];

/** How long somebody should see that it happened. ms */
const SHOWN_MS: Readonly<Record<Trouble['code'], number>> = { stream_forked: 600_000, history_lost: 600_000, peer_poison: 60_000 };
const KINDS_MAX = 64;

/** What somebody should look into and what stopped nothing: the last of each kind and peer, for as long as it should be seen. */
export class Troubles {
  private readonly last = new Map<string, { readonly trouble: Trouble; readonly until: number }>();

  constructor(private readonly clock: Clock) {}

  /** True if it is news, so that a log is not filled by a peer that does it all the time. */
  note(code: Trouble['code'], peer: SiteId | undefined, message: string): boolean {
    const key = `${code} ${peer ?? ''}`;
    const isNews = this.current().every((trouble) => trouble.code !== code || trouble.peer !== peer);
    if (this.last.size >= KINDS_MAX && !this.last.has(key)) return isNews;
    const trouble = { code, message: message.slice(0, 500), ...(peer === undefined ? {} : { peer }) };
    this.last.set(key, { trouble, until: this.clock.monotonic() + SHOWN_MS[code] });
    return isNews;
  }

  current(): readonly Trouble[] {
    for (const [key, { until }] of [...this.last]) if (until <= this.clock.monotonic()) this.last.delete(key);
    return [...this.last.values()].map(({ trouble }) => trouble);
  }
}
