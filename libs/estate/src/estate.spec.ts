import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IsthmusError, streamNameOf, writerIdOf, type Fact, type FactHash, type SiteId } from '@isthmus/kernel';
import { checkPins, decideEstate, emptyEstate, foldEstate, evolveEstate, isAsNew, MANAGEMENT, pinsOf, roomWithAlias } from './index.js';
import type { Estate, EstateCommand, EstateFact, Room, Site } from './index.js';

const room = (id: string, settings: Partial<Room> = {}): Room => ({
  id,
  name: `Room ${id}`,
  description: '',
  aliases: [],
  hostPinHash: null,
  guestPinHash: null,
  guestsWaitForHost: false,
  seatsMax: 50,
  disabled: false,
  ...settings,
});
const london: Site = { id: 'lon' as SiteId, name: 'London', meetUrl: 'https://meet.lon.example', linkUrl: 'wss://lon.example:7201' };

const created = (one: Room): EstateFact => ({ type: 'RoomCreated', room: one });
const recorded = (fact: EstateFact) => ({ type: fact.type, body: fact });
const given = (...facts: EstateFact[]) => {
  const estate = facts.map(recorded).reduce(evolveEstate, emptyEstate);
  return {
    estate,
    when: (command: EstateCommand) => ({
      then: (...expected: EstateFact[]) => expect(decideEstate(command, estate)).toEqual(expected),
      refused: (code: string, words: RegExp = /./) => {
        const error = refusalOf(() => decideEstate(command, estate));
        expect(error.code).toBe(code);
        expect(error.message).toMatch(words);
      },
    }),
  };
};
const refusalOf = (act: () => unknown): IsthmusError => {
  try {
    act();
  } catch (error) {
    if (error instanceof IsthmusError) return error as IsthmusError;
    throw error;
  }
  throw new Error('it was not refused');
};

describe('rooms', () => {
  it('are created with several aliases', () => {
    const board = room('board', { aliases: ['board', '4711', 'board@example.com'] });
    given().when({ type: 'CreateRoom', room: board }).then(created(board));
  });

  it('are found by any of their aliases, however it is written', () => {
    const { estate } = given(created(room('board', { aliases: ['board', '4711'] })));
    expect(roomWithAlias(estate, ' BOARD ')?.id).toBe('board');
    expect(roomWithAlias(estate, '4711')?.id).toBe('board');
    expect(roomWithAlias(estate, '471')).toBeUndefined();
  });

  it('do not share an alias, and the refusal names its owner', () => {
    given(created(room('board', { name: 'Board room', aliases: ['board'] })))
      .when({ type: 'CreateRoom', room: room('other', { aliases: ['board'] }) })
      .refused('room.alias-taken', /belongs to the room “Board room”/);
  });

  it('keep their own alias when they change', () => {
    given(created(room('board', { aliases: ['board'] })))
      .when({ type: 'ChangeRoom', id: 'board', change: { aliases: ['board', 'plenum'] } })
      .then({ type: 'RoomChanged', id: 'board', change: { aliases: ['board', 'plenum'] } });
  });

  it('do not list one alias twice', () => {
    given()
      .when({ type: 'CreateRoom', room: room('a', { aliases: ['x', 'x'] }) })
      .refused('room.alias-taken');
  });

  it.each(['', 'A', 'two words', '-x', 'x-', 'x@', '@x', 'a/b', 'ä', 'x'.repeat(65), 'a@b@c', '__proto__'])(
    'refuse the alias “%s”',
    (alias) => {
      given()
        .when({ type: 'CreateRoom', room: room('a', { aliases: [alias] }) })
        .refused('room.alias-invalid');
    },
  );

  it.each([0, -1, 1.5, 1001, Number.NaN])('refuse %s seats', (seatsMax) => {
    given()
      .when({ type: 'CreateRoom', room: room('a', { seatsMax }) })
      .refused('room.seats-invalid');
  });

  it('refuse a name that turns text around or hides characters', () => {
    for (const name of ['', ' x', 'a\u202eb', 'a\u0000b', 'x'.repeat(101)]) {
      given()
        .when({ type: 'CreateRoom', room: room('a', { name }) })
        .refused('room.name-invalid');
    }
  });

  it('refuse a guest PIN without a host PIN, for nobody could be host', () => {
    given()
      .when({ type: 'CreateRoom', room: room('a', { guestPinHash: 'hash' }) })
      .refused('room.guest-pin-alone');
    given(created(room('a', { hostPinHash: 'h', guestPinHash: 'g' })))
      .when({ type: 'ChangeRoom', id: 'a', change: { hostPinHash: null } })
      .refused('room.guest-pin-alone');
  });

  it('record only what is really changed, and nothing if nothing is', () => {
    const there = given(created(room('a', { aliases: ['x'] })));
    there.when({ type: 'ChangeRoom', id: 'a', change: { name: 'Room a', aliases: ['x'] } }).then();
    there
      .when({ type: 'ChangeRoom', id: 'a', change: { name: 'Room a', disabled: true } })
      .then({ type: 'RoomChanged', id: 'a', change: { disabled: true } });
  });

  it('free their aliases when they are deleted', () => {
    given(created(room('a', { aliases: ['x'] })), { type: 'RoomDeleted', id: 'a' })
      .when({ type: 'CreateRoom', room: room('b', { aliases: ['x'] }) })
      .then(created(room('b', { aliases: ['x'] })));
  });

  it('that nobody knows cannot be changed or deleted, whatever they are called', () => {
    for (const id of ['nope', '__proto__', 'constructor']) {
      given()
        .when({ type: 'ChangeRoom', id, change: { disabled: true } })
        .refused('room.unknown');
      given().when({ type: 'DeleteRoom', id }).refused('room.unknown');
    }
  });
});

