import { Code } from '@mantine/core';
import { useRooms } from '../api/rooms.js';
import { Link } from '../parts/link.js';
import { WaysToJoin } from '../parts/ways-to-join.js';

/** Nobody meets: says how to change that, with the links at hand. */
export const NobodyYet = () => {
  const { data } = useRooms('');
  const room = data?.pages[0]?.items.find(({ aliases, disabled }) => aliases.length > 0 && !disabled);
  return (
    <section className="card panel" aria-labelledby="nobody-title" data-testid="nobody-yet">
      <header className="panel-head">
        <h2 id="nobody-title">Nobody is meeting yet</h2>
      </header>
      <ol className="steps">
        <li>
          Open a meeting link in a few browser tabs, each of another site, and watch what crosses between them.
          {room ? (
            <>
              <h3 style={{ marginTop: 12 }}>{room.name}</h3>
              <WaysToJoin id={room.id} name={room.name} />
            </>
          ) : (
            data && (
              <>
                {' '}
                There is no room yet: <Link href="/rooms/new">create one</Link>.
              </>
            )
          )}
        </li>
        <li>
          Or fill a room with speaking participants at every site: <Code>isthmus demo start</Code>
        </li>
      </ol>
    </section>
  );
};
