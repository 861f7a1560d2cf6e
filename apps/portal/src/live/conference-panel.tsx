import { CloseButton, Table } from '@mantine/core';
import { IconLinkOff, IconLock, IconMicrophone, IconMicrophoneOff, IconSpeakerphone } from '@tabler/icons-react';
import type { ConferenceStatus } from '@isthmus/protocol';
import { Link } from '../parts/link.js';
import { Wide } from '../parts/wide.js';
import { duration, number, units } from './figures.js';
import { LetterMark } from './letter-mark.js';
import type { Mark } from './palette.js';
import { Savings } from './savings.js';
import { listed } from './sides.js';

interface ConferencePanelProps {
  readonly conference: ConferenceStatus;
  readonly mark: Mark;
  /** When the snapshot was made, ms since 1970. */
  readonly at: number;
  readonly siteName: (site: string) => string;
  readonly onClose: () => void;
}

/** One conference as it runs: what it saves, who is in it and where, who has the floor, and what it sends between sites. */
export const ConferencePanel = ({ conference, mark, at, siteName, onClose }: ConferencePanelProps) => {
  const { name, room, seats, sides, locked, links, savings, startedAt } = conference;
  const floors = sides.map(({ floor }) => floor);
  const split = sides.length > 1;
  const sites = [...new Set(seats.map(({ site }) => site as string))];
  return (
    <section className="card panel" aria-labelledby="panel-title" data-testid="conference-panel">
      <header className="panel-head">
        <LetterMark mark={mark} />
        <div>
          <h2 id="panel-title">{name}</h2>
          <p className="small">
            {seats.length === 1 ? '1 participant' : `${seats.length} participants`} at{' '}
            {sites.length === 1 ? '1 site' : `${sites.length} sites`} for {duration(at - startedAt)}
            {locked && (
              <>
                {' · '}
                <IconLock size={13} aria-hidden="true" /> locked
              </>
            )}
            {' · '}
            <Link href={`/rooms/${encodeURIComponent(room)}`}>room</Link>
          </p>
        </div>
        <CloseButton onClick={onClose} aria-label="Back to all conferences" size="lg" />
      </header>
      <Savings savings={savings} siteName={siteName} />
      {split && (
        <p className="apart" role="note" data-testid="apart">
          <IconLinkOff size={18} aria-hidden="true" />
          <span>Split into {sides.length} sides. Each goes on by itself, and they are one again when the link is back.</span>
        </p>
      )}
      {sides.map(({ sites: here, floor }) => (
        <div key={here.join()} className="side" data-split={split} data-testid="side">
          {split && <h3>{listed(here.map(siteName))}</h3>}
          {!split && <h3>The floor</h3>}
          <Speaker speaker={seats.find(({ leg }) => leg === floor)} siteName={siteName} />
          {!split && <h3>Who is in</h3>}
          {here.map((site) => (
            <Seats key={site} title={siteName(site)} seats={seats.filter((seat) => seat.site === site)} floors={floors} />
          ))}
        </div>
      ))}
      <h3>Between sites</h3>
      {links.length === 0 ? <p className="small">Nothing: everybody is at one site.</p> : <LinksTable links={links} siteName={siteName} />}
    </section>
  );
};

type Seat = ConferenceStatus['seats'][number];

const Speaker = ({ speaker, siteName }: { readonly speaker: Seat | undefined; readonly siteName: (site: string) => string }) => (
  <p className="floor" data-testid="floor">
    {speaker ? (
      <>
        <IconSpeakerphone size={18} aria-hidden="true" />
        <span>
          <strong>{speaker.name}</strong>, {siteName(speaker.site)}
        </span>
      </>
    ) : (
      'Nobody has spoken yet'
    )}
  </p>
);

const Seats = ({
  title,
  seats,
  floors,
}: {
  readonly title: string;
  readonly seats: readonly Seat[];
  readonly floors: readonly (string | null)[];
}) => (
  <div className="seats">
    <h4>{title}</h4>
    <ul>
      {seats.map(({ leg, name: who, node, muted }) => (
        <li key={leg} data-floor={floors.includes(leg)} data-testid="seat">
          {muted ? <IconMicrophoneOff size={15} aria-label="muted" /> : <IconMicrophone size={15} aria-hidden="true" />}
          <span>{who}</span>
          {floors.includes(leg) && <span className="tag">speaks</span>}
          <span className="seat-node">{node ?? 'no node yet'}</span>
        </li>
      ))}
    </ul>
  </div>
);

const LinksTable = ({ links, siteName }: Pick<ConferenceStatus, 'links'> & { readonly siteName: (site: string) => string }) => (
  <Wide label="What crosses between sites">
    <Table className="links numbers" verticalSpacing={6} horizontalSpacing={4} data-testid="links">
      <Table.Thead>
        <Table.Tr>
          <Table.Th rowSpan={2}>From, to</Table.Th>
          <Table.Th colSpan={3} ta="center">
            streams
          </Table.Th>
          <Table.Th colSpan={3} ta="center">
            kbit/s
          </Table.Th>
          <Table.Th rowSpan={2} ta="right">
            <abbr title="HD-units, where HD counts 1 and a thumbnail 0.1: what crosses / what would with one MCU">units</abbr>
          </Table.Th>
        </Table.Tr>
        <Table.Tr>
          {['HD', 'T', 'voice', 'video', 'audio', 'RTCP'].map((what) => (
            <Table.Th key={what} ta="right">
              {what}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {links.map(({ from, to, large, small, voices, videoKbps, audioKbps, rtcpKbps, units: ours, mcuUnits }) => (
          <Table.Tr key={`${from}>${to}`} data-testid="link">
            <Table.Td style={{ whiteSpace: 'nowrap' }}>
              {siteName(from)} →
              <br />
              {siteName(to)}
            </Table.Td>
            {[large, small, voices, videoKbps, audioKbps, rtcpKbps].map((figure, index) => (
              <Table.Td key={index} ta="right">
                {number(figure)}
              </Table.Td>
            ))}
            <Table.Td ta="right" style={{ whiteSpace: 'nowrap' }}>
              {units(ours)} / {units(mcuUnits)}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  </Wide>
);