describe('PINs', () => {
  it('have 4 to 20 digits', () => {
    checkPins('1234', '12345678901234567890');
    for (const pin of ['123', '123456789012345678901', '12a4', '', '١٢٣٤']) {
      expect(refusalOf(() => checkPins(pin, null)).code).toBe('room.pin-invalid');
    }
  });

  it('differ between host and guest', () => {
    expect(refusalOf(() => checkPins('1234', '1234')).code).toBe('room.pins-equal');
  });
});

describe('sites', () => {
  it('are enrolled once under one name', () => {
    given().when({ type: 'EnrolSite', site: london }).then({ type: 'SiteEnrolled', site: london });
    given({ type: 'SiteEnrolled', site: london }).when({ type: 'EnrolSite', site: london }).refused('site.exists');
  });

  it('are never called management, and never by a name that could not stand in a stream', () => {
    for (const id of [MANAGEMENT, 'new york', 'a.b', 'a@b', '1x', '', 'x'.repeat(33)]) {
      given()
        .when({ type: 'EnrolSite', site: { ...london, id: id as SiteId } })
        .refused('site.id-invalid');
    }
  });

  it('need addresses that others can use', () => {
    given()
      .when({ type: 'EnrolSite', site: { ...london, linkUrl: 'http://x' } })
      .refused('site.url-invalid');
    given()
      .when({ type: 'EnrolSite', site: { ...london, meetUrl: 'javascript:alert(1)' } })
      .refused('site.url-invalid');
  });
});

/** As management recorded it in one of its tenures, having how much of those before. */
const told = (epoch: number, seq: number, one: EstateFact, ...had: readonly (readonly [epoch: number, seq: number])[]): Fact => {
  const hashOf = (ofEpoch: number, ofSeq: number) => `${ofEpoch}-${ofSeq}` as FactHash;
  const streamOf = (ofEpoch: number) => streamNameOf('estate', 'main', writerIdOf(MANAGEMENT, ofEpoch));
  return {
    ...{ hash: hashOf(epoch, seq), stream: streamOf(epoch), seq, at: 0, prev: null, by: 'ada', v: 1, type: one.type, body: one },
    after: had.map(([ofEpoch, ofSeq]) => ({ stream: streamOf(ofEpoch), seq: ofSeq, hash: hashOf(ofEpoch, ofSeq) })),
  };
};

