import { Badge, Button, Group, Modal, Table, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconLink, IconPlus, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useRooms } from '../api/rooms.js';
import type { Room } from '../api/shapes.js';
import { Link } from '../parts/link.js';
import { Pending } from '../parts/notice.js';
import { PageHead } from '../parts/page-head.js';
import { goTo } from '../parts/route.js';
import { WaysToJoin } from '../parts/ways-to-join.js';

export const RoomsPage = () => {
  const [typed, setTyped] = useState('');
  const [search] = useDebouncedValue(typed.trim(), 250);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useRooms(search);
  const [joining, setJoining] = useState<Room>();
  const rooms = data?.pages.flatMap(({ items }) => items) ?? [];
  const total = data?.pages[0]?.total ?? 0;
  return (
    <>
      <PageHead title="Rooms" lead="Meeting rooms that people dial by a link or an alias, from any site.">
        <Button leftSection={<IconPlus size={18} aria-hidden="true" />} onClick={() => goTo('/rooms/new')} data-testid="new-room">
          New room
        </Button>
      </PageHead>
      <section className="card">
        <Group p="md" justify="space-between">
          <TextInput
            aria-label="Search by name or alias"
            placeholder="Search by name or alias"
            leftSection={<IconSearch size={17} aria-hidden="true" />}
            type="search"
            w={{ base: '100%', sm: 320 }}
            value={typed}
            maxLength={100}
            onChange={({ currentTarget }) => setTyped(currentTarget.value)}
            data-testid="search"
          />
          <Text size="sm" c="dimmed" role="status">
            {data && `${total} ${total === 1 ? 'room' : 'rooms'}${search ? ' found' : ''}`}
          </Text>
        </Group>
        {!data ? (
          <Group p="lg">
            <Pending error={error} again={refetch} />
          </Group>
        ) : rooms.length === 0 ? (
          <Nothing search={search} />
        ) : (
          <RoomsTable rooms={rooms} onJoin={setJoining} />
        )}
        {hasNextPage && (
          <Group justify="center" p="md">
            <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
              Show more
            </Button>
          </Group>
        )}
      </section>
      <Modal
        opened={joining !== undefined}
        onClose={() => setJoining(undefined)}
        title={joining && `All the ways to join ${joining.name}`}
        size="lg"
        centered
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {joining && <WaysToJoin id={joining.id} name={joining.name} />}
      </Modal>
    </>
  );
};

const RoomsTable = ({ rooms, onJoin }: { readonly rooms: readonly Room[]; readonly onJoin: (room: Room) => void }) => (
  <div className="scroll-x">
    <Table verticalSpacing="sm" horizontalSpacing="md" highlightOnHover highlightOnHoverColor="var(--sunken)">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Room</Table.Th>
          <Table.Th visibleFrom="sm">Aliases</Table.Th>
          <Table.Th visibleFrom="md">Who gets in</Table.Th>
          <Table.Th visibleFrom="md" ta="right">
            Seats
          </Table.Th>
          <Table.Th>
            <span style={{ position: 'absolute', left: -9999 }}>Joining</span>
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rooms.map((room) => (
          <Table.Tr key={room.id} data-testid="room">
            <Table.Td>
              <Link href={`/rooms/${room.id}`} className="row-link">
                {room.name}
              </Link>
              {room.disabled && (
                <Badge ml={8} size="sm" color="red" variant="light" tt="none">
                  disabled
                </Badge>
              )}
              {room.description !== '' && (
                <Text size="sm" c="dimmed" lineClamp={1}>
                  {room.description}
                </Text>
              )}
              <Text size="sm" c="dimmed" hiddenFrom="sm">
                {room.aliases.join(', ') || 'no alias'}
              </Text>
            </Table.Td>
            <Table.Td visibleFrom="sm">
              <Group gap={6}>
                {room.aliases.slice(0, 3).map((alias) => (
                  <Badge key={alias} variant="default" tt="none" fw={500} size="lg">
                    {alias}
                  </Badge>
                ))}
                {room.aliases.length > 3 && (
                  <Text size="sm" c="dimmed">
                    and {room.aliases.length - 3} more
                  </Text>
                )}
                {room.aliases.length === 0 && (
                  <Text size="sm" c="dimmed">
                    none
                  </Text>
                )}
              </Group>
            </Table.Td>
            <Table.Td visibleFrom="md">
              <Text size="sm">{doorOf(room)}</Text>
            </Table.Td>
            <Table.Td visibleFrom="md" ta="right" className="numbers">
              {room.seatsMax}
            </Table.Td>
            <Table.Td ta="right">
              <Button
                variant="default"
                size="xs"
                h={36}
                leftSection={<IconLink size={16} aria-hidden="true" />}
                onClick={() => onJoin(room)}
                aria-label={`All the ways to join ${room.name}`}
                data-testid="join-room"
              >
                Join
              </Button>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  </div>
);

const doorOf = ({ hostPinSet, guestPinSet, guestsWaitForHost }: Room): string =>
  [
    hostPinSet ? (guestPinSet ? 'Host and guest PIN' : 'Host PIN, guests without') : 'Everybody',
    ...(guestsWaitForHost ? ['guests wait for a host'] : []),
  ].join(', ');

const Nothing = ({ search }: { readonly search: string }) => (
  <div className="nothing">
    <h2>{search ? `No room is called “${search}”` : 'No rooms yet'}</h2>
    <p>
      {search
        ? 'Search looks at names and aliases. Try fewer letters.'
        : 'A room is where people meet: give it a name and an alias, and it can be joined at every site within two seconds.'}
    </p>
    {!search && <Button onClick={() => goTo('/rooms/new')}>Create the first room</Button>}
  </div>
);
