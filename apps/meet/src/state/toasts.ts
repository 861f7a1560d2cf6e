import type { MeetingState, Toast } from './meeting-state.js';
import type { Store } from './store.js';

export const TOASTS_MAX = 3;
export const TOAST_LASTS_MS = 6_000;
/** A sentence that is said once, about something that needs a thought. */
export const NOTICE_LASTS_MS = 20_000;

/** Adds a notice quietly: the same one twice is one, a newer one of its code replaces the older, and only the last few stay. */
export const withToast = (toasts: readonly Toast[], toast: Toast): readonly Toast[] =>
  [...toasts.filter(({ code }) => code !== toast.code), toast].slice(-TOASTS_MAX);

/** What is on the screen at its edge, each for a while. */
export class Toasts {
  #count = 0;

  constructor(private readonly store: Store<MeetingState>) {}

  add(code: string, text: string, lastsMs: number): void {
    const id = ++this.#count;
    this.store.set({ toasts: withToast(this.store.get().toasts, { id, code, text }) });
    setTimeout(() => this.dismiss(id), lastsMs);
  }

  dismiss(id: number): void {
    this.#without((toast) => toast.id === id);
  }

  /** What was said with these codes is no longer so. */
  retract(codes: ReadonlySet<string>): void {
    this.#without(({ code }) => codes.has(code));
  }

  #without(isOver: (toast: Toast) => boolean): void {
    const { toasts } = this.store.get();
    if (toasts.some(isOver)) this.store.set({ toasts: toasts.filter((toast) => !isOver(toast)) });
  }
}
