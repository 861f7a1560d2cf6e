import { IconLinkOff } from '@tabler/icons-react';
import type { Status } from '@isthmus/protocol';
import { siteNames } from './figures.js';
import { isSplit, listed } from './sides.js';

/** While sites cannot reach each other: who is with whom, and how many sit on each side. Nobody has to do anything about it. */
export const SplitNote = ({ status }: { readonly status: Status }) => {
  if (!isSplit(status)) return null;
  const name = siteNames(status);
  const seats = status.conferences.flatMap((conference) => conference.seats);
  return (
    <section className="card split" aria-labelledby="split-title" data-testid="split">
      <h2 id="split-title">
        <IconLinkOff size={20} aria-hidden="true" /> Split into {status.components.length} sides
      </h2>
      <ul>
        {status.components.map((sites) => {
          const count = seats.filter(({ site }) => sites.includes(site)).length;
          return (
            <li key={sites.join()} data-testid="split-side">
              <strong>{listed(sites.map(name))}</strong>
              <span className="small">{count === 1 ? '1 participant' : `${count} participants`}</span>
            </li>
          );
        })}
      </ul>
      <p className="small">Meetings go on at each side, and are one again by themselves when the link is back.</p>
    </section>
  );
};
