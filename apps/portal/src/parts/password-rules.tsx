import { IconCircle, IconCircleCheck } from '@tabler/icons-react';
import { PASSWORD_MIN } from '@isthmus/estate';

interface Rule {
  readonly words: string;
  readonly met: boolean;
}

/** The same rules that provisioning checks, told while somebody types. */
export const rulesFor = (password: string, name: string): readonly Rule[] => [
  { words: `${PASSWORD_MIN} characters or more; several words make a good one`, met: password.length >= PASSWORD_MIN },
  { words: 'Five different characters or more', met: new Set(password).size >= 5 },
  {
    words: `Not the name${name ? ` “${name}”` : ''} in it`,
    met: password.length > 0 && (name === '' || !password.toLowerCase().includes(name.toLowerCase())),
  },
];

export const PasswordRules = ({ rules }: { readonly rules: readonly Rule[] }) => (
  <ul className="rules" aria-label="A good password">
    {rules.map(({ words, met }) => (
      <li key={words} data-met={met}>
        {met ? <IconCircleCheck size={18} aria-label="met:" /> : <IconCircle size={18} aria-label="not yet:" />}
        {words}
      </li>
    ))}
  </ul>
);
