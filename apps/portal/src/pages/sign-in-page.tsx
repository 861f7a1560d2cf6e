import { Alert, Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useEffect, useState, type FormEvent } from 'react';
import { useSignIn } from '../api/session.js';
import { Gate } from '../parts/gate.js';
import { Trouble } from '../parts/notice.js';

const BEFORE = {
  'not-yet': undefined,
  'signed-out': 'You are signed out.',
  ended: 'Your session ended. Sign in again to go on where you were.',
} as const;

/** Leaves the address alone: whoever signs in again is where they were. */
export const SignInPage = ({ because }: { readonly because: keyof typeof BEFORE }) => {
  const signIn = useSignIn();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  useEffect(() => {
    document.title = 'Sign in · Isthmus';
  }, []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!signIn.isPending) signIn.mutate({ name, password });
  };
  const before = BEFORE[because];
  return (
    <Gate>
      <div>
        <h1>Sign in</h1>
        <p className="page-lead">Rooms, sites and what runs now, in one place.</p>
      </div>
      {before !== undefined && !signIn.error && (
        <Alert variant="light" role="status" data-testid="before">
          {before}
        </Alert>
      )}
      <form onSubmit={submit}>
        <Stack>
          <Trouble error={signIn.error} />
          <TextInput
            label="Name"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            size="md"
            required
            withAsterisk={false}
            autoFocus
            value={name}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
            data-testid="name"
          />
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            size="md"
            required
            withAsterisk={false}
            value={password}
            onChange={({ currentTarget }) => setPassword(currentTarget.value)}
            visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
            data-testid="password"
          />
          <Button type="submit" size="md" loading={signIn.isPending} data-testid="sign-in">
            Sign in
          </Button>
        </Stack>
      </form>
    </Gate>
  );
};
