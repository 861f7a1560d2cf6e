import { useSyncExternalStore } from 'react';

/** A path and what follows it; the whole address of a page of the portal. */
export interface Place {
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

export const placeIn = (address: string): Place => {
  const [path = '/', query = ''] = address.split('?', 2);
  return { parts: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query) };
};

/** Somebody may type anything. */
const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

const listen = (listener: () => void): (() => void) => {
  addEventListener('popstate', listener);
  return () => removeEventListener('popstate', listener);
};
const here = (): string => location.pathname + location.search;

export const usePlace = (): Place => placeIn(useSyncExternalStore(listen, here));

export const goTo = (address: string, { replace = false } = {}): void => {
  if (address === here()) return;
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  dispatchEvent(new PopStateEvent('popstate'));
  if (!replace) scrollTo(0, 0);
};
