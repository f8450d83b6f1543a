import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { PlatformAws } from '../../src/aws/cell-aws.ts';
import { StepError } from '../../src/contracts/step-error.ts';
import { createIdentityWatch } from '../../src/worker/identity-watch.ts';
import { examplePlatform } from '../support/platform.ts';

it('alerts once when AWS has not known the worker for four rounds, and again only after it has', async () => {
  const alerts: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'error' },
    { write: (line: string) => void alerts.push(JSON.parse(line) as Record<string, unknown>) },
  );
  let isUp = false;
  const whoAmI = () =>
    isUp
      ? Promise.resolve({ accountId: '1', arn: 'a' })
      : Promise.reject(new StepError('CREDENTIALS_MISSING', 'sts:GetCallerIdentity was not sent'));
  const aws = (() => ({ identity: { whoAmI } })) as unknown as PlatformAws;
  const platform = examplePlatform();
  const round = createIdentityWatch({ platform, aws, log });
  const rounds = async (count: number) => {
    for (let i = 0; i < count; i += 1) await round();
  };
  const alert = { alert: 'aws-unusable', cell: 'default', code: 'CREDENTIALS_MISSING' };

  await rounds(3);
  expect(alerts).toEqual([]);
  await rounds(5);
  expect(alerts).toMatchObject([alert]);
  isUp = true;
  await rounds(1);
  isUp = false;
  await rounds(4);
  expect(alerts).toMatchObject([alert, alert]);
});
