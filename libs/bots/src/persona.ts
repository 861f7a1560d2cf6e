/**
 * The cast: people whom nobody mistakes for one another, on screen or by ear. The number is in every picture
 * (see identity.ts); colours are chosen to look well side by side as tiles.
 */
export type Rgb = readonly [number, number, number];

export interface Persona {
  /** 1 to 255: what the picture says. */
  readonly number: number;
  readonly name: string;
  readonly initials: string;
  /** Background, from upper left to lower right. */
  readonly background: readonly [Rgb, Rgb];
  readonly skin: Rgb;
  readonly hair: Rgb;
  readonly clothes: Rgb;
  /** 0 short, 1 long, 2 bun: enough to tell silhouettes apart. */
  readonly hairStyle: 0 | 1 | 2;
  readonly voice: { readonly espeak: string; readonly pitch: number; readonly wordsPerMinute: number };
  readonly says: string;
}

const cast = (
  name: string,
  background: readonly [Rgb, Rgb],
  [skin, hair, clothes]: readonly [Rgb, Rgb, Rgb],
  hairStyle: 0 | 1 | 2,
  [espeak, pitch, wordsPerMinute]: readonly [string, number, number],
  says: string,
): Omit<Persona, 'number'> => ({
  name,
  initials: name
    .split(' ')
    .map(([first]) => first)
    .join(''),
  background,
  skin,
  hair,
  clothes,
  hairStyle,
  voice: { espeak, pitch, wordsPerMinute },
  says,
});

const LIGHT: Rgb = [244, 208, 177];
const TAN: Rgb = [222, 172, 128];
const BROWN: Rgb = [160, 110, 76];
const DARK: Rgb = [106, 70, 50];

const people = [
  cast(
    'Ana Moreno',
    [
      [255, 153, 102],
      [214, 51, 108],
    ],
    [TAN, [58, 36, 29], [38, 70, 83]],
    1,
    ['en-us+f3', 62, 165],
    'Good morning everyone. I put the numbers for the first quarter on the page. Revenue is up by nine percent, and most of that came from the new sites. Shall we go through them one by one?',
  ),
  cast(
    'Ben Okafor',
    [
      [56, 189, 248],
      [29, 78, 216],
    ],
    [DARK, [22, 18, 18], [250, 204, 21]],
    0,
    ['en-gb+m3', 36, 160],
    'Thank you. London has finished the move to the second floor. The network is up, the phones are up, and the coffee machine is nearly up. I have no open points.',
  ),
  cast(
    'Chen Wei',
    [
      [52, 211, 153],
      [4, 120, 87],
    ],
    [LIGHT, [30, 27, 30], [30, 41, 59]],
    0,
    ['en-us+m7', 52, 170],
    'I have a question about the schedule. If the parts arrive on Tuesday, we can test on Wednesday and ship before the weekend. Does anybody see a reason to wait?',
  ),
  cast(
    'Dina Haddad',
    [
      [192, 132, 252],
      [109, 40, 217],
    ],
    [TAN, [68, 42, 30], [253, 224, 200]],
    2,
    ['en-gb+f2', 70, 155],
    'Cape Town can take the evening shift this month. We have three people on call, and the handover note is already written. Please read it before Friday.',
  ),
  cast(
    'Erik Lund',
    [
      [148, 163, 184],
      [30, 58, 95],
    ],
    [LIGHT, [214, 178, 94], [153, 27, 27]],
    0,
    ['en-gb-scotland+m1', 40, 158],
    'From my side, just one thing. The customer in Bergen called again and would like a date. I told them the end of May. If that is wrong, tell me today.',
  ),
  cast(
    'Fatima Sesay',
    [
      [250, 204, 21],
      [217, 119, 6],
    ],
    [BROWN, [32, 24, 22], [20, 83, 45]],
    1,
    ['en-us+f5', 58, 168],
    'We ran the interviews last week and found two very good people. One can start in June. The other would prefer to work from Nairobi, and I think we should say yes.',
  ),
  cast(
    'Goran Petrov',
    [
      [248, 113, 113],
      [127, 29, 29],
    ],
    [LIGHT, [90, 90, 96], [17, 24, 39]],
    0,
    ['en-us+m4', 28, 150],
    'Security review is done. There were four findings, all of them small. Three are fixed, and the fourth needs a decision about how long we keep the records.',
  ),
  cast(
    'Hana Sato',
    [
      [244, 164, 200],
      [157, 23, 77],
    ],
    [LIGHT, [26, 22, 30], [240, 249, 255]],
    2,
    ['en-gb-x-rp+f4', 76, 162],
    'I would like to show the new layout. The speaker is large, the others are below, and nothing moves unless somebody talks. It is calmer, and people noticed.',
  ),
  cast(
    'Ivan Costa',
    [
      [45, 212, 191],
      [15, 76, 92],
    ],
    [BROWN, [45, 30, 24], [234, 88, 12]],
    0,
    ['en-us+m2', 46, 172],
    'The load test went better than I thought. We stopped at two hundred callers because we ran out of laptops, not because anything broke. I will repeat it on Monday.',
  ),
  cast(
    'June Parker',
    [
      [163, 230, 53],
      [63, 98, 18],
    ],
    [LIGHT, [176, 72, 38], [55, 48, 107]],
    1,
    ['en-gb-x-gbcwmd+f1', 64, 160],
    'Legal has signed the agreement. There is one change on page six, about notice periods, and I have marked it in yellow. Otherwise we are ready to go.',
  ),
  cast(
    'Kofi Mensah',
    [
      [129, 140, 248],
      [49, 46, 129],
    ],
    [DARK, [18, 16, 16], [225, 29, 72]],
    0,
    ['en-029+m5', 42, 156],
    'Training starts next week in three places at the same time. Every session is recorded. If you cannot come on Tuesday, there is another one on Thursday afternoon.',
  ),
  cast(
    'Lena Vogel',
    [
      [251, 146, 60],
      [120, 53, 15],
    ],
    [LIGHT, [236, 208, 140], [12, 74, 110]],
    2,
    ['en-us+f1', 68, 164],
    'Last point from me. The summer party is on the twentieth. We have the boat until ten, there will be music, and please tell me by Friday whether you eat fish.',
  ),
] as const satisfies readonly Omit<Persona, 'number'>[];

export const PERSONAS: readonly Persona[] = people.map((person, i) => ({ number: i + 1, ...person }));

/** The n-th of the cast, beginning again after the last. */
export const personaOf = (n: number): Persona => PERSONAS[((n % PERSONAS.length) + PERSONAS.length) % PERSONAS.length]!;
