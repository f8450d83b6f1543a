import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DeleteParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { registerSweep } from '../../src/cli/sweep.ts';
import type { SweepReport } from '../../src/contracts/sweep.ts';
import { markName } from '../../src/sweep/ledger-mark.ts';
import { part } from '../support/parts.ts';
import { containing } from '../api/matchers.ts';
import { ledgerTenant, namesFor, report, startSweepWorld, stranger, type SweepWorld } from './sweep-world.ts';
import { testCaller } from '../support/caller.ts';

let world: SweepWorld;
beforeAll(async () => {
  world = await startSweepWorld();
  await ledgerTenant(world, 'deleted');
  await report(world, world.sweep);
});
afterAll(() => world.close());

let printed: string[];
beforeEach(() => {
  printed = [];
  for (const method of ['log', 'error'] as const)
    vi.spyOn(console, method).mockImplementation((text: unknown) => void printed.push(String(text)));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** Runs a command as a shell would; answers what it printed and its exit code. */
async function tenantry(...args: string[]): Promise<{ text: string; code: typeof process.exitCode }> {
  printed.length = 0;
  process.exitCode = undefined;
  const source = () => Promise.resolve({ sweep: world.sweep, close: () => Promise.resolve() });
  await buildProgram({ registrars: [(program) => registerSweep(program, source)] }).parseAsync(args, { from: 'user' });
  return { text: printed.join('\n'), code: process.exitCode };
}

it('leads from a report over its approval to a removal, and shows what was done', async () => {
  const owner = stranger(world);
  const { logGroup } = namesFor(owner);
  await world.aws.logs.createLogGroup(logGroup, owner.tags);

  const found = await tenantry('sweep');
  expect(found.code).toBe(1);
  expect(found.text).toMatch(new RegExp(`^[0-9a-f]{12}  leak  logs:log-group  ${logGroup}$`, 'm'));
  for (const part of [`tenant ${owner.tenantId}`, 'step planted', 'why    it bears our mark', 'do     approve this'])
    expect(found.text).toContain(part);
  const id = /^report {4}(\S+)$/m.exec(found.text)?.[1] ?? '';
  expect(found.text).toContain(`tenantry sweep approve ${id} --by <your name>`);

  expect(await tenantry('sweep', 'remove', id)).toMatchObject({ code: 4, text: `error: report ${id} is not approved` });
  expect((await tenantry('sweep', 'show', 'nothing')).code).toBe(3);
  const finding = /^([0-9a-f]{12}) {2}leak/m.exec(found.text)?.[1] ?? '';
  const approved = await tenantry('sweep', 'approve', id, '--by', 'Ada', '--only', finding);
  expect(approved).toMatchObject({ code: 0, text: containing('(approved)') });

  const removed = await tenantry('sweep', 'remove', id, '--limit', '1', '--json');
  expect(removed.code).toBe(0);
  expect(JSON.parse(removed.text)).toMatchObject({ removals: [{ outcome: 'removed', findingId: finding }], left: 0 });
  const shown = await tenantry('sweep', 'show', id);
  expect(shown.text).toMatch(/^approved by Ada at \S+: all of it is done$/m);
  expect((await tenantry('sweep', 'list')).text).toMatch(new RegExp(`^${id} .+ approved by Ada`, 'm'));
  expect(await tenantry('sweep', '--json')).toMatchObject({ code: 0, text: containing('"findings":[]') });
});

it('says loudly that a ledger is not to be trusted, and takes a reason to adopt it', async () => {
  const name = `/tenantry/${world.installationId}/${world.cell.id}/ledger-mark`;
  const kept = JSON.parse((await world.aws.parameters.readParameter(name)) ?? '{}') as object;
  await world.aws.parameters.writeParameter(name, JSON.stringify({ ...kept, eventId: 1_000_000 }));
  const untrusted = await tenantry('sweep');
  expect(untrusted.code).toBe(1);
  expect(untrusted.text).toMatch(/^!!!!!!!! +THE LEDGER IS NOT TO BE TRUSTED: THIS REPORT REMOVES NOTHING$/m);
  expect(untrusted.text).toContain('older than its mark');
  await expect(tenantry('sweep', 'adopt-ledger')).rejects.toThrow('--reason');
  expect((await tenantry('sweep', 'adopt-ledger', '--reason', 'a test')).text).toContain('default: intact');
  expect((await tenantry('sweep')).code).toBe(0);
});

describe('the exit code', () => {
  const logGroups = async (count: number) => {
    const owners = Array.from({ length: count }, () => stranger(world));
    for (const owner of owners) await world.aws.logs.createLogGroup(namesFor(owner).logGroup, owner.tags);
    const made = await report(world, world.sweep);
    const only = made.findings.filter((f) => owners.some((o) => o.tenantId === f.owner.tenantId)).map((f) => f.id);
    await world.sweep.approve(testCaller, { reportId: made.id, by: 'Ada', only });
    return { id: made.id, owners };
  };
  const denied = (action: string, skip = 0) =>
    world.gateway.addRule({
      match: { action },
      fault: { type: 'error', when: 'before', code: 'AccessDeniedException' },
      skip,
      times: null,
    });

  it('is 1 while the mark is out of reach, or gone after it was made', async () => {
    const rule = denied('GetParameter');
    expect(await tenantry('sweep')).toMatchObject({ code: 1, text: containing('could not be read') });
    world.gateway.removeRule(rule);
    const name = markName(world.installationId, world.cell.id);
    const kept = (await world.aws.parameters.readParameter(name)) ?? '';
    const credentials = { accessKeyId: world.cell.accountId, secretAccessKey: 'test' };
    const ssm = new SSMClient({ endpoint: world.gateway.url, region: world.cell.region, credentials });
    await ssm.send(new DeleteParameterCommand({ Name: name }));
    ssm.destroy();
    expect(await tenantry('sweep')).toMatchObject({ code: 1, text: containing('was marked before') });
    await world.aws.parameters.writeParameter(name, kept);
    expect((await tenantry('sweep')).code).toBe(0);
  });

  it('of a removal is 0 when --limit alone leaves something, which it names, and 1 when something failed', async () => {
    const { id } = await logGroups(3);
    const first = await tenantry('sweep', 'remove', id, '--limit', '1');
    expect(first.code).toBe(0);
    expect(first.text.match(/^left {2}[0-9a-f]{12} {2}logs:log-group /gm)).toHaveLength(2);
    expect(first.text).toContain(`2 left by --limit: tenantry sweep remove ${id}`);
    expect((await tenantry('sweep', 'show', id)).text).toContain(`: tenantry sweep remove ${id}`);
    const rule = denied('DeleteLogGroup');
    expect((await tenantry('sweep', 'remove', id, '--limit', '1')).code).toBe(1);
    world.gateway.removeRule(rule);
    expect(await tenantry('sweep', 'remove', id)).toMatchObject({ code: 0, text: containing('none left') });
  });

  it('of a removal that the mark ends is 4, after what was taken away before', async () => {
    const { id } = await logGroups(2);
    const rule = denied('GetParameter', 1);
    const ended = await tenantry('sweep', 'remove', id);
    world.gateway.removeRule(rule);
    expect(ended.code).toBe(4);
    expect(ended.text).toMatch(/^removed {2}[0-9a-f]{12} {2}logs:log-group /m);
    expect(ended.text).toContain('nothing (more) is taken away');
    expect((await tenantry('sweep', 'remove', id)).code).toBe(0);
  });
});

it('refuses options that stand before a subcommand, which would not heed them', async () => {
  const adoptions = async () => (await world.database.query('select from ledger_adoptions')).rowCount;
  const before = await adoptions();
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const misplaced = tenantry('sweep', '--cell', 'other', 'adopt-ledger', '--reason', 'a test');
  await expect(misplaced).rejects.toThrow('option --cell stands before adopt-ledger');
  await expect(tenantry('sweep', '--json', 'list')).rejects.toThrow('--json stands before list');
  expect(await adoptions()).toBe(before);
  expect((await tenantry('sweep', 'adopt-ledger', '--reason', 'a test', '--cell', 'other')).code).toBe(3);
});

it('runs as a process of its own, by the environment alone', async () => {
  const { address } = await part('temporal');
  const directory = mkdtempSync(join(tmpdir(), 'tenantry-sweep-'));
  const platform = join(directory, 'platform.json');
  writeFileSync(platform, JSON.stringify(world.deps.platform));
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: world.databases.controlUrl,
    TENANT_DATABASE_URL: world.databases.tenantUrl,
    TEMPORAL_ADDRESS: address,
    AWS_ENDPOINT_URL: world.gateway.url,
    AWS_ACCESS_KEY_ID: world.cell.accountId,
    AWS_SECRET_ACCESS_KEY: 'test',
    PLATFORM_CONFIG: platform,
    TENANTRY_PAYLOAD_KEY: Buffer.alloc(32, 1).toString('base64'),
  };
  const cli = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [cli, 'sweep', '--json'], { env });
    const { reports } = JSON.parse(stdout) as { reports: SweepReport[] };
    expect(reports).toMatchObject([{ cell: 'default', mark: { state: 'intact' }, findings: [], problems: [] }]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
