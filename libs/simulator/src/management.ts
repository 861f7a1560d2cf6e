import { hash } from 'node:crypto';
import { MANAGEMENT } from '@isthmus/estate';
import { seal, streamNameOf, writerIdOf, type Fact, type SiteId } from '@isthmus/kernel';
import { textOfHead } from '@isthmus/ports';
import type { EstateWord } from '@isthmus/protocol';
import { never } from './disk.js';
import type { Schedule } from './schedule.js';
import { simulatedSignatures } from './signatures.js';

export interface RoomRules {
  readonly id: string;
  readonly guestsWaitForHost: boolean;
  readonly seatsMax: number;
}

const STREAM = streamNameOf('estate', 'main', writerIdOf(MANAGEMENT, 1));

/** Who administers rooms and sites. A site that cannot reach it lives on what it knows. */
export class Management {
  readonly #facts: Fact[] = [];
  readonly #waiting = new Set<() => void>();
  /** Sites that management does not reach now. */
  readonly #away = new Set<SiteId>();
  readonly disabled = new Set<string>();
  /** Sites that are to end, and since when. */
  readonly draining = new Map<SiteId, number>();
  readonly seatsMax = new Map<string, number>();

  constructor(private readonly schedule: Schedule) {}

  enrol(site: SiteId): void {
    this.#say('SiteEnrolled', { site: { id: site, name: site, meetUrl: `http://${site}`, linkUrl: `wss://${site}` } });
  }

  create({ id, guestsWaitForHost, seatsMax }: RoomRules): void {
    this.seatsMax.set(id, seatsMax);
    const pins = { hostPinHash: null, guestPinHash: null };
    this.#say('RoomCreated', {
      room: { id, name: id, description: '', aliases: [id], ...pins, guestsWaitForHost, seatsMax, disabled: false },
    });
  }

  setDisabled(room: string, disabled: boolean): void {
    this.#say('RoomChanged', { id: room, change: { disabled } });
    if (disabled) this.disabled.add(room);
    else this.disabled.delete(room);
  }

  setPins(room: string, change: { readonly hostPinHash?: string; readonly guestPinHash?: string }): void {
    this.#say('RoomChanged', { id: room, change });
  }

  /** A site is to end, or not any more (ADR 0073). */
  setDraining(site: SiteId, draining: boolean): void {
    if (draining) this.draining.set(site, this.schedule.nowMs);
    else this.draining.delete(site);
    this.#say('SiteChanged', { id: site, change: { draining } });
  }

  /** Something about the room that no meeting cares for. */
  describe(room: string, description: string): void {
    this.#say('RoomChanged', { id: room, change: { description } });
  }

  lose(site: SiteId): void {
    this.#away.add(site);
  }

  find(site: SiteId): void {
    if (this.#away.delete(site)) this.#wake();
  }

  async *follow(
    site: SiteId,
    after: number,
    alive: () => boolean,
    signal: AbortSignal,
    word: (word: EstateWord) => void,
  ): AsyncIterable<readonly Fact[]> {
    let at = after;
    while (!signal.aborted) {
      if (!alive()) await never();
      const news = this.#away.has(site) ? [] : this.#facts.slice(at);
      if (news.length === 0) {
        await this.#news(signal);
        continue;
      }
      at += news.length;
      word(wordOn(news.at(-1)!));
      yield news;
    }
  }

  #say(type: string, body: unknown): void {
    const fact = { stream: STREAM, seq: this.#facts.length, prev: this.#facts.at(-1)?.hash ?? null, after: [] };
    this.#facts.push(seal({ ...fact, at: this.schedule.nowMs, by: 'system', type, v: 1, body }, sha256));
    this.schedule.after(20, () => this.#wake());
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

const KEY = simulatedSignatures(MANAGEMENT, 1);

/** Management's word on how far the estate goes, for those who have lost it. */
const wordOn = ({ stream, seq, hash }: Fact): EstateWord => {
  const { certificate, signature } = KEY.sign(textOfHead({ stream, seq, hash }));
  return { certificate, heads: [{ stream, seq, hash, signature }] };
};

const sha256 = (text: string): string => hash('sha256', text);
