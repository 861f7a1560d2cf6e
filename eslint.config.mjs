import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Who may import whom. ARCHITECTURE.md §Layers says why; `npm run lint` refuses the rest. */
const layers = [
  { sourceTag: 'layer:kernel', onlyDependOnLibsWithTags: ['layer:kernel'] },
  { sourceTag: 'layer:domain', onlyDependOnLibsWithTags: ['layer:kernel', 'layer:domain'] },
  { sourceTag: 'layer:port', onlyDependOnLibsWithTags: ['layer:kernel', 'layer:domain', 'layer:port'] },
  { sourceTag: 'layer:protocol', onlyDependOnLibsWithTags: ['layer:kernel', 'layer:domain'] },
  { sourceTag: 'layer:spec', onlyDependOnLibsWithTags: ['layer:kernel', 'layer:domain', 'layer:port', 'layer:protocol'] },
  { sourceTag: 'layer:service-kit', onlyDependOnLibsWithTags: ['layer:kernel', 'layer:port', 'layer:protocol'] },
  // `shared:certificates` is peers-http: who somebody is on a link is the same question for everything that crosses one.
  // `shared:bus` is bus-embedded: what another bus stands before in its specs.
  {
    sourceTag: 'layer:adapter',
    onlyDependOnLibsWithTags: [
      'layer:kernel',
      'layer:domain',
      'layer:port',
      'layer:protocol',
      'layer:spec',
      'shared:certificates',
      'shared:bus',
    ],
  },
  // Which adapters a service that runs alone gets, by configuration: the same question for every `main.ts`.
  {
    sourceTag: 'layer:wiring',
    onlyDependOnLibsWithTags: ['layer:kernel', 'layer:port', 'layer:protocol', 'layer:adapter', 'layer:service-kit'],
  },
  {
    sourceTag: 'layer:app',
    onlyDependOnLibsWithTags: [
      'layer:wiring',
      'layer:kernel',
      'layer:domain',
      'layer:port',
      'layer:protocol',
      'layer:adapter',
      'layer:service-kit',
      'layer:spec',
    ],
  },
  // The simulator runs what `shared:simulated` apps decide, never what serves them; only specs and tools run the simulator.
  {
    sourceTag: 'layer:simulator',
    onlyDependOnLibsWithTags: ['layer:kernel', 'layer:domain', 'layer:port', 'layer:protocol', 'layer:service-kit', 'shared:simulated'],
  },
  { sourceTag: 'layer:web', onlyDependOnLibsWithTags: ['layer:kernel', 'layer:domain', 'layer:protocol'] },
  { sourceTag: 'layer:composition', onlyDependOnLibsWithTags: ['*'] },
];

const pure = {
  'no-restricted-imports': [
    'error',
    { patterns: [{ regex: '^(?!\\.|@isthmus/)', message: 'Kernel, domain and ports import no package and no node:* (ADR 0002).' }] },
  ],
  'no-restricted-globals': [
    'error',
    ...['Date', 'setTimeout', 'setInterval', 'setImmediate', 'performance', 'process', 'fetch'].map((name) => ({
      name,
      message: 'Time and the world arrive in the command (ADR 0002).',
    })),
  ],
  'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Chance arrives in the command (ADR 0002).' }],
};

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/*.mjs', '**/*.js', '**/vite.config.ts', 'vitest.config.ts', '.nx/**'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.ts'] }, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': ['error', { enforceBuildableLibDependency: false, allow: [], depConstraints: layers }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: [
      'libs/kernel/src/**/*.ts',
      'libs/conference/src/**/*.ts',
      'libs/placement/src/**/*.ts',
      'libs/reach/src/**/*.ts',
      'libs/routing/src/**/*.ts',
      'libs/estate/src/**/*.ts',
      'libs/ports/src/**/*.ts',
    ],
    ignores: ['**/*.spec.ts'],
    rules: pure,
  },
);
