import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyEstate, type Estate, type Room } from '@isthmus/estate';
import { readings, roomMeant } from './alias.js';

const room = (id: string, aliases: readonly string[], disabled = false): Room => ({
  id,
  name: id,
  description: '',
  aliases,
  hostPinHash: null,
  guestPinHash: null,
  guestsWaitForHost: false,
  seatsMax: 10,
  disabled,
});
const estate: Estate = {
  ...emptyEstate,
  rooms: {
    board: room('board', ['board', '4711', 'board@example.com']),
    other: room('other', ['board@other.example', 'jour-fixe']),
    closed: room('closed', ['closed'], true),
  },
};

describe('the room that somebody means', () => {
  it.each([
    'board',
    '  Board ',
    'BOARD',
    'https://meet.lon.example/r/board',
    'http://127.0.0.11:7100/r/Board?name=ana#top',
    'https://meet.lon.example/r/bo%61rd/',
    'sip:board@example.com',
    'SIPS:Board@Example.com:5061;transport=tls?subject=x',
    'sip:board@198.51.100.7',
    '4711',
    '47 11',
    '(47) 1-1',
    '４７１１',
  ])('is the board room for “%s”', (typed) => {
    expect(roomMeant(estate, typed)?.id).toBe('board');
  });

  it('is the room with the whole address before the one with the name alone', () => {
    expect(roomMeant(estate, 'sip:board@other.example')?.id).toBe('other');
  });

  it.each([
    'nobody',
    '',
    ' ',
    'https://meet.lon.example/',
    '%',
    'https://x/r/%',
    '__proto__',
    'constructor',
    'x'.repeat(1_000),
    'board\u0000',
  ])('is none for “%s”', (typed) => {
    expect(roomMeant(estate, typed)).toBeUndefined();
  });

  it('is none when the room is disabled', () => {
    expect(roomMeant(estate, 'closed')).toBeUndefined();
  });

  it('keeps the hyphen of a name that is not digits', () => {
    expect(roomMeant(estate, 'Jour-Fixe')?.id).toBe('other');
  });

  it('is found or not for whatever anybody types, and nothing else happens', () => {
    fc.assert(fc.property(fc.string({ maxLength: 600 }), (typed) => readings(typed).every((alias) => alias !== '')));
  });
});
