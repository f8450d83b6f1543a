import { setTimeout as sleep } from 'node:timers/promises';
import type { Stand } from './stand.ts';

export interface Made {
  readonly slug: string;
  readonly workflowId: string;
  /** Epoch ms: the operation's own times. */
  readonly acceptedAtMs: number;
  readonly readyAtMs: number;
  /** When each step was ready, in epoch ms. */
  readonly stepReadyAtMs: Readonly<Record<string, number>>;
}

/** Creates tenants, all at once, and waits until each is active. @throws Error when one is not */
export async function makeTenants({ api }: Stand, slugs: readonly string[]): Promise<Made[]> {
  const accepted = await Promise.all(
    slugs.map((slug) =>
      api.create({
        product: 'moamalat',
        slug,
        displayName: `Bench ${slug}`,
        contactEmail: `admin@${slug}.example`,
      }),
    ),
  );
  return Promise.all(
    accepted.map(async ({ tenantId, operationId, workflowId }, n) => {
      for (;;) {
        const operation = await api.operation(tenantId, operationId);
        if (operation.state === 'succeeded' && operation.closedAt !== null) {
          const acceptedAtMs = Date.parse(operation.acceptedAt);
          const events = await api.events(tenantId, { after: 0, limit: 500 });
          const stepReadyAtMs = Object.fromEntries(
            events.flatMap(({ type, stepId, at }) =>
              type === 'step.ready' && stepId !== null ? [[stepId, Date.parse(at)]] : [],
            ),
          );
          const readyAtMs = Date.parse(operation.closedAt);
          return { slug: slugs[n]!, workflowId, acceptedAtMs, readyAtMs, stepReadyAtMs };
        }
        if (!['accepted', 'running', 'committing'].includes(operation.state))
          throw new Error(`tenant ${slugs[n]} is ${operation.state}: ${JSON.stringify(operation)}`);
        await sleep(1_000);
      }
    }),
  );
}
