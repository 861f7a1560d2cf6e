import { Button } from '@mantine/core';
import { IconArrowRight, IconLink, IconScissors } from '@tabler/icons-react';
import type { Status } from '@isthmus/protocol';
import { useChangeDemoLinks, useDemoLinks } from '../api/demo.js';
import type { DemoLinkWish } from '../api/shapes.js';
import { Trouble } from '../parts/notice.js';
import { siteNames } from './figures.js';

interface Pair {
  readonly a: string;
  readonly b: string;
  /** What the first sends to the other is lost; and back. */
  readonly there: boolean;
  readonly back: boolean;
}

/** In a demo only: what a bad network does to its links, by buttons. */
export const DemoLinks = ({ status }: { readonly status: Status }) => {
  const { data } = useDemoLinks();
  const change = useChangeDemoLinks();
  const name = siteNames(status);
  if (!data || data.items.length === 0) return null;
  const isCut = (from: string, to: string) => data.items.some((link) => link.from === from && link.to === to && link.cut);
  const sites = status.sites.map(({ site }) => site as string);
  const pairs: Pair[] = sites.flatMap((a, index) =>
    sites
      .slice(index + 1)
      .filter((b) => data.items.some(({ from, to }) => from === a && to === b))
      .map((b) => ({ a, b, there: isCut(a, b), back: isCut(b, a) })),
  );
  const act = (wish: DemoLinkWish): void => change.mutate(wish);
  return (
    <section className="card panel demo-links" aria-labelledby="demo-links-title" data-testid="demo-links">
      <header className="panel-head">
        <div>
          <h2 id="demo-links-title">Links of this demo</h2>
          <p className="small">Cut one and watch: each side goes on, and they are one again when it heals.</p>
        </div>
        <Button
          size="xs"
          variant="default"
          disabled={change.isPending || !data.items.some(({ cut }) => cut)}
          onClick={() => act({ cut: false })}
          data-testid="heal-all"
        >
          Heal all
        </Button>
      </header>
      <ul>
        {pairs.map(({ a, b, there, back }) => {
          const both = `${name(a)} and ${name(b)}`;
          return (
            <li key={`${a}-${b}`} data-testid="demo-link" data-cut={there || back}>
              <div>
                <span className="demo-link-name">{both}</span>
                <span className="small">{conditionOf({ a: name(a), b: name(b), there, back })}</span>
              </div>
              {there || back ? (
                <Press
                  label={`Heal the link between ${both}`}
                  disabled={change.isPending}
                  onPress={() => act({ from: a, to: b, cut: false })}
                >
                  <IconLink size={15} aria-hidden="true" /> Heal
                </Press>
              ) : (
                <>
                  <Press
                    label={`One way: cut only what ${name(a)} sends to ${name(b)}`}
                    disabled={change.isPending}
                    onPress={() => act({ from: a, to: b, cut: true, oneWay: true })}
                  >
                    <IconArrowRight size={15} aria-hidden="true" /> One way
                  </Press>
                  <Press
                    label={`Cut the link between ${both}`}
                    disabled={change.isPending}
                    onPress={() => act({ from: a, to: b, cut: true })}
                  >
                    <IconScissors size={15} aria-hidden="true" /> Cut
                  </Press>
                </>
              )}
            </li>
          );
        })}
      </ul>
      {change.error && <Trouble error={change.error} />}
    </section>
  );
};

const conditionOf = ({ a, b, there, back }: Pair): string => {
  if (there && back) return 'cut';
  if (there) return `cut from ${a} to ${b}`;
  if (back) return `cut from ${b} to ${a}`;
  return 'whole';
};

interface PressProps {
  readonly label: string;
  readonly disabled: boolean;
  readonly onPress: () => void;
  readonly children: React.ReactNode;
}
const Press = ({ label, disabled, onPress, children }: PressProps) => (
  <Button size="xs" variant="default" aria-label={label} title={label} disabled={disabled} onClick={onPress}>
    <span className="demo-link-press">{children}</span>
  </Button>
);
