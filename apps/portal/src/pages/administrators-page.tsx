import { Badge, Button, Group, Modal, PasswordInput, Stack, Table, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useAddAdministrator, useAdministrators, useRemoveAdministrator, useSetPassword } from '../api/estate.js';
import { byField } from '../api/problem.js';
import type { Administrator } from '../api/shapes.js';
import { Confirm } from '../parts/confirm.js';
import { Pending, Trouble } from '../parts/notice.js';
import { PageHead } from '../parts/page-head.js';
import { PasswordRules, rulesFor } from '../parts/password-rules.js';
import { say } from '../parts/toasts.js';

type Doing = { readonly what: 'add' } | { readonly what: 'password' | 'remove'; readonly whom: Administrator };

export const AdministratorsPage = ({ me }: { readonly me: string }) => {
  const { data, error, refetch } = useAdministrators();
  const [doing, setDoing] = useState<Doing>();
  const done = (): void => setDoing(undefined);
  return (
    <>
      <PageHead title="Administrators" lead="Who may sign in here. Everybody chooses their own password at the first sign-in.">
        <Button
          leftSection={<IconPlus size={18} aria-hidden="true" />}
          onClick={() => setDoing({ what: 'add' })}
          data-testid="add-administrator"
        >
          Add administrator
        </Button>
      </PageHead>
      <section className="card scroll-x">
        {!data ? (
          <Group p="lg">
            <Pending error={error} again={refetch} />
          </Group>
        ) : (
          <Table verticalSpacing="sm" horizontalSpacing="md">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th ta="right">What to do</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.items.map((one) => (
                <Table.Tr key={one.id} data-testid="administrator">
                  <Table.Td>
                    <Group gap={8}>
                      <span style={{ fontWeight: 560 }}>{one.name}</span>
                      {one.id === me && (
                        <Badge variant="light" tt="none">
                          you
                        </Badge>
                      )}
                      {one.mustChangePassword && (
                        <Badge variant="light" color="yellow" tt="none" c="var(--on-sand-soft)">
                          one-time password
                        </Badge>
                      )}
                    </Group>
                  </Table.Td>
                  <Table.Td>
                    <Group justify="flex-end" gap={6}>
                      {one.id !== me && (
                        <Button
                          variant="default"
                          size="xs"
                          h={36}
                          onClick={() => setDoing({ what: 'password', whom: one })}
                          aria-label={`Set password for ${one.name}`}
                        >
                          Set password
                        </Button>
                      )}
                      <Button
                        variant="subtle"
                        color="red"
                        c="var(--danger)"
                        size="xs"
                        h={36}
                        disabled={data.items.length === 1}
                        onClick={() => setDoing({ what: 'remove', whom: one })}
                        aria-label={`Remove ${one.name}`}
                        data-testid="remove-administrator"
                      >
                        Remove
                      </Button>
                    </Group>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
      </section>
      {doing?.what === 'add' && <AddDialogue onClose={done} />}
      {doing?.what === 'password' && <PasswordDialogue whom={doing.whom} onClose={done} />}
      {doing?.what === 'remove' && <RemoveDialogue whom={doing.whom} isMe={doing.whom.id === me} onClose={done} />}
    </>
  );
};

const AddDialogue = ({ onClose }: { readonly onClose: () => void }) => {
  const add = useAddAdministrator();
  const [name, setName] = useState('');
  const give = (password: string): void =>
    add.mutate(
      { name, password },
      {
        onSuccess: () => {
          say(`Added ${name}`);
          onClose();
        },
      },
    );
  return (
    <Modal opened onClose={onClose} title="Add administrator" centered closeButtonProps={{ 'aria-label': 'Close' }}>
      <GivePassword name={name} verb="Add" busy={add.isPending} error={add.error} onGive={give} onName={setName} />
    </Modal>
  );
};

const PasswordDialogue = ({ whom, onClose }: { readonly whom: Administrator; readonly onClose: () => void }) => {
  const set = useSetPassword();
  const give = (password: string): void =>
    set.mutate(
      { id: whom.id, password },
      {
        onSuccess: () => {
          say(`${whom.name} has a new one-time password`);
          onClose();
        },
      },
    );
  return (
    <Modal opened onClose={onClose} title={`Set a password for ${whom.name}`} centered closeButtonProps={{ 'aria-label': 'Close' }}>
      <GivePassword name={whom.name} verb="Set password" busy={set.isPending} error={set.error} onGive={give} />
    </Modal>
  );
};

interface GivePasswordProps {
  readonly name: string;
  readonly verb: string;
  readonly busy: boolean;
  readonly error: unknown;
  readonly onGive: (password: string) => void;
  readonly onName?: (name: string) => void;
}

const GivePassword = ({ name, verb, busy, error, onGive, onName }: GivePasswordProps) => {
  const [password, setPassword] = useState('');
  const { fields, rest } = error
    ? byField(error, ['name', 'password'])
    : { fields: {} as Readonly<Record<string, string>>, rest: undefined };
  const rules = rulesFor(password, name.trim());
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!busy && rules.every(({ met }) => met)) onGive(password);
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Trouble error={rest} />
        {onName && (
          <TextInput
            label="Name"
            required
            data-autofocus
            autoComplete="off"
            maxLength={100}
            value={name}
            error={fields['name']}
            onChange={({ currentTarget }) => onName(currentTarget.value)}
            data-testid="administrator-name"
          />
        )}
        <PasswordInput
          label="One-time password"
          description="Tell it to them; they change it when they first sign in."
          required
          autoComplete="new-password"
          value={password}
          error={fields['password']}
          onChange={({ currentTarget }) => setPassword(currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
          data-testid="administrator-password"
        />
        <PasswordRules rules={rules} />
        <Group justify="flex-end">
          <Button type="submit" loading={busy} data-testid="give-password">
            {verb}
          </Button>
        </Group>
      </Stack>
    </form>
  );
};

const RemoveDialogue = ({
  whom,
  isMe,
  onClose,
}: {
  readonly whom: Administrator;
  readonly isMe: boolean;
  readonly onClose: () => void;
}) => {
  const remove = useRemoveAdministrator();
  return (
    <Confirm
      opened
      title={`Remove ${whom.name}?`}
      verb="Remove"
      busy={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onConfirm={() =>
        remove.mutate(whom.id, {
          onSuccess: () => {
            say(`Removed ${whom.name}`);
            onClose();
          },
        })
      }
    >
      {isMe ? 'That is you: you are signed out at once and cannot sign in again.' : 'They are signed out at once and cannot sign in again.'}
    </Confirm>
  );
};
