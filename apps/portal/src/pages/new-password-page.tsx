import { Button } from '@mantine/core';
import { useEffect } from 'react';
import { useSignOut } from '../api/session.js';
import { Gate } from '../parts/gate.js';
import { PasswordForm } from '../parts/password-form.js';

/** Somebody else knows the password that one was given; it opens nothing but its own replacement. */
export const NewPasswordPage = ({ name }: { readonly name: string }) => {
  const signOut = useSignOut();
  useEffect(() => {
    document.title = 'Choose a password · Isthmus';
  }, []);
  return (
    <Gate>
      <div>
        <h1 data-testid="title">Choose your own password</h1>
        <p className="page-lead">The one you were given was for one time. Everything else opens once you have your own.</p>
      </div>
      <PasswordForm name={name} currentLabel="Password you were given" />
      <Button variant="subtle" size="compact-md" onClick={() => signOut.mutate()}>
        Not {name}? Sign out
      </Button>
    </Gate>
  );
};
