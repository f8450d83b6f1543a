import { randomBytes } from 'node:crypto';
import { CreateQueueCommand, GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inCallContext, type CallContext } from '../../src/aws/call-context.ts';
import { createCellAws, type CellAws } from '../../src/aws/cell-aws.ts';
import { isAwsError } from '../../src/aws/errors.ts';
import { StepError } from '../../src/contracts/step-error.ts';
import { freshAccountId, part } from '../support/parts.ts';
import { exampleCell } from '../support/platform.ts';

let aws: CellAws;
beforeAll(async () => {
  const { url } = await part('ministack');
  const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
  aws = createCellAws(exampleCell(), { endpointUrl: url, credentials });
});
afterAll(() => aws.destroy());

const sqs = () => aws.client(SQSClient, { useQueueUrlAsEndpoint: false });
const newName = () => `q-${randomBytes(4).toString('hex')}`;

function contextOf(parts: Partial<CallContext>): CallContext {
  return { beforeMutation: () => Promise.resolve(), signal: new AbortController().signal, ...parts };
}

describe('a client of a service that has no adapter', () => {
  it('is made once, for the region and the endpoint of the cell', async () => {
    expect(sqs()).toBe(sqs());
    expect(await sqs().config.region()).toBe('us-east-1');
    const QueueName = newName();
    await sqs().send(new CreateQueueCommand({ QueueName }));
    expect((await sqs().send(new GetQueueUrlCommand({ QueueName }))).QueueUrl).toContain(QueueName);
  });

  it('asks whether the step is being taken back before it changes anything, not before it looks', async () => {
    const QueueName = newName();
    const revoked = new StepError('STEP_REVOKED', 'the step is being taken back');
    const context = contextOf({ beforeMutation: () => Promise.reject(revoked) });
    const create = inCallContext(context, () => sqs().send(new CreateQueueCommand({ QueueName })));
    await expect(create).rejects.toBe(revoked);
    const look = inCallContext(context, () => sqs().send(new GetQueueUrlCommand({ QueueName })));
    await expect(look).rejects.toSatisfy((error) => isAwsError(error, 'QueueDoesNotExist'));
  });

  it('asks as a kind declares its actions, in whichever of its places', async () => {
    const revoked = new StepError('STEP_REVOKED', 'the step is being taken back');
    const context = contextOf({ beforeMutation: () => Promise.reject(revoked) });
    const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
    const own = createCellAws(exampleCell(), { endpointUrl: (await part('ministack')).url, credentials });
    const QueueName = newName();
    try {
      const look = () => own.client(SQSClient).send(new GetQueueUrlCommand({ QueueName }));
      const make = () => own.client(SQSClient).send(new CreateQueueCommand({ QueueName }));
      own.client(SQSClient, { useQueueUrlAsEndpoint: false, changes: ['GetQueueUrl'] });
      await expect(inCallContext(context, look)).rejects.toBe(revoked);
      await expect(inCallContext(context, make)).rejects.toBe(revoked);
      own.client(SQSClient, { reads: ['CreateQueue', 'GetQueueUrl'] });
      await expect(inCallContext(context, look)).rejects.toBe(revoked);
      await expect(inCallContext(context, make)).resolves.toMatchObject({ QueueUrl: expect.any(String) as string });
    } finally {
      own.destroy();
    }
  });

  it('fails with a StepError that tells the service, the call and what AWS said', async () => {
    const look = sqs().send(new GetQueueUrlCommand({ QueueName: newName() }));
    await expect(look).rejects.toBeInstanceOf(StepError);
    await expect(look).rejects.toMatchObject({ message: expect.stringMatching(/^sqs:GetQueueUrl failed: /) as string });
  });

  it('sends nothing once its attempt has ended', async () => {
    const reason = new Error('the attempt has ended');
    const context = contextOf({ signal: AbortSignal.abort(reason) });
    const QueueName = newName();
    await expect(inCallContext(context, () => sqs().send(new CreateQueueCommand({ QueueName })))).rejects.toThrow();
    await expect(sqs().send(new GetQueueUrlCommand({ QueueName }))).rejects.toThrow('GetQueueUrl failed');
  });
});
