import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { forgeryIn, sign } from '../../src/certificates/signature.ts';
import { signingKey } from '../../src/certificates/signing-keys.ts';
import { registerPayloadKeys } from '../../src/cli/payload-keys.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { listPublicKeys } from '../../src/db/certificates.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { EncryptionCodec, keyId } from '../../src/temporal/codec.ts';
import { createTemporalClient } from '../../src/temporal/client.ts';
import { seal } from '../../src/temporal/sealed.ts';
import { readSecrets } from '../../src/webhooks/secrets.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openNamespaces, type Namespaces } from '../support/namespaces.ts';

const [older, newer] = [randomBytes(32), randomBytes(32)];
const [olderId, newerId] = [older, newer].map(keyId);
const webhookId = '0b54f8a2-5b8a-4b7b-9d57-0a36a3a0e0a1';
let namespaces: Namespaces;
let test: TestDatabase;
let db: Database;
let kidBefore: string;

beforeAll(async () => {
  [namespaces, test] = await Promise.all([openNamespaces(older), createTestDatabase()]);
  db = createDatabase({ url: test.controlUrl });
  await migrate(test.controlUrl);
  const codec = new EncryptionCodec([older]);
  ({ kid: kidBefore } = await signingKey(db, codec));
  await db.query(
    `insert into webhooks (id, url, origin, description, product, tenant_id, event_types, created_by)
     values ($1, 'https://a.example/', 'https://a.example', '', null, null, '{}', '{"principal":"a"}')`,
    [webhookId],
  );
  await db.query('insert into webhook_secrets (webhook_id, sealed) values ($1, $2)', [
    webhookId,
    await seal(codec, { webhookId, secret: 'whsec_aaaa' }),
  ]);
  await namespaces.own.client.workflow.start('Waits', {
    workflowId: 'of-older',
    taskQueue: 'nobody',
    args: ['secret'],
  });
});
afterAll(async () => {
  await Promise.all([namespaces.close(), db.close()]);
  await test.drop();
});

beforeEach(() => {
  vi.stubEnv('TEMPORAL_ADDRESS', namespaces.address);
  vi.stubEnv('TEMPORAL_NAMESPACE', namespaces.own.namespace);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

interface Listed {
  readonly key: string;
  readonly place: number | null;
  readonly needed: string;
  readonly stored: readonly { what: string; count: number }[];
  readonly runs: { open: number; closed: number };
}

/** With these keys, the first of which encrypts. */
async function run(keys: readonly Buffer[], ...args: string[]) {
  vi.stubEnv('TENANTRY_PAYLOAD_KEY', keys.map((key) => key.toString('base64')).join(','));
  const said: string[] = [];
  const printed = (text: unknown) => void said.push(String(text));
  vi.spyOn(console, 'log').mockImplementation(printed);
  vi.spyOn(console, 'error').mockImplementation(printed);
  const database = { ...db, close: async () => undefined };
  const program = buildProgram({ registrars: [(to) => registerPayloadKeys(to, async () => database)] });
  await program.parseAsync(args, { from: 'user' });
  return { code: process.exitCode ?? 0, said: said.join('\n') };
}
async function listed(keys: readonly Buffer[]) {
  const { code, said } = await run(keys, 'payload-keys', 'list', '--json');
  return { code, keys: (JSON.parse(said) as { keys: Listed[] }).keys };
}

it('a payload key is needed while anything lasts or goes on under it, and can go after that', async () => {
  await expect.poll(async () => (await listed([older])).keys[0]?.runs.open).toBe(1);
  const before = await listed([newer, older]);
  expect(before.keys).toMatchObject([
    { key: newerId, place: 1, needed: 'open', stored: [] },
    {
      key: olderId,
      place: 2,
      needed: 'open',
      stored: [
        { what: 'webhook secret', count: 1 },
        { what: 'signing key', count: 1 },
      ],
    },
  ]);
  expect(await listed([newer])).toMatchObject({ code: 1, keys: [{}, { key: olderId, place: null, needed: 'open' }] });

  expect(await run([newer, older], 'payload-keys', 'reseal')).toMatchObject({ code: 0 });
  const codec = new EncryptionCodec([newer]);
  expect(await readSecrets(db, codec, webhookId)).toEqual(['whsec_aaaa']);
  expect((await signingKey(db, codec)).kid).toBe(kidBefore);
  expect((await listed([newer, older])).keys[1]).toMatchObject({ needed: 'open', stored: [], runs: { open: 1 } });

  await namespaces.own.client.workflow.getHandle('of-older').terminate('over');
  await expect
    .poll(async () => (await listed([newer, older])).keys[1])
    .toMatchObject({ needed: 'readable', runs: { open: 0, closed: 1 } });
  expect((await listed([newer])).code).toBe(0);
});

it('nothing is stored anew while a key that it needs is not there', async () => {
  await expect(signingKey(db, new EncryptionCodec([older]))).rejects.toThrow(`encrypted with key ${newerId}`);
  expect(await run([older], 'payload-keys', 'reseal')).toMatchObject({ code: 1 });
  expect((await signingKey(db, new EncryptionCodec([newer]))).kid).toBe(kidBefore);
});

it('another key signs from now on, and what was signed before is verified as before', async () => {
  const codec = new EncryptionCodec([newer]);
  const content = { of: 'before' };
  const jws = await sign(content, await signingKey(db, codec));
  expect(await run([newer], 'signing-key', 'rotate', '--reason', 'yearly')).toMatchObject({ code: 0 });
  const { kid } = await signingKey(db, codec);
  expect(kid).not.toBe(kidBefore);
  const keys = { keys: await listPublicKeys(db) };
  expect(keys.keys.map((key) => key.kid)).toEqual([kid, kidBefore]);
  expect(await forgeryIn({ certificate: content, jws }, keys)).toBeUndefined();
  const { rows } = await db.query('select length(private_jwk) as bytes from signing_keys where kid = $1', [kidBefore]);
  expect(rows).toEqual([{ bytes: 0 }]);
});

it('a run of the newer key counts for that', async () => {
  const connect = { connectionOptions: { address: namespaces.address }, namespace: namespaces.own.namespace };
  const both = createTemporalClient(connect, { payloadKeys: [newer, older] });
  await both.client.workflow.start('Waits', { workflowId: 'of-newer', taskQueue: 'nobody', args: ['secret'] });
  await both.close();
  await expect.poll(async () => (await listed([newer])).keys[0]?.runs.open).toBe(1);
});
