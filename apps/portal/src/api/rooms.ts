import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ask, askFor, held } from './http.js';
import { room, rooms, waysToJoin, type Room, type RoomWish } from './shapes.js';

const PAGE = 50;
const at = (id: string): string => `/v1/rooms/${encodeURIComponent(id)}`;

/** A room as it was at one moment, which a change can be made conditional on. */
export interface KnownRoom {
  readonly room: Room;
  readonly etag: string | null;
}

const known = ({ body, etag }: { readonly body: unknown; readonly etag: string | null }): KnownRoom => ({ room: held(room, body), etag });
const ifStill = ({ etag }: KnownRoom): Record<string, string> => (etag === null ? {} : { 'if-match': etag });

export const useRooms = (search: string) =>
  useInfiniteQuery({
    queryKey: ['rooms', search],
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams({
        limit: String(PAGE),
        ...(search ? { search } : {}),
        ...(pageParam ? { cursor: pageParam } : {}),
      });
      return askFor(rooms, 'GET', `/v1/rooms?${query.toString()}`, { signal });
    },
    initialPageParam: '',
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
  });

export const useRoom = (id: string) =>
  useQuery({
    queryKey: ['room', id],
    queryFn: async ({ signal }) => known(await ask('GET', at(id), { signal })),
    // A form that is being filled in does not change under the hands.
    staleTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });

export const useWaysToJoin = (id: string) =>
  useQuery({
    queryKey: ['ways', id],
    queryFn: ({ signal }) => askFor(waysToJoin, 'GET', `${at(id)}/ways-to-join`, { signal }),
    staleTime: 0,
  });

const useAfterChange = () => {
  const client = useQueryClient();
  return async ({ room: changed, etag }: KnownRoom): Promise<void> => {
    client.setQueryData<KnownRoom>(['room', changed.id], { room: changed, etag });
    await Promise.all([
      client.invalidateQueries({ queryKey: ['rooms'] }),
      client.invalidateQueries({ queryKey: ['ways', changed.id] }),
      client.invalidateQueries({ queryKey: ['sites'] }),
    ]);
  };
};

export const useCreateRoom = () => {
  const after = useAfterChange();
  return useMutation({
    /** `key` is the same for every attempt at this one room, so that a lost answer does not make it twice. */
    mutationFn: async ({ wish, key }: { wish: RoomWish; key: string }) =>
      known(await ask('POST', '/v1/rooms', { body: wish, headers: { 'idempotency-key': key } })),
    onSuccess: after,
  });
};

export const useChangeRoom = () => {
  const after = useAfterChange();
  return useMutation({
    mutationFn: async ({ base, change }: { base: KnownRoom; change: Partial<RoomWish> }) =>
      known(await ask('PATCH', at(base.room.id), { body: change, headers: ifStill(base) })),
    onSuccess: after,
  });
};

export const useDeleteRoom = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (base: KnownRoom) => ask('DELETE', at(base.room.id), { headers: ifStill(base) }),
    onSuccess: (_, { room: gone }) => {
      client.removeQueries({ queryKey: ['room', gone.id] });
      client.removeQueries({ queryKey: ['ways', gone.id] });
      return client.invalidateQueries({ queryKey: ['rooms'] });
    },
  });
};
