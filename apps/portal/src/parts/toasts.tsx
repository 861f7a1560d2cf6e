import { IconCheck } from '@tabler/icons-react';
import { useSyncExternalStore } from 'react';

interface Toast {
  readonly id: number;
  readonly words: string;
}

const SHOWN_MS = 4_000;
let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();
const show = (next: readonly Toast[]): void => {
  toasts = next;
  for (const listener of listeners) listener();
};
const listen = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Says that something was done. What went wrong is never said here: it stays beside what it is about. */
export const say = (words: string): void => {
  const id = (last += 1);
  show([...toasts.slice(-2), { id, words }]);
  setTimeout(() => show(toasts.filter((toast) => toast.id !== id)), SHOWN_MS);
};

export const Toasts = () => (
  <div className="toasts" role="status" aria-live="polite">
    {useSyncExternalStore(listen, () => toasts).map(({ id, words }) => (
      <div key={id} className="toast" data-testid="toast">
        <IconCheck size={18} aria-hidden="true" />
        {words}
      </div>
    ))}
  </div>
);
