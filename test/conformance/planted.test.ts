import { randomUUID } from 'node:crypto';
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notes } from '../../examples/notes/product.ts';
import { sqsQueue } from '../../examples/notes/sqs-queue.ts';
import type { Step } from '../../src/contracts/blueprint.ts';
import { ecsService } from '../../src/kinds/ecs-service/kind.ts';
import type { SweptItem } from '../../src/contracts/sweep.ts';
import { missingThing } from '../../src/kinds/framework/differences.ts';
import type { Kind } from '../../src/kinds/framework/kind.ts';
import type { CellAccess } from '../../src/kinds/framework/resource-type.ts';
import { logGroup } from '../../src/kinds/log-group/kind.ts';
import { logGroupType } from '../../src/kinds/log-group/type.ts';
import { postgresSchema } from '../../src/kinds/postgres-schema/kind.ts';
import { targetGroup } from '../../src/kinds/target-group/kind.ts';
import { targetGroupType } from '../../src/kinds/target-group/type.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { benchOf } from '../../testing/bench.ts';
import { conformanceCases } from '../../testing/cases/cases.ts';
import type { CallPoint } from '../../testing/faults/points.ts';
import { liveWave } from '../../testing/faults/wave.ts';
import { sampleOf, type Sample } from '../../testing/index.ts';
import { assertPermissions } from '../../testing/permissions.ts';
import { startGround, type Ground } from '../../testing/stand.ts';
import { sharedParts } from './shared-parts.ts';

/** Kinds with a mistake in them: a suite that takes one for sound is not trusted. */
let ground: Ground;
beforeAll(async () => {
  const ledgerTypes = Object.keys({ ...logGroup.types, ...postgresSchema.types, ...sqsQueue.types });
  const products = [moamalat, notes];
  ground = await startGround({ parts: await sharedParts(), products, ledgerTypes, kinds: [sqsQueue] });
});
afterAll(() => ground.close());

const revised = (step: Step) => ({ ...step, spec: { ...step.spec, retentionDays: 7 } });
const logGroupSample: Sample = { ...sampleOf(moamalat, 'create_log_group:backend'), revised };

const tryCase = (kind: Kind, title: string, sample = logGroupSample) => {
  const found = conformanceCases.find(({ name }) => name === title);
  if (!found) throw new Error(`conformance has no case "${title}"`);
  return found.run(benchOf(kind, sample, ground));
};

const changed = (change: Partial<typeof logGroup>): Kind => ({ ...logGroup, ...change });
const sweptAs = (change: Partial<typeof logGroupType>) =>
  changed({ types: { 'logs:log-group': { ...logGroupType, ...change } } });

const secretTitle = 'writes no secret into outputs, ledger, events or log';
const namingTitle =
  "makes what the ledger names, as the oracle sees it, with its tenant's mark and by a name of that tenant alone";
const listingTitle =
  'is listed by its own list, with its mark and on whichever page, and is not any more once it is gone';
const dataTitle = 'keeps the data of a tenant that was ever active from an undo';
const lostTitle = 'makes nothing empty in the place of data that was deleted by hand, once the tenant was active';
const lateTitle = 'is not recorded as removed while a deletion may still land on what a later tenant of the slug makes';

/** Without what comes after it. */
async function firstPage({ aws }: CellAccess): Promise<SweptItem[]> {
  const { logGroups = [] } = await aws
    .client(CloudWatchLogsClient)
    .send(new DescribeLogGroupsCommand({ logGroupNamePrefix: '/ecs/' }));
  const found = logGroups.map(({ logGroupName: name = '', logGroupArn: physicalId = '' }) =>
    logGroupType.list({ aws } as CellAccess).find({ name, physicalId }),
  );
  return (await Promise.all(found)).filter((item) => item !== undefined);
}