describe('a management that was put back from a backup', () => {
  const kept = [told(1, 0, created(room('a')))];
  const lost = [told(1, 1, created(room('lost'))), told(2, 0, { type: 'RoomDeleted', id: 'a' }, [1, 1])];
  const since = [told(9, 0, { type: 'EstateRestored', generation: 9 }, [1, 0]), told(9, 1, created(room('new')))];

  it('goes by what it has, and so does whoever has more', () => {
    const own = foldEstate([...kept, ...since]);
    expect(Object.keys(own.rooms)).toEqual(['a', 'new']);
    expect(foldEstate([...since, ...lost, ...kept])).toEqual(own);
  });

  it('has an estate that is newer than the one that was lost, though it counts less', () => {
    const [before, after] = [foldEstate([...kept, ...lost]), foldEstate([...kept, ...lost, since[0]!])];
    expect(after.revision).toBeLessThan(before.revision);
    expect([isAsNew(after, before), isAsNew(before, after)]).toEqual([true, false]);
  });

  it('names a PIN as it named none before', () => {
    const before = foldEstate([...kept, told(1, 1, { type: 'RoomChanged', id: 'a', change: { hostPinHash: 'x' } })]);
    const after = foldEstate([...kept, since[0]!, told(9, 1, { type: 'RoomChanged', id: 'a', change: { hostPinHash: 'y' } })]);
    expect(pinsOf(after, 'a').host).toBeGreaterThan(pinsOf(before, 'a').host);
  });

  it('says so once', () => {
    given().when({ type: 'DeclareRestored', generation: 9 }).then({ type: 'EstateRestored', generation: 9 });
    given({ type: 'EstateRestored', generation: 9 }).when({ type: 'DeclareRestored', generation: 9 }).then();
  });
});

describe('the revision', () => {
  it('counts every fact, understood or not, so that all copies of the same facts agree', () => {
    const future = { type: 'RoomPainted', body: { colour: 'green' } };
    const { estate } = given(created(room('a')));
    expect(evolveEstate(estate, future)).toEqual({ ...estate, revision: 2 });
  });

  it('and the rest of the estate do not depend on the order in which facts arrive', () => {
    const facts = [
      told(1, 0, created(room('a'))),
      told(1, 1, { type: 'SiteEnrolled', site: london }),
      told(2, 0, { type: 'RoomChanged', id: 'a', change: { name: 'Second' } }, [1, 1]),
      told(10, 0, { type: 'RoomChanged', id: 'a', change: { name: 'Last' } }, [1, 1], [2, 0]),
    ];
    const inOrder = foldEstate(facts);
    expect(inOrder).toMatchObject({ revision: 4, rooms: { a: { name: 'Last' } } });
    fc.assert(
      fc.property(fc.shuffledSubarray(facts, { minLength: facts.length }), (shuffled) => {
        expect(foldEstate(shuffled)).toEqual(inOrder);
      }),
    );
  });

  it('goes up by one whatever a fact holds, and the estate stays sound', () => {
    const types = fc.constantFrom(
      'RoomCreated',
      'RoomChanged',
      'RoomDeleted',
      'SiteEnrolled',
      'SiteChanged',
      'SiteRemoved',
      'NodeDrained',
      'NodeReturned',
      'NodeRemoved',
      'Unknown',
    );
    const bodies = fc.oneof(
      fc.anything(),
      fc.record({ id: fc.constantFrom('a', '__proto__', 7, null), change: fc.anything(), room: fc.anything(), site: fc.anything() }),
    );
    fc.assert(
      fc.property(types, bodies, (type, body) => {
        const before: Estate = given(created(room('a', { aliases: ['x'] }))).estate;
        const after = evolveEstate(before, { type, body });
        expect(after.revision).toBe(2);
        roomWithAlias(after, 'y');
        expect(Object.keys(after.rooms).every((id) => id === 'a')).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
