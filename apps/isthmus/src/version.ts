/** Of all of Isthmus; package.json of the workspace has the same, and a test holds them together. */
export const VERSION = '0.1.0';