describe.concurrent('a log group', () => {
  it('whose removal takes nothing away is not gone', async () => {
    const leaking = changed({ remove: async ({ notOurs }) => ({ status: 'removed', others: await notOurs([]) }) });
    await expect(tryCase(leaking, 'is gone when it is removed twice')).rejects.toThrow('left over after the removal');
  });

  it('that stays after its removal is named, long before the test gives up', async () => {
    const staying = changed({ remove: async ({ notOurs }) => ({ status: 'pending', others: await notOurs([]) }) });
    const bench = benchOf(staying, sampleOf(moamalat, 'create_log_group:backend'), ground);
    // A slice of looks takes 8 s: what it comes to is known before.
    const observe = () => Promise.resolve({ status: 'pending' as const, detail: 'log group is there' });
    const worker = { ...bench.stand.workerWith(), 'log-group.observe': observe };
    const driver = await bench.tenant({ worker });
    await driver.ensure();
    await driver.beginUndo();
    await expect(driver.takeAway()).rejects.toThrow(
      /^removed, and still there: logs:log-group \S+: log group is there$/,
    );
    await bench
      .before(
        driver,
        bench.stand.workerWith(() => logGroup),
      )
      .takeAllAway();
  });

  it('whose retention can be changed, and which does not say so, is told of it', async () => {
    const silent = tryCase(changed({ changeable: [] }), 'follows its spec when that changes, and when it changes back');
    await expect(silent).rejects.toThrow('`changeable` of the kind lacks what the revised sample changes');
  });

  it('that its list does not show is not listed', async () => {
    const list = () => ({ list: () => Promise.resolve([]), find: () => Promise.resolve(undefined) });
    const blind = changed({ types: { 'logs:log-group': { ...logGroupType, list } } });
    const listed = tryCase(blind, listingTitle);
    await expect(listed).rejects.toThrow('not in the list of the kind');
  });

  it('that is made without its mark is not marked', async () => {
    const bare = changed({
      ensure: (context) => {
        const { logs } = context.aws;
        const createLogGroup = (name: string) => logs.createLogGroup(name, {});
        return logGroup.ensure({ ...context, aws: { ...context.aws, logs: { ...logs, createLogGroup } } });
      },
    });
    const marked = tryCase(bare, namingTitle);
    await expect(marked).rejects.toThrow(/mark/);
  });

  it('that adopts whatever it finds does not refuse what is somebody else’s', async () => {
    const greedy = changed({
      ensure: async (context) => {
        const there = await context.aws.logs.findLogGroup(context.spec.name);
        if (!there) return logGroup.ensure(context);
        return { status: 'ready', outputs: { name: context.spec.name } };
      },
    });
    const refusing = tryCase(greedy, "refuses what is somebody else's at its name, and leaves it untouched");
    await expect(refusing).rejects.toThrow('the verb succeeded');
  });

  it('that removes whatever has its name does not leave what lost its mark', async () => {
    const reckless = changed({
      remove: async ({ aws, notOurs, spec }) => {
        await aws.logs.deleteLogGroup(spec.name);
        return { status: 'removed', others: await notOurs([]) };
      },
    });
    const lost = tryCase(reckless, 'is still present, and named, when it lost its mark while it lived');
    await expect(lost).rejects.toThrow('the verb succeeded');
  });

  it('that names what is not the tenant’s is refused by no cell', async () => {
    const unbound = changed({ inCell: () => [] });
    const refusing = tryCase(unbound, "refuses a spec that names what is not the cell's or the tenant's");
    await expect(refusing).rejects.toThrow('the verb succeeded');
  });

  it('whose name nobody knows before may be asked for twice', async () => {
    const nameless = changed({ physicalNames: () => [] });
    const refusing = tryCase(nameless, 'is refused twice under one name, before anything is made');
    await expect(refusing).rejects.toThrow('were taken');
  });

  it('that forgets that it deletes by name is hit by its predecessor’s deletion', async () => {
    const { deletesByName: _, ...forgetful } = logGroup;
    await expect(tryCase(forgetful, lateTitle)).rejects.toThrow('logs:DeleteLogGroup of a removed step landed late');
  });

  it('that its list does not find by hand is told so', async () => {
    const list: typeof logGroupType.list = (at) => ({
      ...logGroupType.list(at),
      find: () => Promise.resolve(undefined),
    });
    const title = 'sees what was deleted by hand, and makes it anew';
    await expect(tryCase(sweptAs({ list }), title)).rejects.toThrow('is not found by its own list.find');
  });

  it('whose list reads one page alone is not listed', async () => {
    const list: typeof logGroupType.list = (at) => ({ ...logGroupType.list(at), list: () => firstPage(at) });
    await expect(tryCase(sweptAs({ list }), listingTitle)).rejects.toThrow('not in the list of the kind');
  });

  it('whose type takes every name for its tenant’s is told so', async () => {
    const named = { pattern: /^\/ecs\//, isOf: () => true };
    await expect(tryCase(sweptAs({ named }), namingTitle)).rejects.toThrow("is taken for another tenant's");
  });

  it('that declares an action too many, or one too few, is told so', async () => {
    await tryCase(logGroup, 'follows its spec when that changes, and when it changes back');
    const { permissions } = logGroup;
    const declaring = (list: readonly string[]) => () => assertPermissions(changed({ permissions: list }), ground.book);
    expect(declaring(permissions)).not.toThrow();
    expect(declaring([...permissions, 'logs:PutLogEvents'])).toThrow('permissions of log-group');
    expect(declaring(permissions.slice(1))).toThrow('permissions of log-group');
  });
});

describe.concurrent('a kind of another sort', () => {
  it('a target group whose type reads every name as one of ours is told so', async () => {
    const { named } = targetGroupType;
    const everything = { ...(named as Extract<typeof named, object>), pattern: /./ };
    const types = { 'elbv2:target-group': { ...targetGroupType, named: everything } };
    const sample = sampleOf(moamalat, 'create_target_group:backend');
    const told = tryCase({ ...(targetGroup as Kind), types }, namingTitle, sample);
    await expect(told).rejects.toThrow('matches the pattern of the type');
  });

  it('a queue whose outputs hold a password that it sent to AWS is told so', async () => {
    const queue = sqsQueue as Kind;
    const telling: Kind = {
      ...queue,
      ensure: async (context) => {
        const Value = randomUUID();
        const ssm = context.aws.client(SSMClient);
        await ssm.send(new PutParameterCommand({ Name: `/planted/${randomUUID()}`, Type: 'SecureString', Value }));
        const ensured = await queue.ensure(context);
        return { ...ensured, outputs: { ...ensured.outputs, arn: Value } };
      },
    };
    const told = tryCase(telling, secretTitle, sampleOf(notes, 'create_queue'));
    await expect(told).rejects.toThrow('of ssm:PutParameter is in the database or the log');
  });

  it('a schema whose outputs hold its password is told so', async () => {
    const schema = postgresSchema as Kind;
    const telling: Kind = {
      ...schema,
      ensure: async (context) => {
        const ensured = await schema.ensure(context);
        const host = await context.aws.secrets.readSecret(String(ensured.outputs['secretArn']));
        return { ...ensured, outputs: { ...ensured.outputs, host } };
      },
    };
    const sample = sampleOf(moamalat, 'create_schema');
    await expect(tryCase(telling, secretTitle, sample)).rejects.toThrow('is in the database or the log');
  });

  it('a schema that does not say that it holds data is told so', async () => {
    const { holdsData: _, ...forgetful } = postgresSchema as Kind;
    const sample = sampleOf(moamalat, 'create_schema');
    await expect(tryCase(forgetful, dataTitle, sample)).rejects.toThrow('holds data, and the kind does not say so');
  });

  it('a schema whose look does not name what is missing is told that it makes an empty one in its place', async () => {
    const hiding: Kind = {
      ...(postgresSchema as Kind),
      observe: async (context) => {
        const seen = await postgresSchema.observe(context as Parameters<typeof postgresSchema.observe>[0]);
        return seen.status === 'absent' ? seen : { ...seen, missing: undefined };
      },
    };
    const sample = sampleOf(moamalat, 'create_schema');
    await expect(tryCase(hiding, lostTitle, sample)).rejects.toThrow('the verb succeeded');
  });

  it('a queue that a repair would make anew is told so', async () => {
    const missing = async () => [missingThing('sqs:queue', 'notes')];
    const hopeful: Kind = { ...(sqsQueue as Kind), differs: missing };
    await expect(tryCase(hopeful, lostTitle, sampleOf(notes, 'create_queue'))).rejects.toThrow('tells it otherwise');
  });

  it('a log group whose sample holds data, without saying so, is told so', async () => {
    const sample = { ...logGroupSample, holdsData: true } as const;
    await expect(tryCase(logGroup, dataTitle, sample)).rejects.toThrow('holds data, and the kind does not say so');
  });

  it('a queue that forgets that it deletes by name is hit by its predecessor’s deletion', async () => {
    const { deletesByName: _, ...forgetful } = sqsQueue;
    const sample = sampleOf(notes, 'create_queue');
    await expect(tryCase(forgetful, lateTitle, sample)).rejects.toThrow(
      'sqs:DeleteQueue of a removed step landed late',
    );
  });

  it('a service whose token is another one at every attempt is found out by a call that fails', async () => {
    const restless: Kind = {
      ...(ecsService as Kind),
      ensure: (context) => (ecsService as Kind).ensure({ ...context, token: () => randomUUID().replaceAll('-', '') }),
    };
    const bench = benchOf(restless, sampleOf(moamalat, 'deploy_backend'), ground);
    const creation = {
      phase: 'making',
      verb: 'ensure',
      service: 'ecs',
      action: 'CreateService',
      kind: 'change',
      nth: 1,
    };
    const point = creation as CallPoint;
    const [life] = await liveWave(bench, [{ point, fault: 'error-before', ending: 'goes on' }], []);
    expect(life?.problems.join()).toContain('another token at another attempt');
  });
});
