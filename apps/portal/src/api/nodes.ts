import { useMutation } from '@tanstack/react-query';
import { ask } from './http.js';

const at = (id: string): string => `/v1/nodes/${encodeURIComponent(id)}`;

/** Has a media node emptied, or used again. What becomes of it comes by the stream. */
export const useDraining = () =>
  useMutation({ mutationFn: ({ node, draining }: { node: string; draining: boolean }) => ask('PATCH', at(node), { body: { draining } }) });

/** Takes a media node out of its site for good; `now` also while people may be there. */
export const useRemoveNode = () =>
  useMutation({ mutationFn: ({ node, now }: { node: string; now: boolean }) => ask('DELETE', `${at(node)}${now ? '?now=true' : ''}`) });
