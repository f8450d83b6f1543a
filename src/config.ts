import { existsSync } from 'node:fs';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';
import { DEFAULT_GRACE, graceMsOf, graceProblem } from './contracts/grace.ts';
import { accessOf, accessVariables, checkAccess, type AccessConfig } from './access-config.ts';
import { driftRepairPolicies, type DriftRepairPolicy } from './contracts/drift.ts';
import type { Platform } from './contracts/platform.ts';
import { PlatformConfigError, readPlatform } from './platform.ts';
import { limitsConfigOf, limitsVariables, type LimitsConfig } from './limits-config.ts';
import { telemetryConfigOf, TelemetryConfigError, type TelemetryConfig } from './telemetry/settings.ts';
import { apiTokenOf, signInConfigOf, stateDirectoryOf, type SignInConfig } from './sign-in-config.ts';

/** Where Temporal is, as the standard variables `TEMPORAL_*` (or a `TEMPORAL_PROFILE`) say. */
export type TemporalConnectConfig = ReturnType<typeof loadClientConnectConfig>;

/** All settings of a process, read once. */
export interface Config extends AccessConfig, LimitsConfig {
  readonly databaseUrl: string;
  /** Provisioner's URL per tenant database id of the platform. */
  readonly tenantDatabaseUrls: Readonly<Record<string, string>>;
  readonly temporal: TemporalConnectConfig;
  readonly platform: Platform;
  /** File that names the products of this installation; undefined: those that come with Tenantry. */
  readonly catalogFile: string | undefined;
  /** 32-byte keys: the first encrypts, all decrypt. */
  readonly payloadKeys: readonly Buffer[];
  readonly awsEndpointUrl: string | undefined;
  /** Whether a variable names where AWS credentials come from; a default profile or an instance's role needs none. */
  readonly awsCredentialsNamed: boolean;
  readonly apiHost: string;
  /** How long an API that is to end goes on listening, so that load balancers see it before. */
  readonly drainDelayMs: number;
  readonly apiPort: number;
  /** Origin that may call the codec endpoint from a browser (Temporal's UI). */
  readonly temporalUiOrigin: string | undefined;
  readonly workerHealthPort: number | undefined;
  /** Between two scheduled sweeps; undefined: none is scheduled. */
  readonly sweepIntervalMs: number | undefined;
  /** Between two scheduled looks at drift; undefined: none is scheduled. */
  readonly driftIntervalMs: number | undefined;
  /** Of all products; undefined: each product's own. */
  readonly driftRepair: DriftRepairPolicy | undefined;
  /** How long a deletion waits before it removes anything, in ms. */
  readonly deletionGraceMs: number;
  /** Products that take no new tenants here, by name: the variable that switches that on. */
  readonly switchedOff: Readonly<Record<string, string>>;
  /** Between two looks at all active tenants; undefined: nobody looks. */
  readonly healthEveryMs: number | undefined;
  /** Webhooks may lead to this host itself, by http too. */
  readonly webhookAllowLoopback: boolean;
  /** What is told by OpenTelemetry. */
  readonly telemetry: TelemetryConfig;
  readonly logLevel: string;
}

/** Settings that a process of one role does without are not asked of it. */
export type Role = 'api' | 'worker' | 'doctor';

