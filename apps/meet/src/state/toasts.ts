import type { Toast } from './meeting-state.js';

export const TOASTS_MAX = 3;
export const TOAST_LASTS_MS = 6_000;
/** A sentence that is said once, about something that needs a thought. */
export const NOTICE_LASTS_MS = 20_000;

/** Adds a notice quietly: the same one twice is one, a newer one of its code replaces the older, and only the last few stay. */
export const withToast = (toasts: readonly Toast[], toast: Toast): readonly Toast[] =>
  [...toasts.filter(({ code }) => code !== toast.code), toast].slice(-TOASTS_MAX);
