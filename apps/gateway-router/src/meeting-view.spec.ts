import { describe, expect, it } from 'vitest';
import { revisionOf, type ConferenceId, type ConferenceView, type LegId, type PersonId, type Seat } from '@isthmus/conference';
import type { SiteId } from '@isthmus/kernel';
import { meetingViewFor } from './meeting-view.js';

const seat = (name: string, more: Partial<Seat> = {}): Seat => ({
  leg: `nyc-${name}` as LegId,
  person: name as PersonId,
  name,
  site: 'nyc' as SiteId,
  role: 'guest',
  muted: false,
  cameraOff: false,
  held: false,
  inReach: true,
  ...more,
});
const leg = (name: string) => `nyc-${name}` as LegId;
const view = (seats: readonly Seat[], more: Partial<ConferenceView> = {}): ConferenceView => ({
  conference: 'c1' as ConferenceId,
  room: 'board',
  site: 'nyc' as SiteId,
  version: { epoch: 2, revision: 5 },
  started: true,
  locked: false,
  seats,
  waiting: [],
  byRecency: seats.filter(({ held }) => !held).map((other) => other.leg),
  floor: null,
  ...more,
});

const ana = seat('ana', { role: 'host' });
const ben = seat('ben');
const eve = seat('eve', { held: true });
const door = [{ leg: leg('cy'), person: 'cy' as PersonId, name: 'cy', site: 'nyc' as SiteId, reason: 'host' as const }];

describe('the meeting as one participant is told of it', () => {
  it('shows somebody who moves to another site once: to others where they were, to themself where they look', () => {
    const there = seat('ben-there', { name: 'ben', from: leg('ben') });
    const meeting = view([ana, ben, seat('cy'), there], { floor: leg('ben') });
    const shown = (you: string) => {
      const { roster, stage, floor } = meetingViewFor(leg(you), meeting);
      return [roster.map((entry) => entry.leg), [stage.main, ...stage.thumbnails], floor];
    };
    const [ANA, BEN, CY, THERE] = ['ana', 'ben', 'cy', 'ben-there'].map(leg);
    expect(shown('ana')).toEqual([[ANA, BEN, CY], [BEN, CY], BEN]);
    expect(shown('ben')).toEqual([[ANA, BEN, CY], [ANA, CY], BEN]);
    expect(shown('ben-there')).toEqual([[ANA, CY, THERE], [ANA, CY], THERE]);
  });

  it('shows the speaker large to others, and the one before to the speaker', () => {
    const meeting = view([ana, ben, seat('cy')], { floor: leg('ana') });
    expect(meetingViewFor(leg('ben'), meeting).stage).toEqual({ main: leg('ana'), thumbnails: [leg('cy')] });
    expect(meetingViewFor(leg('ana'), meeting).stage).toEqual({ main: leg('ben'), thumbnails: [leg('cy')] });
  });

  it('tells hosts, and only hosts, who is at the door, those who are held among them', () => {
    const meeting = view([ana, ben, eve], { waiting: door });
    expect(meetingViewFor(leg('ana'), meeting).waiting).toEqual([
      { leg: leg('cy'), name: 'cy', reason: 'host' },
      { leg: leg('eve'), name: 'eve', reason: 'lock' },
    ]);
    expect(meetingViewFor(leg('ben'), meeting).waiting).toEqual([]);
  });

  it('shows nobody who is held to anybody, and nobody to who is held (no stranger in the roster of a locked room)', () => {
    const meeting = view([ana, ben, eve], { waiting: door, floor: leg('ana') });
    expect(meetingViewFor(leg('ana'), meeting).roster.map(({ name }) => name)).toEqual(['ana', 'ben']);
    expect(meetingViewFor(leg('eve'), meeting)).toMatchObject({
      held: true,
      roster: [{ name: 'eve', you: true }],
      stage: { main: null, thumbnails: [] },
      floor: null,
      waiting: [],
    });
  });

  it('tells a held host nothing of the door either', () => {
    expect(meetingViewFor(leg('zoe'), view([ana, seat('zoe', { role: 'host', held: true })], { waiting: door })).waiting).toEqual([]);
  });

  it('never says who a person is, only what they are called', () => {
    expect(JSON.stringify(meetingViewFor(leg('ben'), view([seat('ana', { person: 'secret-device-id' as PersonId }), ben])))).not.toContain(
      'secret-device-id',
    );
  });

  it('has a revision that grows with the epoch before the revision', () => {
    const of = (epoch: number, revision: number) => revisionOf(view([], { version: { epoch, revision } }));
    expect(of(3, 0)).toBeGreaterThan(of(2, 4_000_000_000));
    expect(of(2, 6)).toBeGreaterThan(of(2, 5));
  });
});
