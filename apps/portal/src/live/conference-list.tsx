import { TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import type { ConferenceStatus } from '@isthmus/protocol';
import { savedWords } from './figures.js';
import { LetterMark } from './letter-mark.js';
import { markOf, type Mark } from './palette.js';

interface ConferenceListProps {
  readonly conferences: readonly ConferenceStatus[];
  readonly marks: ReadonlyMap<string, Mark>;
  readonly siteName: (site: string) => string;
  readonly onChoose: (id: string) => void;
  readonly onPoint: (id: string | undefined) => void;
}

/** Every conference, to be pointed at (it lights up in the picture) and chosen; by keyboard too, which a canvas cannot. */
export const ConferenceList = ({ conferences, marks, siteName, onChoose, onPoint }: ConferenceListProps) => {
  const [typed, setTyped] = useState('');
  const wanted = typed.trim().toLowerCase();
  const found = conferences.filter(({ name, seats }) =>
    [name, ...seats.map((seat) => seat.name)].some((text) => text.toLowerCase().includes(wanted)),
  );
  return (
    <section className="card panel" aria-labelledby="list-title">
      <header className="panel-head">
        <h2 id="list-title">Conferences</h2>
      </header>
      {conferences.length > 3 && (
        <TextInput
          aria-label="Find a conference or participant"
          placeholder="Conference or participant"
          leftSection={<IconSearch size={16} aria-hidden="true" />}
          type="search"
          mb="sm"
          value={typed}
          onChange={({ currentTarget }) => setTyped(currentTarget.value)}
        />
      )}
      <ul className="conferences">
        {found.map(({ id, name, seats, sides, savings }) => (
          <li key={id}>
            <button
              type="button"
              onClick={() => onChoose(id)}
              onMouseEnter={() => onPoint(id)}
              onMouseLeave={() => onPoint(undefined)}
              onFocus={() => onPoint(id)}
              onBlur={() => onPoint(undefined)}
              data-testid="conference"
            >
              <LetterMark mark={marks.get(id) ?? markOf(0)} />
              <span className="conference-name">
                {name}
                <span className="small">
                  {sides.length > 1 && `split into ${sides.length} sides · `}
                  {seats.length} in · {[...new Set(seats.map(({ site }) => siteName(site)))].join(', ')}
                </span>
              </span>
              {savings.percent !== null && (
                <span className="conference-saved numbers" data-more={savings.percent < 0} title={titleOf(savings)}>
                  {Math.round(savings.percent) === 0 ? '' : savings.percent < 0 ? '+' : '−'}
                  {Math.abs(Math.round(savings.percent))} %
                </span>
              )}
            </button>
          </li>
        ))}
        {found.length === 0 && <li className="small">{conferences.length === 0 ? 'None at the moment.' : 'None that matches.'}</li>}
      </ul>
    </section>
  );
};

const titleOf = (savings: ConferenceStatus['savings']): string => {
  const { figure, words } = savedWords(savings);
  return `${figure} ${words}`;
};
