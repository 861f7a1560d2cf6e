import type { Mark } from './palette.js';

/** The conference's dot as it is in the picture, with the letter that goes with it. */
export const LetterMark = ({ mark }: { readonly mark: Mark }) => (
  <span className="letter-mark" style={{ background: mark.colour }} aria-hidden="true">
    {mark.letter}
  </span>
);
