import { Button } from '@mantine/core';
import { useAge, useLive, useLiveAgain } from './use-live.js';

/** Says whether what is on screen is so now; old figures that look new are worse than none. */
export const Freshness = () => {
  const { connection, unreadable } = useLive();
  const { seconds, old } = useAge();
  const again = useLiveAgain();
  const lost = connection === 'lost';
  const condition = unreadable ? 'unreadable' : old ? 'old' : lost ? 'lost' : seconds === undefined ? 'waiting' : 'live';
  const words = {
    unreadable: 'This page is older than the service: reload it',
    old: `Old: as it was ${seconds ?? 0} s ago${lost ? ', reconnecting' : ''}`,
    lost: 'Connection lost, reconnecting',
    waiting: 'Waiting for the first report',
    live: 'Live',
  }[condition];
  return (
    <div className="freshness" data-condition={condition} data-testid="freshness">
      <span className="freshness-dot" aria-hidden="true" />
      <span role="status">{words}</span>
      {(condition === 'old' || condition === 'lost') && (
        <Button size="compact-sm" variant="default" onClick={again}>
          Try now
        </Button>
      )}
    </div>
  );
};
