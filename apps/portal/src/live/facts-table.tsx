import { Table } from '@mantine/core';
import type { Status } from '@isthmus/protocol';
import { Wide } from '../parts/wide.js';
import { allOf, crossingsOf, kbps, number, participantsIn, share, siteNames, streams, voices } from './figures.js';

/** The same facts as the picture, in words: for screen readers, small screens, and whoever likes figures better. */
export const FactsTable = ({ status }: { readonly status: Status }) => {
  const name = siteNames(status);
  const open = new Map(crossingsOf(status.conferences).map((crossing) => [`${crossing.from}>${crossing.to}`, crossing]));
  return (
    <div className="facts" data-testid="facts">
      <Wide label="Sites and nodes">
        <Table captionSide="top" verticalSpacing="xs" className="numbers">
          <Table.Caption>Sites and nodes, {participantsIn(status)} participants in all</Table.Caption>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Site</Table.Th>
              <Table.Th>Node</Table.Th>
              <Table.Th>Condition</Table.Th>
              <Table.Th ta="right">Legs</Table.Th>
              <Table.Th ta="right">Capacity</Table.Th>
              <Table.Th ta="right">CPU</Table.Th>
              <Table.Th>Conferences</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {status.sites.flatMap((site) =>
              site.nodes.map((node) => (
                <Table.Tr key={`${site.site}/${node.node}`}>
                  <Table.Td>{site.name}</Table.Td>
                  <Table.Td>{node.node}</Table.Td>
                  <Table.Td>
                    {!site.up ? 'site silent' : !node.up ? 'down' : node.drained ? 'drained' : node.draining ? 'draining' : 'up'}
                  </Table.Td>
                  <Table.Td ta="right">{number(node.legs)}</Table.Td>
                  <Table.Td ta="right">{number(node.capacity)}</Table.Td>
                  <Table.Td ta="right">{share(node.cpu)}</Table.Td>
                  <Table.Td>
                    {status.conferences
                      .filter(({ seats }) => seats.some((seat) => seat.site === site.site && seat.node === node.node))
                      .map((conference) => conference.name)
                      .join(', ') || 'none'}
                  </Table.Td>
                </Table.Tr>
              )),
            )}
          </Table.Tbody>
        </Table>
      </Wide>
      <Wide label="Links between sites">
        <Table captionSide="top" verticalSpacing="xs" className="numbers">
          <Table.Caption>Links between sites</Table.Caption>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>From</Table.Th>
              <Table.Th>To</Table.Th>
              <Table.Th>Link</Table.Th>
              <Table.Th>Open now</Table.Th>
              <Table.Th ta="right">Video kbit/s</Table.Th>
              <Table.Th ta="right">Audio kbit/s</Table.Th>
              <Table.Th ta="right">RTCP kbit/s</Table.Th>
              <Table.Th ta="right">In all</Table.Th>
              <Table.Th ta="right">Round trip</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {status.links.map((link) => {
              const crossing = open.get(`${link.from}>${link.to}`);
              return (
                <Table.Tr key={`${link.from}>${link.to}`} data-testid="fact-link">
                  <Table.Td>{name(link.from)}</Table.Td>
                  <Table.Td>{name(link.to)}</Table.Td>
                  <Table.Td>{link.up ? 'up' : `down${link.reason ? `: ${link.reason}` : ''}`}</Table.Td>
                  <Table.Td>{crossing ? `${streams(crossing)}, ${voices(crossing)}` : 'nothing'}</Table.Td>
                  <Table.Td ta="right">{number(link.videoKbps)}</Table.Td>
                  <Table.Td ta="right">{number(link.audioKbps)}</Table.Td>
                  <Table.Td ta="right">{number(link.rtcpKbps)}</Table.Td>
                  <Table.Td ta="right">{kbps(allOf(link))}</Table.Td>
                  <Table.Td ta="right">{link.rttMs === null ? 'unknown' : `${number(link.rttMs)} ms`}</Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Wide>
    </div>
  );
};
