import { isOpen } from '../../../src/contracts/operation-state.ts';
import { testCaller } from '../../support/caller.ts';
import { shapeOf, withoutResidue } from './judgement.ts';
import { outcomeAfter, prepare, startChange } from './changes.ts';
import { lastLook, type ChangePhase, type StepLook } from './points.ts';
import { statementPoints, type StatementPoint } from './statement-points.ts';
import type { MatrixWorld, Tenant } from './world.ts';

/** What tenants do and are when nothing goes wrong. */
export interface Calm {
  readonly points: readonly StatementPoint[];
  readonly shape: readonly string[];
  /** After each change. */
  readonly changed: ReadonlyMap<ChangePhase, readonly string[]>;
  readonly lastLook: StepLook;
}

const TENANTS = 3;

/** Watches calm tenants being made, undone, changed and deprovisioned: every statement that all of them made is a fault point. */
export async function watchCalm(world: MatrixWorld, product: string, changes: readonly ChangePhase[]): Promise<Calm> {
  const lived = await Promise.all(Array.from({ length: TENANTS }, () => live(world, product)));
  const [first] = lived;
  if (!first) throw new Error('no calm tenant lived');
  const look = lastLook(callsOf(world, first.born));
  const undone = await Promise.all(Array.from({ length: TENANTS }, () => undo(world, product, look)));
  const changed = await Promise.all(
    changes.map(async (phase) => {
      const runs = await Promise.all(Array.from({ length: TENANTS }, () => change(world, product, phase)));
      return { phase, runs };
    }),
  );
  return {
    lastLook: look,
    shape: first.shape,
    changed: new Map(changed.map(({ phase, runs }) => [phase, runs[0]?.shape ?? []])),
    points: [
      ...statementPoints(
        'provision',
        lived.map(({ born, from, until }) => told(world, born, from, until)),
      ),
      ...statementPoints(
        'rollback',
        undone.map(({ tenant, from, until }) => told(world, tenant, from, until)),
      ),
      ...statementPoints(
        'deprovision',
        lived.map(({ buried, until, end }) => told(world, buried, until, end)),
      ),
      ...changed.flatMap(({ phase, runs }) =>
        statementPoints(
          phase,
          runs.map(({ tenant, from, until }) => told(world, tenant, from, until)),
        ),
      ),
    ],
  };
}

async function live(world: MatrixWorld, product: string) {
  const from = lastStatement(world);
  const born = await world.born(product, () => undefined);
  await expectOutcome(world, born, 'active');
  const until = lastStatement(world);
  const shape = shapeOf(await world.itemsOf(born), born);
  const buried = await world.buried(born, () => undefined);
  await expectOutcome(world, buried, 'deleted');
  return { born, buried, shape, from, until, end: lastStatement(world) };
}

async function change(world: MatrixWorld, product: string, phase: ChangePhase) {
  const born = await world.born(product, () => undefined);
  await expectOutcome(world, born, 'active');
  await prepare(world, phase, born);
  const from = lastStatement(world);
  const tenant = await startChange(world, phase, born, () => undefined);
  await expectOutcome(world, tenant, outcomeAfter(phase));
  const until = lastStatement(world);
  const shape = shapeOf(withoutResidue(await world.itemsOf(tenant)), tenant);
  await expectOutcome(world, await world.buried(tenant, () => undefined), 'deleted');
  return { tenant, shape, from, until };
}

/** A provisioning whose last look is refused for good; what comes after that is its undo. */
async function undo(world: MatrixWorld, product: string, look: StepLook) {
  let refusal = '';
  const tenant = await world.born(product, (target) => (refusal = world.refuse(look, target)));
  const isOver = async () => {
    const { operation } = await world.client.status(testCaller, tenant.tenantId);
    return !isOpen(operation.state);
  };
  await world.struck(refusal, isOver);
  const from = lastStatement(world);
  await expectOutcome(world, tenant, 'ACCESS_DENIED');
  world.gateway.removeRule(refusal);
  return { tenant, from, until: lastStatement(world) };
}

async function expectOutcome(world: MatrixWorld, tenant: Tenant, expected: string): Promise<void> {
  const outcome = await world.outcome(tenant);
  if (outcome !== expected) throw new Error(`in calm weather a tenant ended as ${outcome}, not ${expected}`);
}

/** Of an operation; probes and shared looks name nobody else. */
function callsOf(world: MatrixWorld, { target }: Tenant) {
  return world.gateway.calls().filter((call) => call.caller.operationId === target.operationId);
}

function told(world: MatrixWorld, { target }: Tenant, after: number, until: number) {
  const statements = world.proxy.statements().filter(({ seq }) => seq > after && seq <= until);
  return { statements, identity: target };
}

function lastStatement(world: MatrixWorld): number {
  return world.proxy.statements().at(-1)?.seq ?? 0;
}
