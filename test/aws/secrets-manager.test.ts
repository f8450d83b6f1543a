import { randomBytes, randomUUID } from 'node:crypto';
import { CreateSecretCommand, DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCellAws, type CellAws } from '../../src/aws/cell-aws.ts';
import { ownershipTags } from '../../src/naming.ts';
import { freshAccountId, part } from '../support/parts.ts';
import { exampleCell } from '../support/platform.ts';

let aws: CellAws;
let others: SecretsManagerClient;

beforeAll(async () => {
  const { url } = await part('ministack');
  const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
  aws = createCellAws(exampleCell(), { endpointUrl: url, credentials });
  others = new SecretsManagerClient({ endpoint: url, region: 'us-east-1', credentials });
});
afterAll(() => {
  aws.destroy();
  others.destroy();
});

function secret() {
  const name = `tenantry/test/${randomUUID()}`;
  const tags = ownershipTags({
    installationId: randomUUID(),
    tenantId: randomUUID(),
    product: 'moamalat',
    operationId: randomUUID(),
    stepId: 'create_schema',
  });
  const request = (value: string) => ({ name, value, tags, token: randomBytes(16).toString('hex') });
  return { name, tags, request };
}

describe('secrets', () => {
  it('makes a secret once and keeps its first value', async () => {
    const { name, request } = secret();
    const made = await aws.secrets.ensureSecret(request('first'));
    expect(made.created).toBe(true);
    expect(await aws.secrets.ensureSecret(request('second'))).toEqual({ arn: made.arn, created: false });
    expect(await aws.secrets.readSecret(name)).toBe('first');
    expect(await aws.secrets.readSecret(made.arn)).toBe('first');
  });

  it("schedules its deletion, tells when, and restores the tenant's own with its value", async () => {
    const { name, tags, request } = secret();
    const { arn } = await aws.secrets.ensureSecret(request('first'));
    const scheduled = await aws.secrets.scheduleDeletion(name, { recoveryDays: 7, tags });
    expect(scheduled?.arn).toBe(arn);
    const days = ((scheduled?.deletionDate.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThan(7.1);
    expect(await aws.secrets.scheduleDeletion(name, { recoveryDays: 7, tags })).toEqual(scheduled);
    await expect(aws.secrets.readSecret(name)).rejects.toMatchObject({ code: 'CONFLICT_RETRYABLE' });
    expect(await aws.secrets.ensureSecret(request('second'))).toEqual({ arn, created: false });
    expect(await aws.secrets.readSecret(name)).toBe('first');
  });

  it('takes a missing one for deleted', async () => {
    const { name, tags } = secret();
    expect(await aws.secrets.findSecret(name)).toBeUndefined();
    expect(await aws.secrets.scheduleDeletion(name, { recoveryDays: 7, tags })).toBeUndefined();
  });

  it("refuses somebody else's secret and leaves it untouched", async () => {
    const { name, tags, request } = secret();
    await others.send(new CreateSecretCommand({ Name: name, SecretString: 'theirs' }));
    await expect(aws.secrets.ensureSecret(request('ours'))).rejects.toMatchObject({ code: 'OWNERSHIP_CONFLICT' });
    expect(await aws.secrets.scheduleDeletion(name, { recoveryDays: 7, tags })).toBeUndefined();
    const theirs = await others.send(new DescribeSecretCommand({ SecretId: name }));
    expect(theirs.DeletedDate).toBeUndefined();
  });

  it("refuses another tenant's secret of the same installation", async () => {
    const { request } = secret();
    await aws.secrets.ensureSecret(request('first'));
    const intruder = { ...request('x'), tags: { ...request('x').tags, 'tenantry:tenant-id': randomUUID() } };
    await expect(aws.secrets.ensureSecret(intruder)).rejects.toMatchObject({ code: 'OWNERSHIP_CONFLICT' });
  });
});
