import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  difference,
  renderDifference,
  withoutResidues,
  type InventoryItem,
} from '../../sandbox/inventory/inventory.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { watchCalm } from './statements/calm.ts';
import { allCases } from './statements/cases.ts';
import { live, missedOf, type LifeContext, type LifeOutcome } from './statements/live.ts';
import { livesOf, livesOfMissed, type Life } from './statements/lives.ts';
import { paced } from './statements/pace.ts';
import { changePhases, phases, type ChangePhase } from './statements/points.ts';
import { explain, recordLife, recordMissed } from './statements/report.ts';
import { sampled } from './statements/sample.ts';
import { startMatrixWorld, type MatrixWorld } from './statements/world.ts';

/**
 * Every fault at every statement of PostgreSQL that a provisioning, its undo, each change and a deprovisioning make. `CHAOS_SHORT=1`
 * runs a sample that has every connection and every fault in it, of no change; `CHAOS_SEED` repeats one; `CHAOS_PHASES` names the only
 * phases; `CHAOS_ONLY` is part of a case's words; `CHAOS_LIFE` too, but the other cases of its life come with it.
 */
const seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const short = process.env['CHAOS_SHORT'] === '1';
const chosenPhases: readonly string[] = process.env['CHAOS_PHASES']?.split(',') ?? phases;
const only = process.env['CHAOS_ONLY'];
const ofLife = process.env['CHAOS_LIFE'];
/** How often a case is lived alone whose fault never struck in a life that it shared. */
const TRIES_ALONE = 3;

let world: MatrixWorld;
let before: readonly InventoryItem[];
beforeAll(async () => {
  world = await startMatrixWorld();
  before = await world.everything();
});
afterAll(() => world.close());

// The statements are the executor's and the ledger's: the product of most kinds shows them all.
describe.each([moamalat])('a tenant of $name', ({ name }) => {
  it('is wholly there, wholly gone or stuck with a true list, whatever statement fails', async () => {
    const calm = await watchCalm(world, name, watchedChanges());
    const cases = allCases(calm.points, seed).filter(({ point }) => chosenPhases.includes(point.phase));
    const chosen = only === undefined ? cases : cases.filter((c) => c.id.includes(only));
    const lives = livesOf(name, short ? sampled(chosen, seed) : chosen).filter(
      ({ up, down }) => ofLife === undefined || [...up, ...down].some(({ id }) => id.includes(ofLife)),
    );
    console.log(
      `seed ${seed}: ${calm.points.length} fault points, ${cases.length} cases, ${lives.length} lives to live`,
    );
    const startedAt = Date.now();
    const context = { world, calmShape: calm.shape, changedShapes: calm.changed, lastLook: calm.lastLook };
    const { failures, missed } = await liveAll(context, lives);
    console.log(
      `${lives.length} lives in ${Math.round((Date.now() - startedAt) / 1000)} s, ${failures.length} went wrong`,
    );
    expect(failures.map((failure) => failure.split('\n').slice(0, 6).join('\n'))).toEqual([]);
    expect(missed, 'faults that never struck, alone neither').toEqual([]);
  }, 1_800_000);

  it('leaves nothing in the whole account and database but residues', async () => {
    await world.gateway.whenQuiet();
    const left = withoutResidues(difference(before, await world.everything()));
    expect(renderDifference(left)).toBe('');
  });
});

/** Those that the run is restricted to; a sample has none. */
function watchedChanges(): readonly ChangePhase[] {
  if (only !== undefined || ofLife !== undefined) return changePhases.filter((phase) => only?.startsWith(phase));
  return short ? [] : changePhases.filter((phase) => chosenPhases.includes(phase));
}

interface Judgement {
  /** What is known of each life that went wrong. */
  readonly failures: string[];
  /** Words of the cases whose fault never struck. */
  readonly missed: string[];
}

/**
 * Lives them all, then those cases alone whose fault never struck: a call that this tenant happened not to make, or made too
 * late because of the machine or another fault, is made by a tenant that has nothing else to do.
 */
async function liveAll(context: LifeContext, lives: readonly Life[]): Promise<Judgement> {
  const failures: string[] = [];
  let missed: readonly Life[] = lives;
  for (let tries = 0; tries <= TRIES_ALONE && missed.length > 0; tries += 1) {
    if (tries > 0) console.log(`${missed.length} faults never struck: each is tried alone`);
    const again: Life[] = [];
    await paced(
      context.world.gateway.calls,
      missed,
      async (life) => {
        const outcome = await live(context, life);
        recordLife(outcome);
        again.push(...livesOfMissed(life, missedOf(outcome)));
        if (!isWell(outcome)) failures.push(await told(outcome));
      },
      tries === 0 ? undefined : { atOnce: ALONE_AT_ONCE },
    );
    missed = again;
  }
  missed.forEach(recordMissed);
  return { failures, missed: missed.flatMap(({ up, down }) => [...up, ...down]).map(({ id }) => id) };
}

/** Tenants that the machine can look after without making any of them wait. */
const ALONE_AT_ONCE = 4;

/** A life that its only fault was to end, and did not because it never struck, says nothing. */
function isWell(outcome: LifeOutcome): boolean {
  if (outcome.life.kind === 'ended' && missedOf(outcome).length > 0) return true;
  return outcome.phases.every(({ problems }) => problems.length === 0);
}

async function told(outcome: LifeOutcome): Promise<string> {
  const text = await explain(world, seed, outcome);
  console.error(text);
  return text;
}
