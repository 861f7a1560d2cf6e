import { describe, expect, it } from 'vitest';
import { aliasFor, changeOf, wishOf } from './room-wish.js';

const room = {
  id: 'r1',
  name: 'Board room',
  description: '',
  aliases: ['board'],
  hostPinSet: true,
  guestPinSet: false,
  guestsWaitForHost: false,
  seatsMax: 50,
  disabled: false,
};

describe('what somebody wants of a room', () => {
  it('is only what they changed', () => {
    const wish = { ...wishOf(room), aliases: ['board', '4711'] };
    expect(changeOf(room, wish)).toEqual({ aliases: ['board', '4711'] });
    expect(changeOf(room, wishOf(room))).toEqual({});
  });

  it('sets a PIN, takes one away, or leaves it as it is', () => {
    expect(changeOf(room, { ...wishOf(room), hostPin: null })).toEqual({ hostPin: null });
    expect(changeOf(room, { ...wishOf(room), guestPin: '4711' })).toEqual({ guestPin: '4711' });
  });

  it('gets an alias that can be dialled from any name', () => {
    expect(aliasFor('Board room, 4th floor')).toBe('board-room-4th-floor');
    expect(aliasFor('  Café Zürich! ')).toBe('cafe-zurich');
    expect(aliasFor('会議')).toBe('');
  });
});
