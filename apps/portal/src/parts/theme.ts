import { createTheme, defaultVariantColorsResolver, type MantineColorsTuple } from '@mantine/core';

/** The lagoon of the palette, light to dark. Shade 8 carries white text at 6.6:1, shade 3 carries dark ink on night surfaces. */
const lagoon: MantineColorsTuple = [
  '#e6f6f2',
  '#d8ebe6',
  '#a9ebde',
  '#6fd6c4',
  '#45bfab',
  '#1fa491',
  '#0d8a7c',
  '#0a766a',
  '#0b665d',
  '#084f48',
];

/** The night side of the paper, for what Mantine draws by itself: fields, menus, switches. */
const dark: MantineColorsTuple = [
  '#edf3f1',
  '#c3cfcb',
  '#a5b4b0',
  '#6d7f7b',
  '#3a4a4b',
  '#2a3839',
  '#1d292a',
  '#151f20',
  '#101819',
  '#0c1314',
];

export const theme = createTheme({
  primaryColor: 'lagoon',
  primaryShade: { light: 8, dark: 3 },
  colors: { lagoon, dark },
  autoContrast: true,
  // Mantine works out the text on a filled button for the light scheme's shade only.
  variantColorResolver: (input) => ({
    ...defaultVariantColorsResolver(input),
    ...(input.variant === 'filled' && (input.color === undefined || input.color === 'lagoon') ? { color: 'var(--on-accent)' } : {}),
  }),
  luminanceThreshold: 0.32,
  defaultRadius: 'md',
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  headings: { fontFamily: 'var(--font)', fontWeight: '650' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  radius: { xs: '6px', sm: '8px', md: '10px', lg: '14px', xl: '18px' },
});
