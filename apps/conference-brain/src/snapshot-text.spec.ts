import { canonicalState, conference, legIdOf, type ConferenceId } from '@isthmus/conference';
import { sha256 } from '@isthmus/contract/samples';
import { createTimeline, seal, streamNameOf, writerIdOf, type SiteId } from '@isthmus/kernel';
import { describe, expect, it } from 'vitest';
import { readSnapshotText, snapshotText, type KeptSnapshot } from './snapshot-text.js';

const site = 'nyc' as SiteId;
const id = 'r1_1' as ConferenceId;

/** What is kept of a meeting into which so many have come. */
const keptOf = (people: number): KeptSnapshot => {
  const stream = streamNameOf('conference', id, writerIdOf(site, 1));
  const timeline = createTimeline(conference);
  for (let n = 0; n < people; n++) {
    const leg = legIdOf(site, `${n}`);
    const coming = {
      leg,
      site,
      person: `person-${n}`,
      name: `Person ${n}`,
      role: 'guest',
      connect: 1,
      muted: false,
      cameraOff: false,
      proof: 0,
    };
    timeline.add([seal(timeline.next(stream, { type: 'LegJoined', v: 1, by: leg, body: coming, at: n }), sha256)]);
  }
  return { conferences: [id], places: { [stream]: { position: `${people}`, at: people - 1 } }, snapshot: timeline.snapshot()! };
};

describe.each([
  { what: 'a short snapshot, as it is', people: 2, isPlain: true },
  { what: 'a long one, packed', people: 300, isPlain: false },
])('$what', ({ people, isPlain }) => {
  const kept = keptOf(people);
  const text = snapshotText(kept);

  it('is read as what it was made of', () => {
    expect(text.includes('"Person 1"')).toBe(isPlain);
    const read = readSnapshotText(text)!;
    expect(canonicalState(read.snapshot.state)).toBe(canonicalState(kept.snapshot.state));
    expect({ conferences: read.conferences, places: read.places }).toEqual({ conferences: kept.conferences, places: kept.places });
  });

  it('is none if any of it is missing or another', () => {
    for (const part of [0.1, 0.5, 0.99]) expect(readSnapshotText(text.slice(0, Math.floor(text.length * part)))).toBeUndefined();
    expect(readSnapshotText(`${text} `)).toBeUndefined();
    expect(readSnapshotText(`${text.slice(0, -9)}${text.at(-9) === 'A' ? 'B' : 'A'}${text.slice(-8)}`)).toBeUndefined();
  });
});
