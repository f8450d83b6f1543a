import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  difference,
  renderDifference,
  withoutResidues,
  type InventoryItem,
} from '../../sandbox/inventory/inventory.ts';
import { products } from '../../src/products/index.ts';
import { watchCalm } from './matrix/calm.ts';
import { allCases } from './matrix/cases.ts';
import { live, type LifeOutcome } from './matrix/live.ts';
import { livesOf, type Life } from './matrix/lives.ts';
import { paced } from './matrix/pace.ts';
import { explain, recordInapplicable, recordLife } from './matrix/report.ts';
import { sampled } from './matrix/sample.ts';
import { startMatrixWorld, type MatrixWorld } from './matrix/world.ts';

/**
 * Every fault at every call that a provisioning, its undo and a deprovisioning make of AWS and PostgreSQL. `CHAOS_SHORT=1`
 * runs a sample that has every step and every fault in it; `CHAOS_SEED` repeats one; `CHAOS_ONLY` is part of a case's words.
 */
const seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const short = process.env['CHAOS_SHORT'] === '1';
const only = process.env['CHAOS_ONLY'];

let world: MatrixWorld;
let before: readonly InventoryItem[];
beforeAll(async () => {
  world = await startMatrixWorld();
  before = await world.everything();
});
afterAll(() => world.close());

describe.each(Object.values(products))('a tenant of $name', ({ name }) => {
  it('is wholly there, wholly gone or stuck with a true list, whatever call fails', async () => {
    const calm = await watchCalm(world, name);
    const templates = world.platform.cells.flatMap((cell) => Object.values(cell.templateServices[name] ?? {}));
    const list = allCases(calm.points, templates, seed);
    if (!short && only === undefined) recordInapplicable(name, list);
    const chosen = only === undefined ? list.cases : list.cases.filter((c) => c.id.includes(only));
    const lives = livesOf(name, short ? sampled(chosen, seed) : chosen);
    console.log(
      `seed ${seed}: ${calm.points.length} fault points, ${list.cases.length} cases, ${lives.length} lives to live`,
    );
    const failures: string[] = [];
    const startedAt = Date.now();
    await paced(world.gateway.calls, lives, async (life: Life) => {
      const context = { world, calmShape: calm.shape, lastLook: calm.lastLook };
      const first = await live(context, life);
      // A call that this tenant happened not to make (a wait that was over at once) is made by the next one.
      const outcome = hasOnlyMissed(first) ? await live(context, life) : first;
      recordLife(outcome);
      if (!isWell(outcome)) failures.push(await told(outcome));
    });
    console.log(
      `${lives.length} lives in ${Math.round((Date.now() - startedAt) / 1000)} s, ${failures.length} went wrong`,
    );
    expect(failures.map((failure) => failure.split('\n').slice(0, 6).join('\n'))).toEqual([]);
  }, 1_800_000);

  it('leaves nothing in the whole account and database but residues', async () => {
    await world.gateway.whenQuiet();
    const left = withoutResidues(difference(before, await world.everything()));
    expect(renderDifference(left)).toBe('');
  });
});

function hasOnlyMissed({ phases }: LifeOutcome): boolean {
  const problems = phases.flatMap((phase) => phase.problems);
  return problems.length > 0 && problems.every((problem) => problem.startsWith('the fault never struck'));
}

const isWell = ({ phases }: LifeOutcome) => phases.every(({ problems }) => problems.length === 0);

async function told(outcome: LifeOutcome): Promise<string> {
  const text = await explain(world, seed, outcome);
  console.error(text);
  return text;
}
