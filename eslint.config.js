// Import boundaries of the architecture (docs/architecture.md) are held here, not by reviewers.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Who alone may import what. Each row: the modules, the folders that may, and why. */
const owners = [
  {
    modules: ['@aws-sdk/*', '@smithy/*'],
    allowed: ['src/aws/', 'src/accounts-router/'],
    why: 'only src/aws and the router of accounts talk to AWS',
  },
  { modules: ['pg'], allowed: ['src/db/'], why: 'only src/db talks to PostgreSQL' },
];

const restrict = (patterns, paths = []) => ({
  'no-restricted-imports': ['error', { patterns, paths }],
});

const ownerPatterns = (folder) =>
  owners
    .filter((o) => !o.allowed.some((a) => folder.startsWith(a)))
    .map((o) => ({ group: o.modules, message: o.why, allowTypeImports: false }));

const outside = {
  group: ['**/sandbox/**', '**/test/**', '**/testing/**'],
  message: 'product code knows neither sandbox nor tests',
};
const noEnv = {
  'no-restricted-properties': [
    'error',
    { object: 'process', property: 'env', message: 'only src/config.ts reads the environment' },
  ],
};

export default tseslint.config(
  { ignores: ['dist/', '.sandbox/', 'node_modules/', 'coverage/', 'test/histories/'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked.map((c) => ({ ...c, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      eqeqeq: 'error',
    },
  },
  { files: ['src/**/*.ts'], rules: { ...restrict([...ownerPatterns('src/'), outside]), ...noEnv } },
  { files: ['src/config.ts'], rules: { 'no-restricted-properties': 'off' } },
  { files: ['src/aws/**/*.ts'], rules: restrict([...ownerPatterns('src/aws/'), outside]) },
  { files: ['src/db/**/*.ts'], rules: restrict([...ownerPatterns('src/db/'), outside]) },
  {
    files: ['src/db/**/*.ts'],
    ignores: ['src/db/connections.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.object.name='pg']",
          message: 'only src/db/connections.ts makes clients and pools: each must hear that its session has ended',
        },
      ],
    },
  },
  {
    files: ['src/accounts-router/**/*.ts'],
    rules: restrict([
      ...ownerPatterns('src/accounts-router/'),
      {
        // Out of the folder: a test finds `../` from its top.
        regex: '^(?!\\./|\\.\\./(?!\\.\\.)|@aws-sdk/(client-dynamodb|client-ssm|lib-dynamodb)$|node:timers/promises$)',
        message: "the router of accounts goes into companies' services: it needs nothing else of Tenantry",
      },
    ]),
  },
  {
    files: ['src/contracts/**/*.ts'],
    rules: restrict([
      ...ownerPatterns('src/contracts/'),
      { group: ['../*', 'node:*', '@temporalio/*'], message: 'contracts import nothing but contracts' },
    ]),
  },
  {
    files: ['src/plan/**/*.ts'],
    rules: restrict([
      ...ownerPatterns('src/plan/'),
      { regex: '^(?!\\./|\\.\\./contracts/)', message: 'plans are pure: they import the contracts and themselves' },
    ]),
  },
  {
    files: ['src/workflows/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex:
                '^(?!\\./|\\.\\./(executor/|contracts/|[a-z-]+\\.ts$)|\\.\\./\\.\\./(contracts|plan)/|@temporalio/(workflow|common)$)',
              message: 'workflow code takes values only from the contracts, the plan, @temporalio/workflow and itself',
              allowTypeImports: true,
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/api/**/*.ts', 'src/client/**/*.ts', 'src/products/**/*.ts'],
    rules: restrict([
      ...ownerPatterns('src/api/'),
      outside,
      { group: ['**/aws/**', '**/activities/**', '**/worker/**'], message: 'the API holds no AWS credentials' },
    ]),
  },
  {
    files: ['examples/**/*.ts'],
    rules: restrict([
      { regex: '^\\.\\./\\.\\./', message: "products and kinds of others import 'tenantry', and what is their own" },
    ]),
  },
  {
    files: ['test/**/*.ts', 'testing/**/*.ts', 'bench/**/*.ts', 'sandbox/**/*.ts', 'scripts/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['sandbox/inventory/**/*.ts'],
    rules: restrict([
      {
        // Its own folder, and packages: nothing that leads out of it.
        regex:
          '^(\\.\\./){2,}(src|sandbox|test|bench)/|^(\\.\\./)+src/|^(\\.\\./)+(gateway|stack|parts|landing-zone|demo)/',
        message: 'the oracle shares no code with what it judges',
      },
    ]),
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        AbortSignal: 'readonly',
      },
    },
  },
);
