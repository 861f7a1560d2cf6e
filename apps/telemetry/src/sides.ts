import type { Status } from '@isthmus/protocol';

type LinkSeen = Pick<Status['links'][number], 'from' | 'to' | 'up'>;

/**
 * The sites that reach each other, directly or through others, together: one group while nothing is split. A link counts as
 * broken when either end says so, of those that report now; an end that says nothing is not taken for a broken link.
 *
 * @param sites in the order in which they are shown; groups keep it
 */
export const componentsOf = (sites: readonly string[], links: readonly LinkSeen[], reports: (site: string) => boolean): string[][] => {
  const broken = new Set(
    links.filter(({ from, up }) => !up && reports(from)).flatMap(({ from, to }) => [`${from}>${to}`, `${to}>${from}`]),
  );
  const components: string[][] = [];
  const placed = new Set<string>();
  const join = (site: string, component: string[]): void => {
    placed.add(site);
    component.push(site);
    for (const other of sites) if (!placed.has(other) && !broken.has(`${site}>${other}`)) join(other, component);
  };
  for (const site of sites) {
    if (placed.has(site)) continue;
    const component: string[] = [];
    join(site, component);
    components.push(sites.filter((each) => component.includes(each)));
  }
  return components;
};
