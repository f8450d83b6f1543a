import { currentCallContext } from '../src/aws/call-context.ts';
import type { CellAws, CellAwsOptions } from '../src/aws/cell-aws.ts';
import { createClients } from '../src/aws/clients.ts';
import { createEcs } from '../src/aws/ecs.ts';
import { createLoadBalancing } from '../src/aws/elbv2.ts';
import { createPacing } from '../src/aws/pacing.ts';
import type { Cell } from '../src/contracts/platform.ts';

/**
 * The adapters of a cell, which look at ECS and load balancing anew for each step and verb: every call is one step's own, and a fault
 * in it no other's. The clients, and all else, are shared.
 */
export function looksPerStep(shared: CellAws, cell: Cell, options: CellAwsOptions): CellAws {
  const made = new Map<string, Pick<CellAws, 'ecs' | 'loadBalancing'>>();
  const clients = createClients(cell, options, createPacing({ factor: Infinity })(cell));
  const own = () => {
    const { operationId = '', stepId = '', verb = '' } = currentCallContext()?.caller ?? {};
    const key = [operationId, stepId, verb].join(' ');
    const looks = made.get(key) ?? {
      ecs: createEcs(clients.ecs, cell.cluster),
      loadBalancing: createLoadBalancing(clients.elbv2),
    };
    made.set(key, looks);
    return looks;
  };
  return Object.defineProperties(
    {
      ...shared,
      destroy: () => {
        clients.destroy();
        shared.destroy();
      },
    },
    { ecs: { get: () => own().ecs }, loadBalancing: { get: () => own().loadBalancing } },
  );
}
