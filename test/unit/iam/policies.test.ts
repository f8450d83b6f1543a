import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TENANT_TAG } from '../../../src/aws/tags.ts';
import { lackingForAccounts } from '../../../src/iam/accounts-policies.ts';
import { grants } from '../../../src/iam/grants.ts';
import { neededActions } from '../../../src/iam/needed-actions.ts';
import {
  inParts,
  lengthOf,
  LONGEST_POLICY,
  policyTemplates,
  statementsOf,
  templateText,
} from '../../../src/iam/policies.ts';
import { roleOfKind, workerRoles } from '../../../src/iam/roles.ts';
import { boundary } from '../../../src/iam/tenant-boundary.ts';
import { builtInKinds } from '../../../src/kinds/built-in.ts';
import { logGroup } from '../../../src/kinds/log-group/kind.ts';
import { ownershipTags, secretName, targetGroupName } from '../../../src/naming.ts';

const landingZone = new URL('../../../terraform/landing-zone/', import.meta.url);
const actionsOf = (role: (typeof workerRoles)[number]) =>
  statementsOf(role, builtInKinds).flatMap(({ Action }) => Action);

describe('the policies of roles', () => {
  it.each(workerRoles)('of %s allow what its kinds, their listing and its duties need, and nothing else', (role) => {
    expect([...new Set(actionsOf(role))].sort()).toEqual(neededActions(role, builtInKinds));
  });

  it.each(builtInKinds.map((kind) => [kind.name, kind] as const))(
    'allow every action of %s to the role that runs it',
    (name, { permissions }) => {
      const role = roleOfKind[name];
      expect(role).toBeDefined();
      const allowed =
        role === 'accounts' || role === undefined ? neededActions('accounts', builtInKinds) : actionsOf(role);
      expect(permissions.filter((action) => !allowed.includes(action))).toEqual([]);
    },
  );

  it('let nobody but provisioning change load balancers, services and records', () => {
    for (const role of workerRoles.filter((one) => one !== 'provisioning'))
      expect(
        actionsOf(role).filter((action) =>
          /^(?:ecs|elasticloadbalancing|route53|iam|logs):(?!Describe|List|Get)/.test(action),
        ),
      ).toEqual([]);
    expect(actionsOf('status-checker').filter((action) => !/:(?:Describe|List|Get)/.test(action))).toEqual([]);
  });

  it('hold no grant and no kind that nobody uses', () => {
    const used = workerRoles.flatMap((role) => statementsOf(role, builtInKinds));
    for (const { sid, actions } of grants) {
      const granted = used.filter(({ Sid }) => Sid === sid).flatMap(({ Action }) => Action);
      expect(
        actions.filter((action) => !granted.includes(action)),
        sid,
      ).toEqual([]);
    }
    expect(Object.keys(roleOfKind).sort()).toEqual(builtInKinds.map(({ name }) => name).sort());
  });

  it('refuse a kind without a role, and an action without a grant', () => {
    expect(() => policyTemplates([{ ...logGroup, name: 'queue' }])).toThrow('the kind queue');
    const more = { ...logGroup, permissions: [...logGroup.permissions, 'logs:PutLogEvents'] };
    expect(() => policyTemplates([more])).toThrow('grants the role provisioning no logs:PutLogEvents');
    const untold = {
      ...logGroup,
      types: Object.fromEntries(Object.values(logGroup.types).map((type) => ['sqs:queue', type])),
    };
    expect(() => policyTemplates([untold])).toThrow('how the type sqs:queue is listed');
  });

  it('are cut into parts that IAM takes', () => {
    for (const role of workerRoles)
      for (const part of inParts(statementsOf(role, builtInKinds))) {
        expect(lengthOf(part), role).toBeLessThanOrEqual(LONGEST_POLICY);
        // What falls away with things that a cell does not have leaves no policy empty: IAM refuses that.
        expect(
          part.flatMap(({ Resource }) => Resource).some((on) => /^\*$|_arn$|^log_groups$|^mail_identities$/.test(on)),
          role,
        ).toBe(true);
      }
    const all = statementsOf('provisioning', builtInKinds);
    const short = inParts(all, 2_000);
    expect(short.length).toBeGreaterThan(inParts(all).length);
    expect(short.flat()).toEqual(all);
    expect(() => inParts(all, 300)).toThrow('alone is longer than 300');
  });
});

