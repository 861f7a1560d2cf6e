import { Badge, Group, Progress, Table, Text } from '@mantine/core';
import { IconCircleCheck, IconClock, IconExternalLink, IconHelpCircle } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Status } from '@isthmus/protocol';
import { useSites } from '../api/estate.js';
import type { Site } from '../api/shapes.js';
import { ago, share } from '../live/figures.js';
import { conditionOf, loadOf } from '../live/picture.js';
import { Freshness } from '../live/freshness.js';
import { useLive } from '../live/use-live.js';
import { Pending } from '../parts/notice.js';
import { NodeControls } from '../parts/node-controls.js';
import { PageHead } from '../parts/page-head.js';
import { AddSite, SiteMachines } from '../parts/site-machines.js';

type SiteNow = Status['sites'][number];

/** What each site goes by and carries. Loads come by the stream; the list is asked for again when a site's word changes. */
export const SitesPage = () => {
  const { data, error, refetch } = useSites();
  const { status } = useLive();
  const client = useQueryClient();
  const said =
    status &&
    JSON.stringify([
      status.configurationVersion,
      status.sites.map(({ site, up, configurationVersion }) => [site, up, configurationVersion]),
      status.conferences.flatMap(({ seats }) => seats).map(({ site }) => site),
    ]);
  useEffect(() => {
    if (said !== undefined) void client.invalidateQueries({ queryKey: ['sites'] });
  }, [said, client]);
  return (
    <>
      <PageHead
        title="Sites and nodes"
        lead={data && `The configuration is at version ${data.configurationVersion}. Sites take a new one within seconds, by themselves.`}
      >
        <Freshness />
        <AddSite />
      </PageHead>
      {!data && <Pending error={error} again={refetch} />}
      {data?.items.length === 0 && (
        <section className="card nothing">
          <h2>No sites yet</h2>
          <p>A site is an office or a data centre with media nodes. Add one here, then type one command on its machine.</p>
        </section>
      )}
      {data?.items.map((site) => (
        <SiteCard
          key={site.id}
          site={site}
          newest={data.configurationVersion}
          now={status?.sites.find((one) => one.site === site.id)}
          at={status?.at}
        />
      ))}
    </>
  );
};

interface SiteCardProps {
  readonly site: Site;
  readonly newest: number;
  readonly now: SiteNow | undefined;
  /** When what we know was put together, by management's clock. */
  readonly at: number | undefined;
}

const SiteCard = ({ site, newest, now, at }: SiteCardProps) => (
  <section className="card padded" data-testid="site" data-site={site.id}>
    <Group justify="space-between" align="flex-start">
      <div>
        <Group gap={10}>
          <h2>{site.name}</h2>
          <Text size="sm" c="dimmed" ff="monospace">
            {site.id}
          </Text>
          <VersionBadge site={site} newest={newest} />
          {site.draining && (
            <Badge variant="light" color="gray" tt="none" size="lg" data-testid="draining">
              {site.drained ? 'drained' : 'draining'}
            </Badge>
          )}
        </Group>
        <Text size="sm" c="dimmed" mt={6}>
          {lastSeen(site, now, at)}
        </Text>
      </div>
      <a href={site.meetUrl} target="_blank" rel="noreferrer" className="meet-link">
        {site.meetUrl} <IconExternalLink size={15} aria-label="(opens in a new tab)" />
      </a>
    </Group>
    <div className="nodes">
      {now && now.nodes.length > 0 ? (
        <NodesTable nodes={now.nodes} name={site.name} />
      ) : (
        <Text size="sm" c="dimmed">
          {now ? 'No media node has reported from here.' : 'Nothing is known of its nodes at the moment.'}
        </Text>
      )}
    </div>
    <SiteMachines site={site} nodes={now?.nodes.map(({ node }) => node) ?? []} />
  </section>
);

const VersionBadge = ({ site: { configurationVersion, upToDate }, newest }: { readonly site: Site; readonly newest: number }) => {
  if (configurationVersion === null) {
    return (
      <Badge
        variant="light"
        color="gray"
        tt="none"
        size="lg"
        leftSection={<IconHelpCircle size={15} aria-hidden="true" />}
        data-testid="version"
      >
        not heard from yet
      </Badge>
    );
  }
  return upToDate ? (
    <Badge variant="light" tt="none" size="lg" leftSection={<IconCircleCheck size={15} aria-hidden="true" />} data-testid="version">
      version {configurationVersion}, up to date
    </Badge>
  ) : (
    <Badge
      variant="light"
      color="yellow"
      c="var(--on-sand-soft)"
      tt="none"
      size="lg"
      leftSection={<IconClock size={15} aria-hidden="true" />}
      data-testid="version"
    >
      version {configurationVersion} of {newest}
    </Badge>
  );
};

const lastSeen = ({ lastSeenAt }: Site, now: SiteNow | undefined, at: number | undefined): string => {
  if (now?.lastHeardAt && at !== undefined) return `${now.up ? 'Up' : 'Silent'}, last heard ${ago(at - now.lastHeardAt)}`;
  if (lastSeenAt !== null) return `Last fetched its configuration ${new Date(lastSeenAt).toLocaleString()}`;
  return 'Never seen since management started';
};

const CONDITIONS = { calm: 'fine', busy: 'busy', full: 'full', down: 'down' } as const;
const COLOURS = { calm: 'lagoon', busy: 'yellow', full: 'red', down: 'red' } as const;

/** Where it is narrow, `.nodes` in the style makes each row a block; that it stays a table to screen readers is said by the roles. */
const NodesTable = ({ nodes, name }: { readonly nodes: SiteNow['nodes']; readonly name: string }) => (
  <Table verticalSpacing="xs" role="table" aria-label={`Media nodes at ${name}`}>
    <Table.Thead role="rowgroup">
      <Table.Tr role="row">
        <Table.Th role="columnheader">Media node</Table.Th>
        <Table.Th role="columnheader">Condition</Table.Th>
        <Table.Th role="columnheader" miw={150}>
          Legs of capacity
        </Table.Th>
        <Table.Th role="columnheader" ta="right">
          CPU
        </Table.Th>
        <Table.Th role="columnheader" ta="right">
          Actions
        </Table.Th>
      </Table.Tr>
    </Table.Thead>
    <Table.Tbody role="rowgroup">
      {nodes.map((node) => {
        const condition = conditionOf(node);
        return (
          <Table.Tr key={node.node} role="row" data-testid="node">
            <Table.Td role="cell" className="node-name">
              {node.node}
            </Table.Td>
            <Table.Td role="cell">
              <Badge variant="dot" color={COLOURS[condition]} tt="none">
                {CONDITIONS[condition]}
                {node.drained ? ', drained' : node.draining ? ', draining' : ''}
              </Badge>
            </Table.Td>
            <Table.Td role="cell" className="numbers" data-title="Legs">
              {node.legs} of {node.capacity}
              <Progress
                value={Math.min(100, loadOf(node) * 100)}
                color={COLOURS[condition]}
                size="sm"
                mt={4}
                aria-label={`${node.legs} of ${node.capacity} legs`}
              />
            </Table.Td>
            <Table.Td role="cell" ta="right" className="numbers" data-title="CPU">
              {share(node.cpu)}
            </Table.Td>
            <Table.Td role="cell" className="node-actions">
              <NodeControls node={node} />
            </Table.Td>
          </Table.Tr>
        );
      })}
    </Table.Tbody>
  </Table>
);
