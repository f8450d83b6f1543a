import { z } from 'zod';
import type { Stage } from './pipeline.ts';
import type { Upstream } from './upstream.ts';

/** A mail that was sent through SES. */
export interface Mail {
  readonly messageId: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string | undefined;
}

const stored = z.object({
  messages: z.record(
    z.string(),
    z.array(
      z.looseObject({
        MessageId: z.string(),
        Source: z.string(),
        To: z.array(z.string()),
        Subject: z.string(),
        BodyText: z.string().nullish(),
        BodyHtml: z.string().nullish(),
      }),
    ),
  ),
});

const sendInput = z.looseObject({
  FromEmailAddress: z.string().default(''),
  Destination: z.looseObject({ ToAddresses: z.array(z.string()).default([]) }).optional(),
  Content: z.looseObject({
    Simple: z
      .looseObject({
        Subject: z.looseObject({ Data: z.string() }),
        Body: z.looseObject({
          Text: z.looseObject({ Data: z.string() }).optional(),
          Html: z.looseObject({ Data: z.string() }).optional(),
        }),
      })
      .optional(),
  }),
});

/** Mails as the upstream keeps them (MiniStack does), or else as they were seen passing through. */
export class Mailbox {
  readonly #upstream: Upstream;
  readonly #seen: Mail[] = [];

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  async mails(): Promise<Mail[]> {
    const answer = await fetch(new URL('/_ministack/ses/messages', this.#upstream.url)).catch(() => undefined);
    const body: unknown = answer?.ok ? await answer.json().catch(() => undefined) : undefined;
    const parsed = stored.safeParse(body);
    if (!parsed.success) return [...this.#seen];
    // An emulator may be shared: other accounts' mails are none of ours.
    const accounts = new Set(this.#upstream.scopes().map((scope) => scope.accountId));
    return Object.entries(parsed.data.messages)
      .flatMap(([account, messages]) => (accounts.has(account) ? messages : []))
      .map((m) => ({
        messageId: m.MessageId,
        from: m.Source,
        to: m.To,
        subject: m.Subject,
        text: m.BodyText ?? '',
        html: m.BodyHtml ?? undefined,
      }));
  }

  readonly stage: Stage = async (call, next) => {
    const answer = await next();
    if (call.service === 'ses' && call.action === 'SendEmail' && answer.status < 300)
      this.#record(call.body, answer.body);
    return answer;
  };

  #record(request: Buffer, answer: Buffer): void {
    const input = sendInput.safeParse(JSON.parse(request.toString('utf8')));
    const output = z.looseObject({ MessageId: z.string() }).safeParse(JSON.parse(answer.toString('utf8')));
    if (!input.success || !output.success) return;
    const { FromEmailAddress: from, Destination, Content } = input.data;
    this.#seen.push({
      messageId: output.data.MessageId,
      from,
      to: Destination?.ToAddresses ?? [],
      subject: Content.Simple?.Subject.Data ?? '',
      text: Content.Simple?.Body.Text?.Data ?? '',
      html: Content.Simple?.Body.Html?.Data,
    });
  }
}
