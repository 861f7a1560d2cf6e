import { apart, Pass, saw, type Said } from '@isthmus/kernel';
import type { Conference, Device, Leg } from './state.js';

/**
 * A conference without what a written-off site said that nobody who wrote it off had seen: kept in the history, but archive only
 * (merge rule 6). What such a site says once it knows of it counts again.
 */
export const withoutArchive = (conference: Conference): Conference => {
  const { writtenOff } = conference;
  if (writtenOff.length === 0) return conference;
  const counts = (said: Said): boolean => countsBy(writtenOff, said);
  const legOf = (leg: Leg): Leg => ({
    ...leg,
    admissions: leg.admissions.filter(counts),
    rejections: leg.rejections.filter(counts),
    appointments: leg.appointments.filter(counts),
    demotions: leg.demotions.filter(counts),
    microphone: deviceOf(leg.microphone, counts),
    camera: deviceOf(leg.camera, counts),
  });
  const pass = new Pass();
  let { legs, gone, removals } = conference;
  for (const [id, leg] of conference.legs.entries()) legs = legs.set(id, legOf(leg), pass);
  for (const [id, leg] of conference.gone.entries()) gone = gone.set(id, legOf(leg), pass);
  for (const [person, said] of conference.removals.entries()) {
    const left = said.filter(counts);
    removals = left.length === 0 ? removals.delete(person, pass) : removals.set(person, left, pass);
  }
  return {
    ...conference,
    legs,
    gone,
    removals,
    hosts: conference.hosts.filter(({ said }) => counts(said)),
    appointments: conference.appointments.filter(counts),
    locks: conference.locks.filter(counts),
    unlocks: conference.unlocks.filter(counts),
    hushes: conference.hushes.filter(({ said }) => counts(said)),
    ends: conference.ends.filter(({ said }) => counts(said)),
    pins: conference.pins.filter(({ said }) => counts(said)),
  };
};

/** Whether something counted in the eyes of whoever said `act`, who had seen it. All that they saw is folded by now, so the answer never changes. */
export const countedFor = ({ writtenOff }: Conference, act: Said, said: Said): boolean =>
  writtenOff.length === 0 ||
  countsBy(
    writtenOff.filter((off) => saw(act, off.said)),
    said,
  );

const countsBy = (writtenOff: Conference['writtenOff'], said: Said): boolean => {
  const offs = writtenOff.filter(({ site }) => site === said.site);
  return offs.length === 0 || offs.some((off) => !apart(off.said, said));
};

const deviceOf = (device: Device, counts: (said: Said) => boolean): Device => ({
  ...device,
  stops: device.stops.filter(counts),
  releases: device.releases.filter(counts),
});
