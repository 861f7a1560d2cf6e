import { describe, expect, it } from 'vitest';
import type { LegId } from '@isthmus/conference';
import type { SiteId } from '@isthmus/kernel';
import type { RosterEntry } from '@isthmus/protocol';
import { withToast } from './toasts.js';
import { backInReach, besidesInWords, blockedInWords, initials, names, outOfReach, problemWords } from './words.js';
import { aliasOfInput, aliasOfPath, pathOfAlias } from './room-link.js';

const person = (name: string, site: string, inReach: boolean): RosterEntry => ({
  leg: `${site}-${name}` as LegId,
  name,
  site: site as SiteId,
  role: 'guest',
  muted: false,
  cameraOff: false,
  inReach,
  you: false,
});

describe('words about people', () => {
  it('name a few and count the rest', () => {
    expect(names(['Ana'])).toBe('Ana');
    expect(names(['Ana', 'Bo'])).toBe('Ana and Bo');
    expect(names(['Ana', 'Bo', 'Carmen', 'Dmitri'])).toBe('Ana, Bo, Carmen and 1 other');
    expect(names(['Ana', 'Bo', 'Carmen', 'Dmitri', 'Efua'])).toBe('Ana, Bo, Carmen and 2 others');
  });

  it('shorten a name to whole characters', () => {
    expect(initials('Ana Maria Lindqvist')).toBe('AL');
    expect(initials('bo')).toBe('BO');
    expect(initials('🌊 Wave')).toBe('🌊W');
    expect(initials('  ')).toBe('?');
  });

  it('say once per site who is out of reach, and nothing when all are there', () => {
    const roster = [person('Ana', 'lon', false), person('Bo', 'lon', false), person('Carmen', 'cpt', true)];
    expect(outOfReach(roster, () => 'London')).toEqual(['London is out of reach: Ana and Bo will be back when the link is.']);
    expect(outOfReach([person('Ana', 'lon', true)], () => 'London')).toEqual([]);
  });

  it('say who is back when all of a site can be reached again, and nothing before', () => {
    const away = [person('Ana', 'lon', false), person('Bo', 'lon', false), person('Carmen', 'cpt', true)];
    const back = [person('Ana', 'lon', true), person('Bo', 'lon', true), person('Carmen', 'cpt', true)];
    expect(backInReach(away, back, () => 'London')).toEqual([{ site: 'lon', text: 'London is back, and with it Ana and Bo.' }]);
    expect(backInReach(away, [person('Carmen', 'cpt', true)], () => 'London')).toEqual([{ site: 'lon', text: 'London is back.' }]);
    expect([...backInReach(back, away, () => 'London'), ...backInReach([], back, () => 'London')]).toEqual([]);
  });

  it('tell whoever hears and sees nothing what a firewall would have to let through, or that the browser takes no loopback', () => {
    const door = (address: string, protocol: string) => ({ address, port: 8030, protocol });
    const office = [door('192.0.2.7', 'udp'), door('192.0.2.7', 'tcp')];
    expect(blockedInWords(office, true)).toContain('between this browser and 192.0.2.7 port 8030 (UDP or TCP). Usually a firewall');
    expect(blockedInWords([], false)).toContain('the media server');
    expect(blockedInWords([door('127.0.0.12', 'udp')], true)).toContain('--listen');
    expect(blockedInWords([door('127.0.0.12', 'udp')], false)).toContain('127.0.0.12 port 8030 (UDP)');
  });

  it('tell hosts of another meeting of the room, and which one to unlock', () => {
    expect(besidesInWords([], false, String)).toBeUndefined();
    expect(besidesInWords(['lon' as SiteId], true, () => 'London')).toContain(
      'in London, that began while the link was down. They stay apart because this one is locked',
    );
    expect(besidesInWords(['lon' as SiteId], false, () => 'London')).toContain('that one is locked');
  });
});

describe('words about devices', () => {
  it('say once what is wrong with both, and what to do', () => {
    expect(problemWords('both', 'denied').title).toBe('The camera and microphone are not allowed');
    expect(problemWords('camera', 'in-use').text).toContain('turn it on again');
    expect(problemWords('both', 'insecure').text).toContain('https://');
  });
});

describe('toasts', () => {
  it('do not pile up: one per code, and only the last three', () => {
    const toast = (id: number, code: string) => ({ id, code, text: code });
    const shown = [toast(1, 'a'), toast(2, 'b'), toast(3, 'a'), toast(4, 'c'), toast(5, 'd')].reduce(
      withToast,
      [] as ReturnType<typeof withToast>,
    );
    expect(shown.map(({ id }) => id)).toEqual([3, 4, 5]);
  });
});

describe('links to a room', () => {
  it('carry any alias there and back', () => {
    expect(aliasOfPath(pathOfAlias('board room/ö@example.org'))).toBe('board room/ö@example.org');
    expect(aliasOfPath('/')).toBe('');
    expect(aliasOfPath('/r/%E0%A4%A')).toBe('');
  });

  it('may be pasted whole where an alias is asked for', () => {
    expect(aliasOfInput(' https://meet.example.org/r/demo ')).toBe('demo');
    expect(aliasOfInput('demo@example.org')).toBe('demo@example.org');
    expect(aliasOfInput('demo')).toBe('demo');
  });
});
