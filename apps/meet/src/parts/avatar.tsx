import { initials } from '../state/words.js';

const HUES = 8;
const hueOf = (text: string): number => [...text].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973, 7) % HUES;

/** A person without a picture: the same colour every time for the same name. */
export const Avatar = ({ name, size }: { readonly name: string; readonly size?: 'small' | 'large' }) => (
  <span className={`avatar avatar-${size ?? 'small'}`} data-hue={hueOf(name)} aria-hidden="true">
    {initials(name)}
  </span>
);
