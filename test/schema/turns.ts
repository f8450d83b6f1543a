import { setTimeout as sleep } from 'node:timers/promises';
import { operationTable, type OperationType } from '../../src/contracts/operation-table.ts';
import type { ApiFixture } from '../api/api-fixture.ts';

/** What becomes of operations, in turn: most succeed, some stop, some stay open. */
const ends = ['succeeded', 'succeeded', 'stuck', 'succeeded', 'open'] as const;

interface Accepted {
  readonly id: string;
  readonly tenant_id: string;
  readonly type: OperationType;
  readonly workflow_id: string;
  readonly product: string;
}

/** Plays the worker: carries accepted operations to an end in the database, so that tenants of every status are there to ask for. */
export function startTurns(api: ApiFixture): { stop(): Promise<void> } {
  let stopped = false;
  let count = 0;
  const run = async () => {
    while (!stopped) {
      const { rows } = await api.database.query<Accepted>(
        `select o.id, o.tenant_id, o.type, o.workflow_id, t.product from operations o join tenants t on t.id = o.tenant_id
         where o.state = 'accepted' order by o.accepted_at limit 20`,
      );
      for (const operation of rows) await carryOut(api, operation, endOf(operation, (count += 1)));
      api.orchestrator.workers = [{ identity: 'worker-1', lastAccessAt: new Date() }];
      await sleep(100);
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}

/** The creation of an account is answered once it has ended. */
function endOf({ product }: Accepted, count: number): (typeof ends)[number] {
  return product === 'accounts' ? 'succeeded' : (ends[count % ends.length] ?? 'open');
}

async function carryOut(api: ApiFixture, operation: Accepted, end: (typeof ends)[number]): Promise<void> {
  const { tenantStatus } = operationTable[operation.type];
  if (!(await api.orchestrator.claim(operation.id)) || end === 'open') return;
  const way = operation.type === 'provision' ? (['creating'] as const) : [];
  if (end === 'stuck') {
    await api.move(
      operation.tenant_id,
      ['stuck'],
      tenantStatus.stuck === tenantStatus.claimed ? [] : [tenantStatus.stuck],
    );
    return;
  }
  await api.move(operation.tenant_id, ['committing', 'succeeded'], [...way, tenantStatus.succeeded]);
  api.orchestrator.end(operation.workflow_id);
}
