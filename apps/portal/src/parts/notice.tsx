import { Alert, Button, Loader } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { wordsFor } from '../api/problem.js';

/** What went wrong and what next, read out by screen readers as it appears. */
export const Trouble = ({ error, children }: { readonly error: unknown; readonly children?: ReactNode }) =>
  error ? (
    <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden="true" />} role="alert" data-testid="trouble">
      {typeof error === 'string' ? error : wordsFor(error)}
      {children}
    </Alert>
  ) : null;

/** Stands where something is being fetched, or could not be. */
export const Pending = ({ error, again }: { readonly error: unknown; readonly again: () => unknown }) =>
  error ? (
    <Trouble error={error}>
      <Button mt="sm" display="block" size="xs" variant="default" onClick={() => void again()}>
        Try again
      </Button>
    </Trouble>
  ) : (
    <Loader aria-label="Loading" type="dots" />
  );
