import { IconAlertCircle, IconAlertTriangle } from '@tabler/icons-react';
import type { Status } from '@isthmus/protocol';
import { ago } from './figures.js';

/** What somebody should look at; each clears itself when its cause is gone. */
export const Alarms = ({ status: { alarms, at } }: { readonly status: Status }) =>
  alarms.length === 0 ? null : (
    <section className="card alarms" aria-labelledby="alarms-title" data-testid="alarms">
      <h2 id="alarms-title">Issues</h2>
      <ul>
        {alarms.map(({ id, level, message, raisedAt, code }) => (
          <li key={id} data-level={level} data-testid="alarm">
            {level === 'error' ? <IconAlertCircle size={20} aria-label="Error:" /> : <IconAlertTriangle size={20} aria-label="Warning:" />}
            <div>
              <span>{message}</span>
              <span className="alarm-small">
                {code} · {ago(at - raisedAt)}
              </span>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