/** Raised when the environment cannot be used; lists every problem at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The configuration cannot be used:\n${problems.map((p) => `  - ${p}`).join('\n')}`);
    this.problems = problems;
  }
}

const postgresUrl = z
  .string({ error: 'is not set: give the URL of a PostgreSQL database' })
  .regex(/^postgres(ql)?:\/\/\S+$/, 'must be a postgres:// URL');
const port = z.coerce.number('must be a port number').int().min(0).max(65535);
const url = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' });

const interval = z
  .string()
  .regex(/^(off|[1-9]\d{0,3}[mhd])$/, 'must be off, or a number of minutes, hours or days: 30m, 1h, 1d')
  .default('1h');

const variables = z.object({
  DATABASE_URL: postgresUrl,
  TENANT_DATABASE_URL: postgresUrl.optional(),
  PLATFORM_CONFIG: z
    .string({ error: 'is not set: give the path of the platform description (JSON)' })
    .min(1, 'is empty'),
  TENANTRY_PAYLOAD_KEY: z.string({
    error:
      'is not set: give 32 random bytes in base64 (openssl rand -base64 32); payloads in Temporal are encrypted with it',
  }),
  AWS_ENDPOINT_URL: url.optional(),
  TENANTRY_CONFIG: z.string().optional(),
  TENANTRY_API_HOST: z.string().default('127.0.0.1'),
  TENANTRY_API_PORT: port.default(3006),
  TENANTRY_DRAIN_DELAY: z
    .string()
    .regex(/^(?:[0-9]|10)s$/, 'must be a number of seconds, 0s to 10s')
    .default('0s'),
  ...accessVariables,
  ...limitsVariables,
  TENANTRY_TEMPORAL_UI_URL: url.optional(),
  TENANTRY_WORKER_HEALTH_PORT: port.optional(),
  TENANTRY_SWEEP_INTERVAL: interval,
  TENANTRY_DRIFT_EVERY: interval,
  TENANTRY_DRIFT_REPAIR: z.enum(driftRepairPolicies, 'must be approval or automatic').optional(),
  TENANTRY_DELETION_GRACE: z
    .string()
    .default(DEFAULT_GRACE)
    .transform((text, context) => {
      const ms = graceMsOf(text);
      if (ms === undefined) context.addIssue(graceProblem);
      return ms ?? 0;
    }),
  TENANTRY_ENABLE_ACCOUNT_PROVISIONING: z.enum(['true', 'false'], 'must be true or false').default('false'),
  TENANTRY_HEALTH_EVERY: z
    .string()
    .regex(/^(off|[1-9]\d{0,3}[smh])$/, 'must be off, or a number of seconds, minutes or hours: 30s, 1m, 1h')
    .default('1m'),
  TENANTRY_WEBHOOK_ALLOW_LOOPBACK: z.enum(['true', 'false'], 'must be true or false').default('false'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});
const environment = variables.superRefine(checkAccess);

/** Source: the AWS SDKs' reference guide, "Standardized credential providers". */
const credentialVariables = [
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_CONFIG_FILE',
];

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads and checks the environment. @throws ConfigError with all problems together. */
export function loadConfig(role: Role, env: Environment = process.env): Config {
  const problems: string[] = [];
  const parsed = environment.safeParse(withoutEmpty(env));
  if (!parsed.success) problems.push(...parsed.error.issues.map((i) => `${i.path.join('.')} ${i.message}`));
  const platform = attempt(problems, () => platformOf(env.PLATFORM_CONFIG));
  const temporal = attempt(problems, () => temporalOf(env));
  const telemetry = attempt(problems, () => telemetryConfigOf(env));
  const payloadKeys = attempt(problems, () => payloadKeysOf(env.TENANTRY_PAYLOAD_KEY ?? ''));
  const tenantDatabaseUrls =
    role === 'api' ? {} : attempt(problems, () => tenantDatabaseUrlsOf(platform ?? undefined, env, problems));
  if (
    problems.length > 0 ||
    !parsed.success ||
    !platform ||
    !temporal ||
    !telemetry ||
    !payloadKeys ||
    !tenantDatabaseUrls
  ) {
    throw new ConfigError(problems);
  }
  const given = parsed.data;
  return {
    databaseUrl: given.DATABASE_URL,
    tenantDatabaseUrls,
    temporal,
    platform,
    catalogFile: catalogFileOf(env),
    payloadKeys,
    awsEndpointUrl: given.AWS_ENDPOINT_URL,
    awsCredentialsNamed: credentialVariables.some((name) => (env[name] ?? '') !== ''),
    apiHost: given.TENANTRY_API_HOST,
    apiPort: given.TENANTRY_API_PORT,
    drainDelayMs: Number.parseInt(given.TENANTRY_DRAIN_DELAY, 10) * 1_000,
    ...accessOf(given),
    ...limitsConfigOf(given),
    temporalUiOrigin: given.TENANTRY_TEMPORAL_UI_URL && new URL(given.TENANTRY_TEMPORAL_UI_URL).origin,
    workerHealthPort: given.TENANTRY_WORKER_HEALTH_PORT,
    sweepIntervalMs: intervalMsOf(given.TENANTRY_SWEEP_INTERVAL),
    driftIntervalMs: intervalMsOf(given.TENANTRY_DRIFT_EVERY),
    driftRepair: given.TENANTRY_DRIFT_REPAIR,
    deletionGraceMs: given.TENANTRY_DELETION_GRACE,
    switchedOff:
      given.TENANTRY_ENABLE_ACCOUNT_PROVISIONING === 'true' ? {} : { accounts: 'TENANTRY_ENABLE_ACCOUNT_PROVISIONING' },
    healthEveryMs: intervalMsOf(given.TENANTRY_HEALTH_EVERY),
    webhookAllowLoopback: given.TENANTRY_WEBHOOK_ALLOW_LOOPBACK === 'true',
    telemetry,
    logLevel: given.LOG_LEVEL,
  };
}

