/** Conference colours, one that reads on light paper and one on dark; a letter goes with each, so colour is never the only sign. */
export const COLOURS = [
  'light-dark(#0b665d, #6fd6c4)',
  'light-dark(#95570a, #e8b36a)',
  'light-dark(#4456b5, #9daeff)',
  'light-dark(#a02c6d, #f29bc9)',
  'light-dark(#3d7012, #a6d977)',
  'light-dark(#7a3fa8, #cba3f2)',
  'light-dark(#b3261e, #ff9a90)',
  'light-dark(#0f6285, #7cc7ea)',
] as const;

export interface Mark {
  readonly letter: string;
  readonly colour: string;
}

/** A, B, … Z, A1, B1, …: by order of start, so a conference keeps its mark while others come after it. */
export const markOf = (index: number): Mark => {
  const round = Math.floor(index / 26);
  return {
    letter: String.fromCharCode(65 + (index % 26)) + (round > 0 ? String(round) : ''),
    colour: COLOURS[index % COLOURS.length] ?? COLOURS[0],
  };
};

/** A style sheet's colour as the canvas needs it: worked out for the scheme that is on. */
export const resolveColour = (colour: string): string => {
  const probe = document.createElement('span');
  probe.style.color = colour;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
};
