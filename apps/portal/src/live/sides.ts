import type { Status } from '@isthmus/protocol';

/** Whether some sites do not reach others, not even through a third. */
export const isSplit = ({ components }: Pick<Status, 'components'>): boolean => components.length > 1;

/** `New York and Cape Town`, `Oslo, Tokyo and Sydney`. */
export const listed = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
