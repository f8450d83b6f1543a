import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type Gateway } from '../../sandbox/gateway/gateway.ts';
import { createCellAws, type CellAws } from '../../src/aws/cell-aws.ts';
import { freshAccountId, part } from '../support/parts.ts';
import { exampleCell } from '../support/platform.ts';

const from = 'welcome@moamalat-pro.com';
let gateway: Gateway;
let aws: CellAws;

beforeAll(async () => {
  gateway = await startGateway({ upstreamUrl: (await part('ministack')).url });
  const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
  const ses = new SESv2Client({ endpoint: gateway.url, region: 'us-east-1', credentials });
  await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: from }));
  ses.destroy();
  aws = createCellAws(exampleCell(), { endpointUrl: gateway.url, credentials });
});
afterAll(async () => {
  aws.destroy();
  await gateway.close();
});

describe('mail', () => {
  it('sends both bodies and answers the message id', async () => {
    const to = `${crypto.randomUUID()}@example.com`;
    const body = { subject: 'Welcome, Ünal', text: 'Your address: https://acme', html: '<p>https://acme</p>' };
    const messageId = await aws.mail.send({ from, to, ...body, idempotencyKey: 'mail-1' });
    expect(messageId).not.toBe('');
    const sent = (await gateway.mails()).filter((mail) => JSON.stringify(mail).includes(to));
    expect(sent).toHaveLength(1);
    const seen = JSON.stringify(sent);
    for (const text of ['Welcome, Ünal', 'Your address: https://acme', '<p>https://acme</p>'])
      expect(seen).toContain(text);
  });
});
