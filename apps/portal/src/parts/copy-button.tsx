import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { say } from './toasts.js';

const SHOWN_MS = 1_500;

interface CopyProps {
  readonly value: string;
  /** What is copied: `the link for London`. */
  readonly what: string;
  /** With it, a button with words. */
  readonly label?: string;
  readonly testId?: string;
}

export const CopyButton = ({ value, what, label, testId = 'copy' }: CopyProps) => {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async (): Promise<void> => {
    if (await copied(value)) {
      setDone(true);
      say(`Copied ${what}`);
    }
  };
  const icon = done ? <IconCheck size={18} aria-hidden="true" /> : <IconCopy size={18} aria-hidden="true" />;
  if (label !== undefined) {
    return (
      <Button variant="default" leftSection={icon} onClick={() => void copy()} data-testid={testId}>
        {label}
      </Button>
    );
  }
  return (
    <Tooltip label={`Copy ${what}`}>
      <ActionIcon variant="default" size={40} onClick={() => void copy()} aria-label={`Copy ${what}`} data-testid={testId}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
};

/** The clipboard is there only on HTTPS and loopback, and may be refused; a hidden field and the old command work everywhere. */
const copied = async (value: string): Promise<boolean> => {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = value;
    field.style.position = 'fixed';
    field.style.opacity = '0';
    // Inside an open dialogue, which would otherwise take the focus back.
    (document.activeElement?.parentElement ?? document.body).append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
};
