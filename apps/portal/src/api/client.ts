import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { Problem } from './problem.js';
import type { Session } from './shapes.js';

/** Who uses the portal, and if nobody, why. */
export type Presence =
  { readonly state: 'in'; readonly session: Session } | { readonly state: 'out'; readonly because: 'not-yet' | 'signed-out' | 'ended' };

export const PRESENCE = ['presence'] as const;

/** One client for all that is asked; an answer that says that the session is over puts the whole page in front of the door. */
export const newClient = (): QueryClient => {
  const seeSession = (error: unknown): void => {
    if (!(error instanceof Problem)) return;
    if (error.code === 'session.needed') {
      client.setQueryData<Presence>(PRESENCE, (before) => (before?.state === 'in' ? { state: 'out', because: 'ended' } : before));
    } else if (error.code === 'session.password-change-needed') {
      void client.invalidateQueries({ queryKey: PRESENCE });
    }
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: seeSession }),
    mutationCache: new MutationCache({ onError: seeSession }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // Only what may be better the next time: silence and a service's own failures.
        retry: (count, error) => count < 2 && error instanceof Problem && (error.status === 0 || error.status >= 500),
      },
    },
  });
  return client;
};
