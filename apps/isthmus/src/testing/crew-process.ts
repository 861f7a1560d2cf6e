import { personaOf, startBot, type Bot } from '@isthmus/bots';
import type { BotReport, CrewReport, Moment, PortalStep, ToCrew } from './crew-protocol.js';
import { PortalClient } from './portal-client.js';

/**
 * Bots in a process of their own, so that they can be on another machine than the spec that leads them: it tells them what to
 * do over Node's channel between processes, and they keep a log of what they see.
 */
const LOOK_EVERY_MS = 50;
/** Streams are given so long to begin before silence counts as a gap. */
const BEGIN_MS = 2_000;

class Watched {
  readonly ended: string[] = [];
  readonly notices: string[] = [];
  private moments: Moment[] = [];
  private localGapMs = 0;
  /** Since when somebody of our own site has been on the stage, and when the last packet of theirs came. */
  private readonly locals = new Map<string, { readonly sinceMs: number; lastMs: number }>();
  bot!: Bot;

  look(site: string): void {
    const { bot } = this;
    const { roster, stage } = bot.view;
    const legs = [...(stage.main === null ? [] : [stage.main]), ...stage.thumbnails];
    const moment: Moment = {
      at: Date.now(),
      inReach: roster
        .filter(({ inReach }) => inReach)
        .map(({ name }) => name)
        .toSorted(),
      stage: legs.map((leg) => bot.nameOf(leg)),
      shown: bot.missing().length === 0,
    };
    const last = this.moments.at(-1);
    if (last === undefined || JSON.stringify({ ...last, at: 0 }) !== JSON.stringify({ ...moment, at: 0 })) this.moments.push(moment);
    this.measure(legs.filter((leg) => roster.some((entry) => entry.leg === leg && entry.site === site && !entry.you)));
  }

  private measure(legs: readonly string[]): void {
    const nowMs = performance.now();
    const sight = this.bot.sees();
    const arrived = [...(sight.main ? [sight.main] : []), ...sight.thumbnails, ...sight.others];
    for (const leg of this.locals.keys()) if (!legs.includes(leg)) this.locals.delete(leg);
    for (const leg of legs) {
      const known = this.locals.get(leg) ?? { sinceMs: nowMs, lastMs: nowMs };
      this.locals.set(leg, known);
      const lastMs = Math.max(...arrived.filter((seen) => seen.leg === leg).map((seen) => seen.lastMs), known.lastMs);
      if (nowMs - known.sinceMs > BEGIN_MS) this.localGapMs = Math.max(this.localGapMs, nowMs - known.lastMs - LOOK_EVERY_MS);
      known.lastMs = lastMs;
    }
  }

  report(): BotReport {
    const { bot, moments, ended, notices, localGapMs } = this;
    this.moments = moments.slice(-1);
    this.localGapMs = 0;
    return {
      name: bot.name,
      roster: bot.view.roster.map(({ name }) => name).toSorted(),
      floor: bot.view.floor === null ? null : bot.nameOf(bot.view.floor),
      conference: bot.conference,
      moments,
      missing: bot.missing(),
      ended: [...ended],
      notices: [...notices],
      localGapMs,
    };
  }
}

const site = process.argv[2]!;
const bots = new Map<string, Watched>();
let stallMs = 0;
let lookedAt = performance.now();

setInterval(() => {
  const now = performance.now();
  stallMs = Math.max(stallMs, now - lookedAt - LOOK_EVERY_MS);
  lookedAt = now;
  for (const watched of bots.values()) watched.look(site);
}, LOOK_EVERY_MS);

const named = (name: string): Watched => {
  const watched = bots.get(name);
  if (watched === undefined) throw new Error(`there is no ${name} at ${site}`);
  return watched;
};

const join = async ({ name, gatewayUrl, alias, pin, persona }: Extract<ToCrew, { do: 'join' }>): Promise<string> => {
  const watched = new Watched();
  watched.bot = await startBot({
    ...{ gatewayUrl, alias, name },
    ...(pin === '' ? {} : { pin }),
    persona: personaOf(persona),
    hdKbps: 300,
    receive: 'count',
    onEnded: (reason) => watched.ended.push(reason),
    onNotice: (code, message) => watched.notices.push(`${code}: ${message}`),
  });
  bots.set(name, watched);
  return watched.bot.leg;
};

const administer = async (url: string, steps: readonly PortalStep[]): Promise<unknown> => {
  const portal = new PortalClient(url);
  let last: unknown;
  for (const step of steps) {
    if (step.do === 'sign-in') await portal.firstSignIn(step.name, step.password, step.next);
    else last = await portal.ask(step.method, step.path, step.body);
  }
  return last;
};

const obey = async (order: ToCrew): Promise<unknown> => {
  switch (order.do) {
    case 'join':
      return join(order);
    case 'speak':
      return named(order.name).bot.speak(order.forMs);
    case 'leave':
      await named(order.name).bot.leave();
      return void bots.delete(order.name);
    case 'report': {
      const report: CrewReport = { bots: [...bots.values()].map((watched) => watched.report()), stallMs };
      stallMs = 0;
      return report;
    }
    case 'fetch': {
      const response = await fetch(order.url);
      return { status: response.status, body: await response.text() };
    }
    case 'portal':
      return administer(order.url, order.steps);
  }
};

process.on('message', ({ id, order }: { readonly id: number; readonly order: ToCrew }) => {
  obey(order).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.({ id: 0 });
