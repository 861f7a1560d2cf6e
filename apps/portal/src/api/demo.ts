import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { askFor } from './http.js';
import { usePresence } from './session.js';
import { demoLinks, type DemoLinkWish } from './shapes.js';

const LINKS = ['demo', 'links'];
/** Somebody may cut one by the command line meanwhile. */
const LOOK_MS = 3_000;

/** Whether this is a demo, whose links may be cut; nowhere else is there anything to ask. */
export const useIsDemo = (): boolean => {
  const presence = usePresence().data;
  return presence?.state === 'in' && presence.session.demo;
};

export const useDemoLinks = () =>
  useQuery({
    queryKey: LINKS,
    queryFn: ({ signal }) => askFor(demoLinks, 'GET', '/v1/demo/links', { signal }),
    refetchInterval: LOOK_MS,
  });

export const useChangeDemoLinks = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wish: DemoLinkWish) => askFor(demoLinks, 'PUT', '/v1/demo/links', { body: wish }),
    onSuccess: (links) => client.setQueryData(LINKS, links),
  });
};
