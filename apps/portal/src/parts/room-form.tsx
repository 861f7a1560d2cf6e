import { Button, Group, NumberInput, SimpleGrid, Stack, Switch, TagsInput, Textarea, TextInput } from '@mantine/core';
import type { FormEvent, ReactNode } from 'react';
import { ALIASES_MAX, SEATS_MAX } from '@isthmus/estate';
import { byField } from '../api/problem.js';
import type { RoomWish } from '../api/shapes.js';
import { Trouble } from './notice.js';
import { PinField } from './pin-field.js';
import { aliasFor } from './room-wish.js';

const FIELDS = ['name', 'description', 'aliases', 'hostPin', 'guestPin', 'seatsMax', 'guestsWaitForHost', 'disabled'];

interface RoomFormProps {
  readonly wish: RoomWish;
  readonly onWish: (wish: RoomWish) => void;
  readonly pinsSet: { readonly host: boolean; readonly guest: boolean };
  readonly isNew: boolean;
  readonly changed: boolean;
  readonly busy: boolean;
  readonly error: unknown;
  readonly onSave: () => void;
  readonly children?: ReactNode;
}

/** Everything about a room that somebody can set; what the service refuses is told beside the field that it is about. */
export const RoomForm = ({ wish, onWish, pinsSet, isNew, changed, busy, error, onSave, children }: RoomFormProps) => {
  const { fields, rest } = error ? byField(error, FIELDS) : { fields: {} as Readonly<Record<string, string>>, rest: undefined };
  const set = <Key extends keyof RoomWish>(key: Key, value: RoomWish[Key] | undefined): void => {
    const { [key]: _, ...others } = wish;
    onWish((value === undefined ? others : { ...others, [key]: value }) as RoomWish);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!busy) onSave();
  };
  const suggestAlias = (): void => {
    const alias = aliasFor(wish.name);
    if (isNew && alias && wish.aliases.length === 0) set('aliases', [alias]);
  };
  return (
    <form onSubmit={submit} className="card padded" noValidate>
      <Stack gap="lg">
        <Trouble error={rest} />
        <TextInput
          label="Name"
          description="What people call it."
          required
          autoFocus={isNew}
          value={wish.name}
          error={fields['name']}
          onChange={({ currentTarget }) => set('name', currentTarget.value)}
          onBlur={suggestAlias}
          data-testid="room-name"
        />
        <TagsInput
          label="Aliases"
          description="Names it can be dialled by: board, 4711, board@example.com. Enter or a comma adds one; the first is in the links."
          value={wish.aliases}
          maxTags={ALIASES_MAX}
          splitChars={[',', ' ', ';']}
          acceptValueOnBlur
          clearable
          clearButtonProps={{ 'aria-label': 'Remove all aliases' }}
          error={fields['aliases']}
          onChange={(aliases) => set('aliases', [...new Set(aliases.map((alias) => alias.trim().toLowerCase()).filter(Boolean))])}
          data-testid="room-aliases"
        />
        <Textarea
          label="Description"
          autosize
          minRows={1}
          maxRows={4}
          value={wish.description}
          error={fields['description']}
          onChange={({ currentTarget }) => set('description', currentTarget.value.replace(/\s*\n\s*/g, ' '))}
          data-testid="room-description"
        />
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
          <PinField role="host" set={pinsSet.host} wish={wish.hostPin} error={fields['hostPin']} onWish={(pin) => set('hostPin', pin)} />
          <PinField
            role="guest"
            set={pinsSet.guest}
            wish={wish.guestPin}
            error={fields['guestPin']}
            onWish={(pin) => set('guestPin', pin)}
          />
        </SimpleGrid>
        <NumberInput
          label="Seats"
          description={`How many may be in at once, up to ${SEATS_MAX}.`}
          w={170}
          min={1}
          max={SEATS_MAX}
          allowDecimal={false}
          allowNegative={false}
          clampBehavior="none"
          value={wish.seatsMax}
          error={fields['seatsMax']}
          onChange={(seats) => set('seatsMax', typeof seats === 'number' ? seats : 0)}
          styles={{ description: { width: 'max-content', maxWidth: '80vw' } }}
          data-testid="room-seats"
        />
        <Switch
          label="Guests wait for a host"
          description="Nobody meets before a host is there."
          checked={wish.guestsWaitForHost}
          error={fields['guestsWaitForHost']}
          onChange={({ currentTarget }) => set('guestsWaitForHost', currentTarget.checked)}
          data-testid="room-wait"
        />
        <Switch
          label="Disabled"
          description="Nobody gets in, and whoever is in is put out."
          color="red.8"
          checked={wish.disabled}
          error={fields['disabled']}
          onChange={({ currentTarget }) => set('disabled', currentTarget.checked)}
          data-testid="room-disabled"
        />
        <Group justify="space-between">
          <Button type="submit" loading={busy} disabled={!changed} data-testid="save-room">
            {isNew ? 'Create room' : 'Save changes'}
          </Button>
          {children}
        </Group>
      </Stack>
    </form>
  );
};
