import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ask, askFor } from './http.js';
import { administrator, administrators, sites } from './shapes.js';

export const useSites = () => useQuery({ queryKey: ['sites'], queryFn: ({ signal }) => askFor(sites, 'GET', '/v1/sites', { signal }) });

export const useAdministrators = () =>
  useQuery({ queryKey: ['administrators'], queryFn: ({ signal }) => askFor(administrators, 'GET', '/v1/administrators', { signal }) });

const at = (id: string): string => `/v1/administrators/${encodeURIComponent(id)}`;

const useListAgain = () => {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ['administrators'] });
};

export const useAddAdministrator = () =>
  useMutation({
    mutationFn: (wish: { name: string; password: string }) => askFor(administrator, 'POST', '/v1/administrators', { body: wish }),
    onSuccess: useListAgain(),
  });

export const useSetPassword = () =>
  useMutation({
    mutationFn: ({ id, password }: { id: string; password: string }) => ask('PUT', `${at(id)}/password`, { body: { password } }),
    onSuccess: useListAgain(),
  });

export const useRemoveAdministrator = () => useMutation({ mutationFn: (id: string) => ask('DELETE', at(id)), onSuccess: useListAgain() });
