import type { Keep } from '../net/identity.js';

export type Theme = 'system' | 'light' | 'dark';
const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

export const themeKept = (keep: Keep): Theme => THEMES.find((theme) => theme === keep.get('theme')) ?? 'system';

/** Follows the system unless the person chose; the style sheets look at `data-theme`. */
export const applyTheme = (theme: Theme): void => {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
};

export const isDark = (theme: Theme): boolean =>
  theme === 'system' ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
