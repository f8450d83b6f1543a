import { CreateClusterCommand, DescribeClustersCommand } from '@aws-sdk/client-ecs';
import { afterEach, describe, expect, it } from 'vitest';
import { startTurbulence, turbulenceReport } from '../../../sandbox/demo/turbulence.ts';
import type { CallRecord, Turbulence } from '../../../sandbox/gateway/gateway.ts';
import { newAccount, type Account } from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();
afterEach(() => {
  shared.gateway.setFaults({ turbulence: null });
});

/** An account whose calls say that a step of this operation makes them. */
function stepAccount(operationId: string, stepId: string): Account {
  const account = newAccount(shared.gateway);
  account.ecs.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers['user-agent'] = `tenantry-operation/${operationId} tenantry-step/${stepId} tenantry-verb/ensure`;
      return next(args);
    },
    { step: 'finalizeRequest', name: 'caller' },
  );
  return account;
}

/** The faults that befall some calls of two steps of an operation, by step, made in an order of our choice. */
async function faultsOf(turbulence: Turbulence, operationId: string, order: 'by turns' | 'one by one') {
  const { turbulence: set } = shared.gateway.setFaults({ turbulence });
  expect(set).toMatchObject({ seed: turbulence.seed, calls: 0 });
  const steps = ['create_dns', 'deploy_backend'].map((stepId) => ({
    stepId,
    account: stepAccount(operationId, stepId),
  }));
  const after = shared.gateway.calls().at(-1)?.seq ?? 0;
  const call = ({ account }: { account: Account }) =>
    account.ecs.send(new DescribeClustersCommand({})).catch(() => undefined);
  const rounds = Array.from({ length: 40 });
  if (order === 'by turns') for (const _ of rounds) for (const step of steps) await call(step);
  else for (const step of steps.toReversed()) for (const _ of rounds) await call(step);
  const calls = shared.gateway.calls(after);
  return steps.map(({ stepId }) => calls.filter((c) => c.caller.stepId === stepId).map((c) => c.fault?.type));
}

const noRates = { error: 0, cut: 0, throttle: 0, late: 0, slow: 0, stale: 0 };
const rates = { error: 0.2, cut: 0.1, throttle: 0.1, late: 0, slow: 0, stale: 0 };

describe('turbulence', () => {
  it('strikes the same calls for the same seed, whatever their order and the ids of operations', async () => {
    const first = await faultsOf({ seed: 7, rates }, 'op-a', 'by turns');
    const again = await faultsOf({ seed: 7, rates }, 'op-b', 'one by one');
    const other = await faultsOf({ seed: 8, rates }, 'op-c', 'by turns');
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(first[0]).not.toEqual(first[1]);
    const struck = first.flat().filter((type) => type !== undefined);
    expect(struck.length).toBeGreaterThan(16);
    expect(struck.length).toBeLessThan(50);
    expect(new Set(struck)).toEqual(new Set(['error', 'cut', 'throttle']));
  });

  it('counts what it struck', async () => {
    const faults = (await faultsOf({ seed: 3, rates }, 'op-a', 'one by one')).flat();
    const count = (type: string) => faults.filter((f) => f === type).length;
    expect(shared.gateway.faults().turbulence).toMatchObject({
      calls: 80,
      hits: { error: count('error'), cut: count('cut'), throttle: count('throttle'), late: 0 },
    });
  });

  it('reports call by call what it struck', async () => {
    await startTurbulence(shared.gateway.url, 3);
    expect(shared.gateway.faults().turbulence).toMatchObject({ seed: 3, calls: 0 });
    const from = shared.gateway.calls().at(-1)?.seq;
    shared.gateway.setFaults({ turbulence: { seed: 4, rates: { ...noRates, cut: 1 } } });
    const { ecs } = stepAccount('op-r', 'report_step');
    await ecs.send(new CreateClusterCommand({ clusterName: 'x' })).catch(() => undefined);
    const [{ effect }] = shared.gateway.calls(from) as [CallRecord];
    const report = await turbulenceReport(shared.gateway.url);
    expect(report).toContain('turbulence 4: 1 of 1 calls of steps were struck (cut 1)');
    expect(report).toMatch(
      new RegExp(`report_step +ensure +CreateCluster +cut; ${effect ? 'its effect happened' : 'it had no effect'}`),
    );
  });

  it('leaves callers alone that are no steps, unless asked', async () => {
    const account = newAccount(shared.gateway);
    const always = { error: 1 };
    shared.gateway.setFaults({ turbulence: { seed: 1, rates: always } });
    await account.ecs.send(new CreateClusterCommand({ clusterName: 'x' }));
    shared.gateway.setFaults({ turbulence: { seed: 1, rates: always, everyCaller: true } });
    await expect(account.ecs.send(new DescribeClustersCommand({}))).rejects.toThrow('ServerException');
    shared.gateway.setFaults({ turbulence: { seed: 1, rates: always, everyCaller: true, match: { kind: 'change' } } });
    await account.ecs.send(new DescribeClustersCommand({}));
  });

  it('strikes about one call in twenty by default', async () => {
    const { turbulence } = shared.gateway.setFaults({ turbulence: { seed: 1 } });
    const { stale, ...perCall } = turbulence!.rates;
    const ofReads = Object.values(perCall).reduce((sum, rate) => sum + rate, 0);
    expect(ofReads).toBeCloseTo(0.05);
    expect(stale).toBeGreaterThan(0);
    expect(stale).toBeLessThanOrEqual(0.2);
  });
});
