import { PageHead } from '../parts/page-head.js';
import { PasswordForm } from '../parts/password-form.js';
import { say } from '../parts/toasts.js';

export const AccountPage = ({ name }: { readonly name: string }) => (
  <>
    <PageHead title="Change password" lead={`You are ${name}. Your other sessions end when the password changes.`} />
    <section className="card padded" style={{ maxWidth: 460 }}>
      <PasswordForm name={name} currentLabel="Current password" onDone={() => say('Password changed')} />
    </section>
  </>
);
