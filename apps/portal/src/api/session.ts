import { useMutation, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { PRESENCE, type Presence } from './client.js';
import { ask, askFor } from './http.js';
import { isProblem } from './problem.js';
import { session } from './shapes.js';

const look = async (before: Presence | undefined): Promise<Presence> => {
  try {
    return { state: 'in', session: await askFor(session, 'GET', '/v1/sessions/current') };
  } catch (error) {
    if (!isProblem(error, 'session.needed')) throw error;
    if (before?.state === 'out') return before;
    return { state: 'out', because: before ? 'ended' : 'not-yet' };
  }
};

export const usePresence = (): UseQueryResult<Presence> => {
  const client = useQueryClient();
  return useQuery({ queryKey: PRESENCE, queryFn: () => look(client.getQueryData<Presence>(PRESENCE)), staleTime: Infinity });
};

export const useSignIn = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (credentials: { name: string; password: string }) => askFor(session, 'POST', '/v1/sessions', { body: credentials }),
    onSuccess: (opened) => client.setQueryData(PRESENCE, (): Presence => ({ state: 'in', session: opened })),
  });
};

export const useSignOut = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => ask('DELETE', '/v1/sessions/current'),
    onSuccess: () => {
      client.setQueryData(PRESENCE, (): Presence => ({ state: 'out', because: 'signed-out' }));
      // What one administrator saw is not there for the next.
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== PRESENCE[0] });
    },
  });
};

export const useChangePassword = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: { current: string; next: string }) => ask('POST', '/v1/sessions/current/password', { body: change }),
    onSuccess: () => client.invalidateQueries({ queryKey: PRESENCE }),
  });
};