/** The file that names an installation's products: `TENANTRY_CONFIG`, else `tenantry.config.ts` of the current folder, when there is one. */
export function catalogFileOf({ TENANTRY_CONFIG }: Environment): string | undefined {
  if (TENANTRY_CONFIG !== undefined && TENANTRY_CONFIG !== '') return TENANTRY_CONFIG;
  return ['tenantry.config.ts', 'tenantry.config.js', 'tenantry.config.mjs'].find((file) => existsSync(file));
}

/** `DATABASE_URL` alone, for `migrate`. @throws ConfigError */
export function loadDatabaseUrl(env: Environment = process.env): string {
  const parsed = postgresUrl.safeParse(env.DATABASE_URL === '' ? undefined : env.DATABASE_URL);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map((i) => `DATABASE_URL ${i.message}`));
  return parsed.data;
}

/** `LOG_LEVEL` alone, for processes that have no other settings. @throws ConfigError */
export function loadLogLevel(env: Environment = process.env): string {
  const parsed = variables.shape.LOG_LEVEL.safeParse(env.LOG_LEVEL === '' ? undefined : env.LOG_LEVEL);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map((i) => `LOG_LEVEL ${i.message}`));
  return parsed.data;
}

/** `TENANTRY_PAYLOAD_KEY` alone. @throws ConfigError */
export function loadPayloadKeys(env: Environment = process.env): Buffer[] {
  const problems: string[] = [];
  const keys = attempt(problems, () => payloadKeysOf(env.TENANTRY_PAYLOAD_KEY ?? ''));
  if (keys) return keys;
  throw new ConfigError(problems.length > 0 ? problems : ['TENANTRY_PAYLOAD_KEY is not set']);
}

/** `TEMPORAL_*` alone. @throws ConfigError */
export function loadTemporal(env: Environment = process.env): TemporalConnectConfig {
  const problems: string[] = [];
  const temporal = attempt(problems, () => temporalOf(env));
  if (temporal) return temporal;
  throw new ConfigError(problems);
}

/** `PLATFORM_CONFIG` alone. @throws ConfigError */
export function loadPlatform(env: Environment = process.env): Platform {
  const problems: string[] = [];
  const platform = attempt(problems, () => platformOf(env.PLATFORM_CONFIG));
  if (platform) return platform;
  throw new ConfigError(
    problems.length > 0 ? problems : ['PLATFORM_CONFIG is not set: give the path of the platform description (JSON)'],
  );
}

