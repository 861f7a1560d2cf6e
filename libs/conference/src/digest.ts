import { canonical, type Said } from '@isthmus/kernel';
import { FOLD_VERSION, type Conference, type Device, type Leg } from './state.js';

/**
 * The whole state as one text, so that sites can compare what they have folded, by its hash, byte for byte. Only texts of
 * the same fold version mean anything side by side (merge rule 5).
 */
export const canonicalState = ({
  legs,
  gone,
  hosts,
  appointments,
  started,
  spoke,
  locks,
  unlocks,
  hushes,
  removals,
  ends,
  pins,
  writtenOff,
}: Conference): string =>
  canonical({
    fold: FOLD_VERSION,
    legs: [...legs.values()].map(plain),
    gone: [...gone.values()].map(plain),
    hosts: hosts.map(({ site, said }) => ({ site, said: said.hash })),
    appointments: names(appointments),
    started,
    spoke: [...spoke.keys()].reverse(),
    locks: names(locks),
    unlocks: names(unlocks),
    hushes: hushes.map(({ spared, said }) => ({ spared, said: said.hash })),
    removals: [...removals.entries()].map(([person, said]) => ({ person, said: names(said) })),
    ends: ends.map(({ sites, said }) => ({ sites, said: said.hash })),
    pins: pins.map(({ host, guest, said }) => ({ host, guest, said: said.hash })),
    writtenOff: writtenOff.map(({ site, said }) => ({ site, said: said.hash })),
  });

const plain = ({ came, confirmed, admissions, rejections, appointments, demotions, microphone, camera, ...leg }: Leg) => ({
  ...leg,
  came: came.hash,
  confirmed: confirmed.hash,
  admissions: names(admissions),
  rejections: names(rejections),
  appointments: names(appointments),
  demotions: names(demotions),
  microphone: device(microphone),
  camera: device(camera),
});
const names = (said: readonly Said[]) => said.map(({ hash }) => hash);
const device = ({ offByOwner, stops, releases }: Device) => ({ offByOwner, stops: names(stops), releases: names(releases) });
