import { Loader, SegmentedControl } from '@mantine/core';
import { lazy, Suspense, useMemo, useState } from 'react';
import type { Status } from '@isthmus/protocol';
import { useIsDemo } from '../api/demo.js';
import { Alarms } from '../live/alarms.js';
import { ConferenceList } from '../live/conference-list.js';
import { ConferencePanel } from '../live/conference-panel.js';
import { Counters } from '../live/counters.js';
import { DemoLinks } from '../live/demo-links.js';
import { FactsTable } from '../live/facts-table.js';
import { participantsIn, siteNames } from '../live/figures.js';
import { Freshness } from '../live/freshness.js';
import { NobodyYet } from '../live/nobody-yet.js';
import { markOf } from '../live/palette.js';
import { marksOf, pictureOf } from '../live/picture.js';
import { isSplit } from '../live/sides.js';
import { SplitNote } from '../live/split-note.js';
import { useAge, useLive } from '../live/use-live.js';
import { PageHead } from '../parts/page-head.js';
import { goTo, usePlace } from '../parts/route.js';

/** Cytoscape is half of what the portal weighs; signing in does not wait for it. */
const Graph = lazy(async () => ({ default: (await import('../live/graph.js')).Graph }));

export const LivePage = () => {
  const { status } = useLive();
  const { old } = useAge();
  return (
    <>
      <PageHead title="Live View" lead="What runs now at every site, and what crosses between them.">
        <Freshness />
      </PageHead>
      {status ? (
        <div className="live" data-old={old}>
          <Counters status={status} />
          <SplitNote status={status} />
          <Alarms status={status} />
          <Running status={status} />
        </div>
      ) : (
        <section className="card nothing">
          <Loader type="dots" aria-label="Waiting" />
          <h2>Waiting for the first report</h2>
          <p>Telemetry on the management node puts the picture together, a second or two after it starts. Meetings go on meanwhile.</p>
        </section>
      )}
    </>
  );
};

type How = 'picture' | 'table';

const Running = ({ status }: { readonly status: Status }) => {
  const { query } = usePlace();
  const demo = useIsDemo();
  const [pointed, setPointed] = useState<string>();
  const how: How = query.get('as') === 'table' ? 'table' : 'picture';
  const conference = status.conferences.find(({ id }) => id === query.get('conference'));
  const chosen = conference?.id;
  const picture = useMemo(() => pictureOf(status, chosen), [status, chosen]);
  const marks = useMemo(() => marksOf(status.conferences), [status]);
  const siteName = siteNames(status);
  const show = (next: { readonly how?: How; readonly conference?: string | undefined }): void => {
    const wanted = new URLSearchParams();
    const id = 'conference' in next ? next.conference : chosen;
    if (id !== undefined) wanted.set('conference', id);
    if ((next.how ?? how) === 'table') wanted.set('as', 'table');
    const words = wanted.toString();
    goTo(words ? `/?${words}` : '/', { replace: true });
  };
  return (
    <div className="running">
      <section className="card stage" aria-label="The estate">
        <div className="stage-head">
          <SegmentedControl
            aria-label="Show as"
            value={how}
            data={[
              { value: 'picture', label: 'Picture' },
              { value: 'table', label: 'Table' },
            ]}
            onChange={(value) => show({ how: value })}
            data-testid="show-as"
          />
          <p className="small">
            {conference ? `Crossings of ${conference.name} only` : 'Crossings of all conferences'} · HD large picture, T thumbnail
            {picture.hidden > 0 && ` · ${picture.hidden} smaller conferences are in the list only`}
          </p>
        </div>
        {how === 'table' ? (
          <FactsTable status={status} />
        ) : (
          <Suspense fallback={<div className="graph-canvas" />}>
            <Graph
              picture={picture}
              summary={summaryOf(status)}
              chosen={chosen}
              pointed={pointed}
              onChoose={(id) => show({ conference: id })}
            />
          </Suspense>
        )}
      </section>
      <div className="beside">
        {conference ? (
          <ConferencePanel
            conference={conference}
            mark={marks.get(conference.id) ?? markOf(0)}
            at={status.at}
            siteName={siteName}
            onClose={() => show({ conference: undefined })}
          />
        ) : status.conferences.length > 0 ? (
          <ConferenceList
            conferences={status.conferences}
            marks={marks}
            siteName={siteName}
            onPoint={setPointed}
            onChoose={(id) => {
              setPointed(undefined);
              show({ conference: id });
            }}
          />
        ) : (
          <NobodyYet />
        )}
        {demo && <DemoLinks status={status} />}
      </div>
    </div>
  );
};

const summaryOf = (status: Status): string =>
  `Picture of ${status.sites.length} sites with ${participantsIn(status)} participants in ${status.conferences.length} conferences${
    isSplit(status) ? `, split into ${status.components.length} sides` : ''
  }. The table has the same figures in words.`;
