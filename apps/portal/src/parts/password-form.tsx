import { Button, PasswordInput, Stack } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { isProblem, byField } from '../api/problem.js';
import { useChangePassword } from '../api/session.js';
import { Trouble } from './notice.js';
import { PasswordRules, rulesFor } from './password-rules.js';

interface PasswordFormProps {
  readonly name: string;
  readonly currentLabel: string;
  readonly onDone?: () => void;
}

/** A new password of one's own. */
export const PasswordForm = ({ name, currentLabel, onDone }: PasswordFormProps) => {
  const change = useChangePassword();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const [tried, setTried] = useState(false);
  const rules = [
    ...rulesFor(next, name),
    { words: 'Another one than the current', met: next.length > 0 && next !== current },
    { words: 'Twice the same', met: next.length > 0 && next === again },
  ];
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (change.isPending || rules.some(({ met }) => !met)) return;
    change.mutate(
      { current, next },
      {
        onSuccess: () => {
          setCurrent('');
          setNext('');
          setAgain('');
          setTried(false);
          onDone?.();
        },
      },
    );
  };
  const wrongCurrent = isProblem(change.error, 'session.refused');
  const { fields, rest } = change.error ? byField(change.error, ['current', 'next', 'password']) : { fields: {}, rest: undefined };
  const told = fields;
  const toggle = { 'aria-label': 'Show the password' };
  return (
    <form onSubmit={submit}>
      {/* Password managers want to know whose password it is. */}
      <input type="text" name="username" autoComplete="username" value={name} readOnly hidden />
      <Stack>
        <Trouble error={wrongCurrent ? undefined : rest} />
        <PasswordInput
          label={currentLabel}
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={current}
          error={wrongCurrent ? 'That is not the current password.' : told['current']}
          onChange={({ currentTarget }) => setCurrent(currentTarget.value)}
          visibilityToggleButtonProps={toggle}
          data-testid="current-password"
        />
        <PasswordInput
          label="New password"
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={next}
          error={told['next'] ?? told['password']}
          onChange={({ currentTarget }) => setNext(currentTarget.value)}
          visibilityToggleButtonProps={toggle}
          data-testid="new-password"
        />
        <PasswordInput
          label="New password again"
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={again}
          error={tried && rules.some(({ met }) => !met) ? 'Not yet: look at what is open below.' : undefined}
          onChange={({ currentTarget }) => setAgain(currentTarget.value)}
          visibilityToggleButtonProps={toggle}
          data-testid="new-password-again"
        />
        <PasswordRules rules={rules} />
        <Button type="submit" loading={change.isPending} data-testid="change-password">
          Change password
        </Button>
      </Stack>
    </form>
  );
};
