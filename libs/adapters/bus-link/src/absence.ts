import { z } from 'zod';
import { Fault } from '@isthmus/kernel';
import type { Bus, Message, Topic } from '@isthmus/ports';

/** The bus that carries everything while it works, and can tell how it is. */
export interface MainBus extends Bus {
  trouble(): Promise<string | undefined>;
  /** Why it does not take what is given to it now, if it knows. */
  failing?(): string | undefined;
  /** Whether everything that is listened to has been looked for since then, on the monotonic clock, ms. */
  looksSince?(ms: number): boolean;
}

/** By the ways only: said each second by whoever is without the main bus, and once when it has it again. Key: whoever says so. */
export const DETOURS: Topic = 'isthmus.bus.detours';

const detourWord = z.object({ who: z.string().min(1).max(64), away: z.boolean() });

export interface AbsenceParts {
  readonly main: MainBus;
  readonly mainName: string;
  readonly settleMs: number;
  /** This process, to the others. */
  readonly name: string;
  readonly log: { warn(fields: object, text: string): void; info(fields: object, text: string): void };
  /** Tells everybody who can be reached past the main bus. */
  readonly tell: (word: Message) => void;
  readonly hasWay: () => boolean;
  /** From now on everything goes by the ways; also said each second while it does, for a way that has come up since. */
  readonly goAround: () => void;
}

const TICK_MS = 1_000;
/** Whoever has said that they are without it, and is silent for so long, is gone or has not been heard. */
const WORD_HOLDS_MS = 5_000;

/** Whether the main bus is away: for us, or for anybody else of the site, whom our messages would not reach by it. */
export class Absence {
  private own: { readonly sinceMs: number; why: string; wellSinceMs: number | undefined } | undefined;
  private readonly others = new Map<string, number>();
  private ticking: NodeJS.Timeout | undefined;
  private checking: Promise<string | undefined> | undefined;
  private closed = false;

  constructor(private readonly parts: AbsenceParts) {}

  /** We are without it. */
  get isAway(): boolean {
    return this.own !== undefined;
  }

  get isDetour(): boolean {
    return this.own !== undefined || this.others.size > 0;
  }

  /** Whether it is worth giving it anything. */
  get isUsable(): boolean {
    return this.own === undefined || this.own.wellSinceMs !== undefined;
  }

  /** As a sentence, while it is away and there is a way past it. */
  get degraded(): string | undefined {
    if (this.own === undefined || !this.parts.hasWay()) return undefined;
    return `${this.parts.mainName} away for ${Math.round((performance.now() - this.own.sinceMs) / 1_000)} s; asking directly. ${this.own.why}`;
  }

  begin(why: string): void {
    if (this.closed) return;
    if (this.own !== undefined) {
      // What is found later says more: at first it may only have been late.
      this.own.why = why;
      this.own.wellSinceMs = undefined;
      return;
    }
    this.own = { sinceMs: performance.now(), why, wellSinceMs: undefined };
    const { log, mainName, hasWay, goAround } = this.parts;
    log.warn({ why }, hasWay() ? `${mainName} is away; messages go directly` : `${mainName} is away, and there is no way past it`);
    this.say(true);
    goAround();
    this.tick();
  }

  /** It did not do what was asked of it. */
  suspect(error: unknown): void {
    const { code, message } = error as Fault;
    if (code === 'bus.closed') return;
    if (code !== 'bus.no-answer') return this.begin(message);
    // Perhaps nobody is there to answer.
    if (this.own === undefined) void this.check();
  }

  /** What somebody else says of it. */
  heard(value: unknown): void {
    const word = detourWord.safeParse(value).data;
    if (word === undefined || word.who === this.parts.name || this.closed) return;
    if (!word.away) return void this.others.delete(word.who);
    const isNews = !this.isDetour;
    this.others.set(word.who, performance.now() + WORD_HOLDS_MS);
    if (!isNews) return;
    this.parts.goAround();
    this.tick();
  }

  /** Looks at once, and is found to be without it if it is in trouble. */
  check(): Promise<string | undefined> {
    const look = async () => {
      const why = await this.parts.main.trouble().catch((error: unknown) => String(error));
      this.checking = undefined;
      if (why !== undefined) this.begin(why);
      return why;
    };
    return (this.checking ??= look());
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.ticking);
  }

  private say(away: boolean): void {
    const { name, tell } = this.parts;
    tell({ topic: DETOURS, key: name, value: { who: name, away } });
  }

  private tick(): void {
    clearTimeout(this.ticking);
    this.ticking = setTimeout(() => void this.look().finally(() => this.isDetour && !this.closed && this.tick()), TICK_MS);
    this.ticking.unref();
  }

  private async look(): Promise<void> {
    const now = performance.now();
    for (const [who, untilMs] of this.others) if (untilMs <= now) this.others.delete(who);
    if (this.own === undefined) return;
    this.say(true);
    this.parts.goAround();
    if ((await this.check()) !== undefined || this.own === undefined) return;
    const { main, settleMs, log, mainName } = this.parts;
    const well = (this.own.wellSinceMs ??= performance.now());
    if (performance.now() - well < settleMs || main.looksSince?.(well) === false) return;
    log.info({ seconds: Math.round((performance.now() - this.own.sinceMs) / 1_000) }, `${mainName} is back`);
    this.own = undefined;
    this.say(false);
  }
}
