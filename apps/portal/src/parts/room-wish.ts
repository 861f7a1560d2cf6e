import type { Room, RoomWish } from '../api/shapes.js';

export const EMPTY_WISH: RoomWish = {
  name: '',
  description: '',
  aliases: [],
  guestsWaitForHost: false,
  seatsMax: 50,
  disabled: false,
};

/** A room as the form starts from it. PINs are not in it: nobody can see them again, only replace them. */
export const wishOf = ({ name, description, aliases, guestsWaitForHost, seatsMax, disabled }: Room): RoomWish => ({
  name,
  description,
  aliases: [...aliases],
  guestsWaitForHost,
  seatsMax,
  disabled,
});

/** Only what somebody changed, so that saving a name takes back nobody's new alias. */
export const changeOf = (room: Room, wish: RoomWish): Partial<RoomWish> => {
  const before: RoomWish = wishOf(room);
  const changed = Object.entries(wish).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key as keyof RoomWish]));
  return Object.fromEntries(changed);
};

/** `Board room, 4th floor` → `board-room-4th-floor`: what people would dial. */
export const aliasFor = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '');
