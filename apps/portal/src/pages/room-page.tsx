import { Alert, Button, Text } from '@mantine/core';
import { IconArrowsExchange, IconTrash } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { isProblem } from '../api/problem.js';
import { useChangeRoom, useCreateRoom, useDeleteRoom, useRoom, type KnownRoom } from '../api/rooms.js';
import type { RoomWish } from '../api/shapes.js';
import { Confirm } from '../parts/confirm.js';
import { Link } from '../parts/link.js';
import { Pending } from '../parts/notice.js';
import { PageHead } from '../parts/page-head.js';
import { newKey } from '../parts/pin.js';
import { RoomForm } from '../parts/room-form.js';
import { changeOf, EMPTY_WISH, wishOf } from '../parts/room-wish.js';
import { goTo } from '../parts/route.js';
import { say } from '../parts/toasts.js';
import { WaysToJoin, type FreshPins } from '../parts/ways-to-join.js';

/** PINs set a moment ago, for the page of the room that they were set for; gone with the next page. */
let justSet: { readonly room: string; readonly pins: FreshPins } | undefined;

const freshPins = ({ hostPin, guestPin }: Partial<RoomWish>): FreshPins => ({
  ...(typeof hostPin === 'string' ? { host: hostPin } : {}),
  ...(typeof guestPin === 'string' ? { guest: guestPin } : {}),
});

export const RoomPage = ({ id }: { readonly id: string | undefined }) => (id === undefined ? <NewRoom /> : <KnownRoomPage id={id} />);

const NewRoom = () => {
  const create = useCreateRoom();
  const [wish, setWish] = useState<RoomWish>(EMPTY_WISH);
  const key = useRef(newKey());
  const save = (): void =>
    create.mutate(
      { wish, key: key.current },
      {
        onSuccess: ({ room }) => {
          justSet = { room: room.id, pins: freshPins(wish) };
          say(`Created ${room.name}`);
          goTo(`/rooms/${room.id}`, { replace: true });
        },
        onError: (error) => {
          // An answer that got lost may have been a success: the same key again. Everything else is over.
          if (!isProblem(error, 'http.unreachable')) key.current = newKey();
        },
      },
    );
  return (
    <>
      <PageHead title="New room" lead={<Link href="/rooms">All rooms</Link>} />
      <div style={{ maxWidth: 760 }}>
        <RoomForm
          wish={wish}
          onWish={setWish}
          pinsSet={{ host: false, guest: false }}
          isNew
          changed={wish.name.trim() !== ''}
          busy={create.isPending}
          error={create.error}
          onSave={save}
        />
      </div>
    </>
  );
};

const KnownRoomPage = ({ id }: { readonly id: string }) => {
  const { data, error, refetch } = useRoom(id);
  if (!data) {
    return (
      <>
        <PageHead title="Room" lead={<Link href="/rooms">All rooms</Link>} />
        <Pending error={error} again={refetch} />
      </>
    );
  }
  return <EditRoom known={data} reload={refetch} />;
};

const EditRoom = ({ known, reload }: { readonly known: KnownRoom; readonly reload: () => Promise<unknown> }) => {
  const change = useChangeRoom();
  // What the form started from; a newer answer does not change it under the hands, but a conflict says so.
  const [base, setBase] = useState(known);
  const [wish, setWish] = useState(() => wishOf(known.room));
  const [pins, setPins] = useState<FreshPins>(() => (justSet?.room === known.room.id ? justSet.pins : {}));
  const [waiting, setWaiting] = useState(false);
  useEffect(() => {
    justSet = undefined;
  }, []);
  const start = (from: KnownRoom): void => {
    setBase(from);
    setWish(wishOf(from.room));
    change.reset();
  };
  useEffect(() => {
    if (!waiting || known === base) return;
    setWaiting(false);
    start(known);
  }, [waiting, known, base]);
  const changes = changeOf(base.room, wish);
  const save = (): void =>
    change.mutate(
      { base, change: changes },
      {
        onSuccess: (saved) => {
          start(saved);
          setPins({ ...freshPins(changes) });
          say(`Saved ${saved.room.name}`);
        },
      },
    );
  const conflict = isProblem(change.error, 'request.precondition-failed');
  const theirs = async (): Promise<void> => {
    setWaiting(true);
    await reload();
  };
  return (
    <>
      <PageHead title={base.room.name} lead={<Link href="/rooms">All rooms</Link>} />
      {conflict && (
        <Alert
          color="yellow"
          variant="light"
          role="alert"
          icon={<IconArrowsExchange aria-hidden="true" />}
          title="Somebody else changed this room"
          data-testid="conflict"
        >
          It is no longer as you opened it, so your changes were not saved. Load it again, then make them again.
          <Button
            mt="sm"
            display="block"
            size="xs"
            variant="default"
            loading={waiting}
            onClick={() => void theirs()}
            data-testid="reload-room"
          >
            Load it again
          </Button>
        </Alert>
      )}
      <div className="two-columns">
        <RoomForm
          wish={wish}
          onWish={setWish}
          pinsSet={{ host: base.room.hostPinSet, guest: base.room.guestPinSet }}
          isNew={false}
          changed={Object.keys(changes).length > 0}
          busy={change.isPending}
          error={conflict ? undefined : change.error}
          onSave={save}
        >
          <DeleteRoom base={base} />
        </RoomForm>
        <section className="card padded" aria-labelledby="ways-title">
          <h2 id="ways-title">All the ways to join</h2>
          <Text size="sm" c="dimmed" mt={4}>
            The same meeting from every site; people use the one nearest to them.
          </Text>
          <div style={{ marginTop: 14 }}>
            <WaysToJoin id={base.room.id} name={base.room.name} pins={pins} />
          </div>
        </section>
      </div>
    </>
  );
};

const DeleteRoom = ({ base }: { readonly base: KnownRoom }) => {
  const remove = useDeleteRoom();
  const [asking, setAsking] = useState(false);
  const { name } = base.room;
  const conflict = isProblem(remove.error, 'request.precondition-failed');
  return (
    <>
      <Button
        variant="subtle"
        color="red"
        c="var(--danger)"
        leftSection={<IconTrash size={18} aria-hidden="true" />}
        onClick={() => setAsking(true)}
        data-testid="delete-room"
      >
        Delete room
      </Button>
      <Confirm
        opened={asking}
        title={`Delete ${name}?`}
        verb="Delete room"
        busy={remove.isPending}
        error={conflict ? 'Somebody else changed this room since you opened it. Load the page again before you delete it.' : remove.error}
        onClose={() => {
          setAsking(false);
          remove.reset();
        }}
        onConfirm={() =>
          remove.mutate(base, {
            onSuccess: () => {
              say(`Deleted ${name}`);
              goTo('/rooms', { replace: true });
            },
          })
        }
      >
        Its links and aliases stop working at every site, and whoever is in is put out. This cannot be undone.
      </Confirm>
    </>
  );
};