/** Where the CLI's tenant commands send their requests. @throws ConfigError */
export function loadApiUrl(env: Environment = process.env): string {
  const parsed = url
    .default('http://127.0.0.1:3006')
    .safeParse(env.TENANTRY_API_URL === '' ? undefined : env.TENANTRY_API_URL);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map((i) => `TENANTRY_API_URL ${i.message}`));
  const { username, password, search, hash } = new URL(parsed.data);
  if (username || password || search || hash)
    throw new ConfigError(['TENANTRY_API_URL must have no user name, password, query or fragment']);
  return parsed.data.replace(/\/+$/, '');
}

/** What the CLI shows the API of its caller: `TENANTRY_API_TOKEN`, or nothing. @throws ConfigError */
export function loadApiToken(env: Environment = process.env): string | undefined {
  const given = apiTokenOf(env);
  if (given && 'problem' in given) throw new ConfigError([given.problem]);
  return given?.token;
}

/** How `tenantry login` signs in. @throws ConfigError */
export function loadSignIn(env: Environment = process.env): SignInConfig {
  const config = signInConfigOf(env);
  if (!('issuer' in config)) throw new ConfigError(config);
  return config;
}

/** Where the CLI keeps sign-ins; undefined: the user has no home. */
export function loadStateDirectory(env: Environment = process.env): string | undefined {
  return stateDirectoryOf(env);
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function intervalMsOf(text: string): number | undefined {
  const unit = unitMs[text.slice(-1)];
  return text === 'off' || unit === undefined ? undefined : Number(text.slice(0, -1)) * unit;
}

function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}

function attempt<T>(problems: string[], read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof PlatformConfigError) problems.push(...error.problems.map((p) => `PLATFORM_CONFIG ${p}`));
    else if (error instanceof TelemetryConfigError) problems.push(...error.problems);
    else problems.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

function platformOf(file: string | undefined): Platform | undefined {
  return file === undefined || file === '' ? undefined : readPlatform(file);
}

function temporalOf(env: Environment): TemporalConnectConfig {
  try {
    return loadClientConnectConfig({ overrideEnvVars: withoutUndefined(env) });
  } catch (cause) {
    throw new Error(`TEMPORAL_* ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function withoutUndefined(env: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([k, v]) => (v === undefined || v === '' ? [] : [[k, v]])));
}

function payloadKeysOf(text: string): Buffer[] | undefined {
  if (text === '') return undefined; // reported by the schema already
  const keys = text.split(',').map((k) => Buffer.from(k.trim(), 'base64'));
  if (keys.some((k) => k.length !== 32)) {
    throw new Error('TENANTRY_PAYLOAD_KEY must be 32 bytes in base64 (several, separated by commas, to rotate)');
  }
  return keys;
}

/** One database: `TENANT_DATABASE_URL` (by default `DATABASE_URL`); further ones: `TENANT_DATABASE_URL_<ID>`. */
function tenantDatabaseUrlsOf(
  platform: Platform | undefined,
  env: Environment,
  problems: string[],
): Record<string, string> {
  const ids = [...new Set(platform?.cells.flatMap((c) => c.tenantDatabases.map((d) => d.id)) ?? [])];
  const urls: Record<string, string> = {};
  for (const id of ids) {
    const name = `TENANT_DATABASE_URL_${id.toUpperCase().replaceAll('-', '_')}`;
    const value = env[name] || (ids.length === 1 ? env.TENANT_DATABASE_URL || env.DATABASE_URL : undefined);
    if (value === undefined || value === '') {
      problems.push(`${name} is not set: the platform has ${ids.length} tenant databases`);
      continue;
    }
    // The common ones are in the schema of the environment.
    const parsed = postgresUrl.safeParse(value);
    if (!parsed.success && value === env[name]) problems.push(`${name} ${parsed.error.issues[0]?.message ?? ''}`);
    urls[id] = value;
  }
  return urls;
}
