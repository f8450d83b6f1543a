import { PROGRESS_TARGET_MS, type Summary } from './summary.ts';

/** docs/reliability.md from the numbers of a run. */
export function renderReliability(summary: Summary): string {
  return [
    head(summary),
    faults(summary),
    kills(summary),
    servers(summary),
    random(summary),
    sweep(summary),
    mutants(summary),
  ].join('\n\n');
}

function head({ run, leaks, faults: f, kills: k, random: r, mutants: m }: Summary): string {
  const tenants = r.reduce((sum, one) => sum + one.tenants, 0);
  return `# Reliability: what was run, and what came out

A tenant is either wholly there, or wholly gone, or visibly stuck with a list of exactly what is left. These are the numbers of
the suites of \`npm run test:chaos${run.isSample ? ' -- --short --publish' : ''}\`${run.isSample ? ' (seeded samples of faults and kills)' : ''}, written by their runs (${run.date}, commit ${run.commit}, Node ${run.node}, ${run.cores} cores, ${minutes(run.seconds)});
nothing here is typed by hand. How the suites work is in [architecture.md](architecture.md).

| what | number | command |
|---|---|---|
| fault points covered, of all that ${run.isSample ? 'the sample drew' : 'apply'} | ${f.covered} of ${f.points} | \`npm run test:chaos\` |
| workers killed with SIGKILL at a call's boundary | ${k.count} | \`npx vitest run --project chaos test/chaos/processes.test.ts\` |
| time from SIGKILL to the next progress of the tenant | median ${s(k.progressMs.median)}, at most ${s(k.progressMs.max)}; ${k.progressMs.inTime} of ${k.progressMs.of} within ${s(PROGRESS_TARGET_MS)} | the same |
| time from SIGKILL to the next progress of the very step | median ${s(k.stepProgressMs.median)}, at most ${s(k.stepProgressMs.max)}; ${k.stepProgressMs.inTime} of ${k.stepProgressMs.of} within ${s(PROGRESS_TARGET_MS)} | the same |
| random runs: tenants, steps, faults, workers killed | ${tenants}, ${total(r, 'steps')}, ${r.reduce((sum, one) => sum + add(one.faults), 0)}, ${total(r, 'kills')} | \`CHAOS_TENANTS=200 npx vitest run --project chaos test/chaos/random.test.ts\` |
| leaks that any of these runs left | ${leaks.left} | all of them |
| leaks planted for the sweep, found by it | ${leaks.planted}, ${leaks.found} | \`npx vitest run --project chaos test/chaos/sweep.test.ts\` |
| leaks open | ${leaks.open} | |
| known mistakes planted in the code, caught | ${m.length}, ${m.filter((one) => one.caughtBy !== null).length} | \`npx tsx test/mutants/run.ts\` |`;
}

function faults({ faults: f }: Summary): string {
  const outcomes = [...new Set(Object.values(f.byFault).flatMap((row) => Object.keys(row)))].sort();
  const rows = Object.entries(f.byFault).map(
    ([fault, row]) => `| ${fault} | ${outcomes.map((o) => row[o] ?? 0).join(' | ')} |`,
  );
  return `## Faults at every call of every step

A point is one call that a step makes (AWS's API, or a statement of PostgreSQL) and one kind of fault; the points are listed from a
calm run, so a new call is a new point. ${f.cases} cases ran over ${f.points} points; ${f.notApplicable} more do not apply (a primary database has no
stale reads, for one, nor has a step that looks at nothing after its change). Outcomes by fault:

| fault | ${outcomes.join(' | ')} |
|---|${outcomes.map(() => '---').join('|')}|
${rows.join('\n')}

Cases by kind or step (\`-\`: statements of PostgreSQL): ${Object.entries(f.byStep)
    .map(([step, n]) => `\`${step}\` ${n}`)
    .join(', ')}.`;
}

function kills({ kills: k }: Summary): string {
  const rows = k.byBoundary.map(
    (b) =>
      `| ${b.boundary} | ${b.count} | ${s(b.progressMs.median)} | ${s(b.progressMs.max)} | ${s(b.stepProgressMs.max)} | ${tally(b.outcomes)} |`,
  );
  return `## Workers killed

| boundary | kills | next progress, median | at most | of the very step, at most | outcome |
|---|---|---|---|---|---|
${rows.join('\n')}${killsByOperation(k.byOperation)}`;
}

function killsByOperation(all: Summary['kills']['byOperation']): string {
  if (!all) return '';
  const rows = all.map(
    ({ count, operation, outcomes, progressMs }) =>
      `| ${operation} | ${count} | ${s(progressMs.median)} | ${s(progressMs.max)} | ${tally(outcomes)} |`,
  );
  return `

A move of an account has services all the while, which write and read its rows through the router: every write that was acknowledged is in the
table that counts after it, and no read was older than a write that was acknowledged before it.

| operation | kills | next progress, median | at most | outcome |
|---|---|---|---|---|
${rows.join('\n')}`;
}

function servers({ servers: all }: Summary): string {
  const rows = all.map(({ case: name, ...facts }) => `| ${name} | ${described(facts)} |`);
  return `## Servers away

| case | what was seen |
|---|---|
${rows.join('\n')}`;
}

function random({ random: all }: Summary): string {
  const rows = all.map(
    (r) =>
      `| ${r.seed} | ${r.tenants} | ${r.operations} | ${r.steps} | ${tally(r.faults)} | ${r.kills} | ${tally(r.ends)} | ${r.leaks} | ${minutes(r.seconds)} |`,
  );
  return `## Random runs

| seed | tenants | operations | steps | faults | workers killed | how operations ended | leaks | time |
|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}`;
}

function sweep({ sweep: all }: Summary): string {
  const rows = all.map(
    ({ case: name, planted, found, open, ...facts }) =>
      `| ${name} | ${planted} | ${found} | ${open} | ${described(facts)} |`,
  );
  return `## Sweep

| case | planted | found | open after it | what was seen |
|---|---|---|---|---|
${rows.join('\n')}`;
}

function mutants({ mutants: all }: Summary): string {
  const rows = [...all]
    .sort((a, b) => a.id.localeCompare(b.id))
    .map(
      (m) =>
        `| ${m.id} | ${m.mistake} | ${m.caughtBy === null ? '**not caught**' : cell(m.caughtBy)} | ${cell(m.why ?? '')} |`,
    );
  return `## Mutants

Known mistakes, planted one at a time into a copy of the sources; each must make a test fail.

| mutant | mistake | caught by | how it failed |
|---|---|---|---|
${rows.join('\n')}`;
}

const s = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const minutes = (seconds: number) => `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
const add = (numbers: Readonly<Record<string, number>>) => Object.values(numbers).reduce((a, b) => a + b, 0);
const total = (all: Summary['random'], field: 'steps' | 'kills') => all.reduce((sum, one) => sum + one[field], 0);
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ').slice(0, 200);

function tally(counted: Readonly<Record<string, number>>): string {
  return Object.entries(counted)
    .filter(([, n]) => n > 0)
    .map(([name, n]) => `${name} ${n}`)
    .join(', ');
}

/** Facts in words: `outageMs: 20000` is `outage 20.0 s`. */
function described(facts: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(facts).map(([name, value]) => {
    if (typeof value === 'number' && name.endsWith('Ms')) return `${name.slice(0, -2)} ${s(value)}`;
    return name === 'outcome' ? String(value) : `${name} ${Array.isArray(value) ? value.join(', ') : String(value)}`;
  });
  return cell(words.join('; '));
}
