/** Which room this page was opened for: `/r/<alias>`, or none. */
export const aliasOfPath = (path: string): string => {
  const [, alias = ''] = /^\/r\/([^/]+)\/?$/.exec(path) ?? [];
  try {
    return decodeURIComponent(alias);
  } catch {
    return '';
  }
};

/** What a person typed or pasted: an alias as it is, or the alias of a whole link. */
export const aliasOfInput = (input: string): string => {
  const text = input.trim();
  try {
    return aliasOfPath(new URL(text).pathname) || text;
  } catch {
    return text;
  }
};

export const pathOfAlias = (alias: string): string => `/r/${encodeURIComponent(alias)}`;
