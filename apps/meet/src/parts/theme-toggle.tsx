import { IconMoon, IconSun } from '@tabler/icons-react';
import { useState } from 'react';
import { applyTheme, isDark, themeKept } from '../state/theme.js';
import { useMeeting } from '../state/use-meeting.js';

/** Light or dark by choice; without one the page follows the system. */
export const ThemeToggle = () => {
  const { keep } = useMeeting();
  const [theme, setTheme] = useState(() => themeKept(keep));
  const dark = isDark(theme);
  const toggle = (): void => {
    const next = dark ? 'light' : 'dark';
    keep.set('theme', next);
    applyTheme(next);
    setTheme(next);
  };
  const label = dark ? 'Use light colours' : 'Use dark colours';
  return (
    <button type="button" className="icon-button" onClick={toggle} aria-label={label} title={label} data-testid="theme">
      {dark ? <IconSun size={20} aria-hidden="true" /> : <IconMoon size={20} aria-hidden="true" />}
    </button>
  );
};
