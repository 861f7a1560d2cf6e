/** A PIN that nobody chose: every digit as likely as every other (a byte of 250 and above would favour the low ones). */
export const newPin = (
  digits: number,
  random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array = (bytes) => crypto.getRandomValues(bytes),
): string => {
  let pin = '';
  while (pin.length < digits) {
    for (const byte of random(new Uint8Array(digits))) if (byte < 250 && pin.length < digits) pin += String(byte % 10);
  }
  return pin;
};

/** Tells one attempt to make something from the next. */
export const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
