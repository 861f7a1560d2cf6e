import { Button, Group, Modal, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { Trouble } from './notice.js';

interface ConfirmProps {
  readonly opened: boolean;
  readonly title: string;
  readonly verb: string;
  readonly busy: boolean;
  readonly error: unknown;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** Asks once more before what cannot be taken back. */
export const Confirm = ({ opened, title, verb, busy, error, onConfirm, onClose, children }: ConfirmProps) => (
  <Modal opened={opened} onClose={onClose} title={title} centered closeButtonProps={{ 'aria-label': 'Close' }}>
    <Stack>
      <div>{children}</div>
      <Trouble error={error} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button color="red.8" loading={busy} onClick={onConfirm} data-testid="confirm">
          {verb}
        </Button>
      </Group>
    </Stack>
  </Modal>
);
