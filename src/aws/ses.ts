import { SendEmailCommand, type SESv2Client } from '@aws-sdk/client-sesv2';
import { sent } from './errors.ts';

export interface MailMessage {
  readonly from: string;
  readonly to: string;
  readonly replyTo?: string | undefined;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Same for every attempt at one mail: goes into the header `X-Tenantry-Mail-Id`, so that doubles can be told (SES has no token). */
  readonly idempotencyKey: string;
}

export interface Mail {
  /** Sends one mail and answers SES's message id. @throws StepError */
  send(message: MailMessage): Promise<string>;
}

export function createMail(client: SESv2Client): Mail {
  return {
    async send(message) {
      const utf8 = (Data: string) => ({ Data, Charset: 'UTF-8' });
      const answer = await client.send(
        new SendEmailCommand({
          FromEmailAddress: message.from,
          Destination: { ToAddresses: [message.to] },
          ...(message.replyTo === undefined ? {} : { ReplyToAddresses: [message.replyTo] }),
          Content: {
            Simple: {
              Subject: utf8(message.subject),
              Body: { Text: utf8(message.text), Html: utf8(message.html) },
              Headers: [{ Name: 'X-Tenantry-Mail-Id', Value: message.idempotencyKey }],
            },
          },
        }),
      );
      return sent(answer.MessageId, { service: 'ses', action: 'SendEmail' }, 'MessageId');
    },
  };
}
