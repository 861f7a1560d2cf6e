import type { Status } from '@isthmus/protocol';
import type { SiteDesk } from './site-desk.js';

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric family in Prometheus' text format 0.0.4. */
const family = (name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]): string =>
  samples.length === 0
    ? ''
    : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map((sample) => line(name, sample)), ''].join('\n');

const line = (name: string, { labels = {}, value }: Sample): string => {
  const pairs = Object.entries(labels).map(
    ([label, text]) => `${label}="${text.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))}"`,
  );
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
};

/** A site's own figures. No conference is a label: there are too many, and none lives long. */
export const siteMetrics = (site: string, desk: SiteDesk, dropped: number, monotonic: number): string => {
  const nodes = desk.nodesHeard(monotonic);
  const conferences = desk.report?.conferences.filter(({ seats }) => seats.length > 0) ?? [];
  const links = desk.report?.links ?? [];
  const bytes = desk.odometer.entries().flatMap(([to, { videoBytes, audioBytes, rtcpBytes }]) =>
    Object.entries({ video: videoBytes, audio: audioBytes, rtcp: rtcpBytes }).map(([kind, value]) => ({
      labels: { site, to, kind },
      value,
    })),
  );
  return [
    family('isthmus_conferences', 'gauge', 'Conferences with somebody of this site in.', [{ labels: { site }, value: conferences.length }]),
    family(
      'isthmus_node_legs',
      'gauge',
      'Participants on a media node.',
      nodes.map(({ node, legs }) => ({ labels: { site, node }, value: legs })),
    ),
    family(
      'isthmus_node_capacity_legs',
      'gauge',
      'Most participants a media node takes.',
      nodes.map(({ node, capacity }) => ({ labels: { site, node }, value: capacity })),
    ),
    family(
      'isthmus_node_cpu_ratio',
      'gauge',
      'Share of one core that a node’s workers use, 0 to 1.',
      nodes.map(({ node, cpu }) => ({ labels: { site, node }, value: cpu })),
    ),
    family(
      'isthmus_link_up',
      'gauge',
      'Whether this site reaches another.',
      links.map(({ site: to, up }) => ({ labels: { site, to }, value: up ? 1 : 0 })),
    ),
    family(
      'isthmus_link_rtt_seconds',
      'gauge',
      'Round trip to another site.',
      links.flatMap(({ site: to, rttMs }) => (rttMs === undefined ? [] : [{ labels: { site, to }, value: rttMs / 1000 }])),
    ),
    family('isthmus_link_sent_bytes_total', 'counter', 'RTP and RTCP bytes sent to another site.', bytes),
    family(
      'isthmus_facts_total',
      'counter',
      'Facts recorded at this site.',
      [...desk.factsTotal].map(([type, value]) => ({ labels: { site, type }, value })),
    ),
    family(
      'isthmus_configuration_version',
      'gauge',
      'Revision of the estate that this site goes by.',
      desk.report ? [{ labels: { site }, value: desk.report.estateRevision }] : [],
    ),
    family('isthmus_reports_dropped_total', 'counter', 'Reports lost while management was away.', [{ labels: { site }, value: dropped }]),
  ].join('');
};

/** Management's figures, of all sites. */
export const managementMetrics = ({ sites, conferences, alarms, configurationVersion }: Status): string =>
  [
    family(
      'isthmus_site_up',
      'gauge',
      'Whether a site reports.',
      sites.map(({ site, up }) => ({ labels: { site }, value: up ? 1 : 0 })),
    ),
    family('isthmus_conferences', 'gauge', 'Conferences with somebody in, at all sites together.', [{ value: conferences.length }]),
    family('isthmus_participants', 'gauge', 'Participants at all sites together.', [
      { value: conferences.reduce((sum, { seats }) => sum + seats.length, 0) },
    ]),
    family(
      'isthmus_alarms',
      'gauge',
      'Alarms that stand.',
      alarms.map(({ id, code, level }) => ({ labels: { id, code, level }, value: 1 })),
    ),
    family(
      'isthmus_configuration_version',
      'gauge',
      'Newest revision of the estate.',
      configurationVersion === null ? [] : [{ value: configurationVersion }],
    ),
  ].join('');
