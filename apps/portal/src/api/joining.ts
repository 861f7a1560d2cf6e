import { useMutation, useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { ask, askFor } from './http.js';

/** One command, to be typed on the machine that is to join. */
const joinCommand = z.object({ command: z.string(), expiresAt: z.string() });
export type JoinCommand = z.infer<typeof joinCommand>;

export interface NewSite {
  readonly id: string;
  readonly name: string;
  readonly meetUrl: string;
  readonly linkUrl: string;
}

const at = (id: string): string => `/v1/sites/${encodeURIComponent(id)}`;

const useListAgain = () => {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ['sites'] });
};

/** Puts a site on the list. */
export const useAddSite = () =>
  useMutation({ mutationFn: (site: NewSite) => ask('POST', '/v1/sites', { body: site }), onSuccess: useListAgain() });

/** Has a site let nobody new in and tell its people where else to go, or take people again. */
export const useDrainSite = () =>
  useMutation({
    mutationFn: ({ id, draining }: { id: string; draining: boolean }) => ask('PATCH', at(id), { body: { draining } }),
    onSuccess: useListAgain(),
  });

export const useRemoveSite = () => useMutation({ mutationFn: (id: string) => ask('DELETE', at(id)), onSuccess: useListAgain() });

/** The command that makes a machine this site. */
export const useSiteCommand = () => useMutation({ mutationFn: (id: string) => askFor(joinCommand, 'POST', `${at(id)}/enrolment-tokens`) });

/** The command that makes a machine one more media node of this site. */
export const useNodeCommand = () =>
  useMutation({
    mutationFn: ({ site, ...wish }: { site: string; node: string; address: string }) =>
      askFor(joinCommand, 'POST', `${at(site)}/node-tokens`, { body: wish }),
  });
