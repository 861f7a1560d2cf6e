import { afterEach } from 'vitest';

/** Gives back what it is given, and has it closed after the test: the last that was opened first. */
export const closing = (): (<T extends { close(): Promise<unknown> }>(part: T) => T) => {
  const open: { close(): Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const part of open.splice(0).reverse()) await part.close();
  });
  return (part) => {
    open.push(part);
    return part;
  };
};
