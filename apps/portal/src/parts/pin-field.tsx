import { Badge, Button, Group, Input, TextInput } from '@mantine/core';
import { IconDice5, IconLock, IconLockOpen } from '@tabler/icons-react';
import { useId } from 'react';
import { CopyButton } from './copy-button.js';
import { newPin } from './pin.js';

interface PinFieldProps {
  readonly role: 'host' | 'guest';
  /** Whether the room has one now. */
  readonly set: boolean;
  /** Digits to set, null to take it away, undefined to leave it. */
  readonly wish: string | null | undefined;
  readonly error: string | undefined;
  readonly onWish: (wish: string | null | undefined) => void;
}

const DIGITS = 6;
const TITLES = { host: 'Host PIN', guest: 'Guest PIN' } as const;
const WHY = { host: 'Who knows it comes in as host.', guest: 'Who knows it comes in as guest.' } as const;

/** Sets, replaces or clears one PIN. What it is can be seen here until it is saved, and then never again. */
export const PinField = ({ role, set, wish, error, onWish }: PinFieldProps) => {
  const id = useId();
  const title = TITLES[role];
  const will = wish === undefined ? set : wish !== null;
  const typing = typeof wish === 'string';
  return (
    <Input.Wrapper
      labelElement="div"
      label={
        <Group gap={8} mb={2}>
          {title}
          <Badge
            variant="light"
            color={will ? 'lagoon' : 'gray'}
            tt="none"
            leftSection={will ? <IconLock size={12} aria-hidden="true" /> : <IconLockOpen size={12} aria-hidden="true" />}
            data-testid={`${role}-pin-state`}
          >
            {wish === undefined ? (set ? 'set' : 'none') : wish === null ? 'none, once saved' : 'new, once saved'}
          </Badge>
        </Group>
      }
      description={typing ? 'Note it now: once saved, nobody can look it up.' : WHY[role]}
      error={typing ? undefined : error}
    >
      <Group gap={8} mt={8} align="flex-start">
        {typing ? (
          <>
            <TextInput
              id={id}
              aria-label={title}
              inputMode="numeric"
              autoComplete="off"
              maxLength={20}
              w={170}
              value={wish}
              error={error}
              onChange={({ currentTarget }) => onWish(currentTarget.value.replace(/\D/g, ''))}
              classNames={{ input: 'pin-once' }}
              data-testid={`${role}-pin`}
            />
            <CopyButton value={wish} what={`the ${role} PIN`} testId={`copy-${role}-pin`} />
            <Button
              variant="default"
              h={40}
              leftSection={<IconDice5 size={18} aria-hidden="true" />}
              onClick={() => onWish(newPin(DIGITS))}
            >
              Another
            </Button>
            <Button variant="subtle" h={40} onClick={() => onWish(undefined)}>
              {set ? 'Keep the old one' : 'No PIN'}
            </Button>
          </>
        ) : (
          <>
            <Button
              variant="default"
              size="xs"
              h={36}
              leftSection={<IconDice5 size={17} aria-hidden="true" />}
              onClick={() => onWish(newPin(DIGITS))}
              data-testid={`generate-${role}-pin`}
            >
              Generate
            </Button>
            <Button variant="default" size="xs" h={36} onClick={() => onWish('')} data-testid={`type-${role}-pin`}>
              {set ? 'Replace' : 'Type one'}
            </Button>
            {wish === null ? (
              <Button variant="subtle" size="xs" h={36} onClick={() => onWish(undefined)}>
                Keep it after all
              </Button>
            ) : (
              set && (
                <Button
                  variant="subtle"
                  color="red"
                  c="var(--danger)"
                  size="xs"
                  h={36}
                  onClick={() => onWish(null)}
                  data-testid={`clear-${role}-pin`}
                >
                  Clear
                </Button>
              )
            )}
          </>
        )}
      </Group>
    </Input.Wrapper>
  );
};
