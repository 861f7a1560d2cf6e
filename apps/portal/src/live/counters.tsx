import type { Status } from '@isthmus/protocol';
import { allOf, crossingsOf, kbps, nodesIn, number, participantsIn } from './figures.js';

export const Counters = ({ status }: { readonly status: Status }) => {
  const crossing = crossingsOf(status.conferences).reduce((sum, one) => sum + allOf(one), 0);
  const figures: readonly (readonly [string, string])[] = [
    ['participants', number(participantsIn(status))],
    ['conferences', number(status.conferences.length)],
    ['nodes', number(nodesIn(status))],
    ['sites', number(status.sites.length)],
    ['between sites', kbps(crossing)],
  ];
  return (
    <dl className="counters">
      {figures.map(([what, figure]) => (
        <div key={what} className="counter" data-testid={`count-${what.replace(' ', '-')}`}>
          <dt>{what}</dt>
          <dd className="numbers">{figure}</dd>
        </div>
      ))}
      {status.alarms.length > 0 && (
        <div className="counter counter-issues" data-testid="count-issues">
          <dt>{status.alarms.length === 1 ? 'issue' : 'issues'}</dt>
          <dd className="numbers">{status.alarms.length}</dd>
        </div>
      )}
    </dl>
  );
};