describe('what the policies are about', () => {
  const reference = JSON.parse(readFileSync(new URL('service-authorization.json', import.meta.url), 'utf8')) as Record<
    string,
    { readonly resources: readonly string[]; readonly keys: readonly string[] } | undefined
  >;

  it('is everything only where a reason is told, and a service that knows resources is asked for them', () => {
    for (const { sid, actions, on, why } of grants) {
      expect(why === undefined, sid).toBe(on !== 'everything');
      const narrower = actions.filter((action) => reference[action]?.resources.length !== 0);
      if (on === 'everything') expect(narrower, sid).toEqual(sid === 'ListInCluster' ? ['ecs:ListTasks'] : []);
      else expect(narrower, sid).toEqual(actions);
    }
  });

  it('is asked for by keys that each action has', () => {
    for (const { sid, actions, condition = {} } of grants) {
      const keys = Object.values(condition).flatMap((values) =>
        Object.keys(values).map((key) => key.replace(/Tag\/.*/, 'Tag/${TagKey}')),
      );
      for (const action of actions)
        expect(reference[action]?.keys, `${sid}: ${action}`).toEqual(expect.arrayContaining(keys));
    }
  });

  it('bears the mark of a tenant', () => {
    const ids = { installationId: 'i', tenantId: 't', product: 'p', operationId: 'o', stepId: 's' };
    expect(ownershipTags(ids)[TENANT_TAG]).toBe('t');
  });

  it('has the names that are given to it', () => {
    const text = readFileSync(new URL('policies.tf', landingZone), 'utf8');
    const pattern = (value: string) => {
      const [, glob = ''] =
        new RegExp(`${value} += format\\(local.arn, "[a-z]+", "[a-z-]+[:/](.*)"\\)`).exec(text) ?? [];
      return new RegExp(`^${glob.replaceAll('*', '.*')}$`);
    };
    const [installation, tenant] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
    expect(`${targetGroupName(installation, tenant, 'backend')}/0123456789abcdef`).toMatch(
      pattern('target_groups_arn'),
    );
    expect(`${secretName(installation, tenant, 'schema:a')}-AbCdEf`).toMatch(pattern('tenant_secrets_arn'));
    expect('other-0123456789/0123456789abcdef').not.toMatch(pattern('target_groups_arn'));
  });

  it('has a value in the landing zone', () => {
    const text = readFileSync(new URL('policies.tf', landingZone), 'utf8');
    const names = [...grants.flatMap(({ on }) => on), ...boundary.flatMap(({ Resource }) => Resource)];
    for (const name of names.filter((one) => one !== 'everything' && one !== '*'))
      expect(text, name).toMatch(new RegExp(`\\b${name} +=`));
  });

  it('is written as a template that puts lists together', () => {
    const text = templateText([
      { Sid: 'A', Effect: 'Allow', Action: ['a:B'], Resource: ['services_arn', 'listeners'] },
    ]);
    expect(text).toContain('"Resource": ${jsonencode(concat([services_arn], listeners))}');
  });
});

describe('the policies of accounts', () => {
  it('lack what no statement allows; patterns of actions are known', () => {
    const allowing = (...Action: string[]) => JSON.stringify({ Statement: [{ Effect: 'Allow', Action }] });
    const all = ['cloudformation:*', 'dynamodb:*', 's3:GetObject*'];
    expect(lackingForAccounts([allowing(...all), allowing('ssm:*')], builtInKinds)).toEqual([]);
    expect(lackingForAccounts([allowing(...all)], builtInKinds)).toContain('ssm:PutParameter');
  });
});
