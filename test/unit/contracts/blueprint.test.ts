import { describe, expect, it } from 'vitest';
import {
  blueprintProblems,
  refField,
  refStep,
  refsIn,
  type Step,
  type Blueprint,
} from '../../../src/contracts/blueprint.ts';
import { builtInKinds } from '../../../src/kinds/built-in.ts';
import { createKindRegistry } from '../../../src/kinds/framework/registry.ts';
import { blueprintSchema } from '../../../src/db/blueprint-column.ts';

const finalize = (...needs: string[]): Step => ({
  id: 'finalize',
  kind: 'tenant-activation',
  needs,
  spec: { tenantUrl: 'https://a.example' },
});
const group = (id: string, needs: string[] = [], removeAfter?: string[]): Step => ({
  id,
  kind: 'log-group',
  needs,
  ...(removeAfter && { removeAfter }),
  spec: { name: id, retentionDays: 1 },
});
const targets = (id: string, component: 'backend' | 'frontend'): Step => ({
  id,
  kind: 'target-group',
  needs: [],
  spec: { component, port: 80, healthPath: '/' },
});
const rule = (id: string, host: string, paths: string[], loadBalancerArn = 'lb-1'): Step => ({
  id,
  kind: 'listener-rule',
  needs: [],
  spec: { loadBalancerArn, host, paths, targetGroupArn: 'arn' },
});
const blueprint = (...steps: Step[]): Blueprint => ({
  version: 1,
  product: 'p',
  tier: null,
  cell: 'default',
  steps,
});

const kinds = createKindRegistry(builtInKinds);

describe('blueprintProblems', () => {
  it('finds nothing wrong with a sound graph', () => {
    expect(blueprintProblems(blueprint(group('a'), group('b', ['a']), finalize('b')), kinds)).toEqual([]);
  });
  it('lets a transient step name steps that only the applied blueprint has', () => {
    const fence = { ...group('fence', ['rows'], ['old']), transient: true };
    expect(blueprintProblems(blueprint(fence, group('a', ['fence']), finalize('a')), kinds)).toEqual([]);
  });

  it.each([
    [
      'a step that stays and refers to a transient one',
      blueprint(
        { ...group('fence'), transient: true },
        { ...group('a', ['fence']), spec: { name: { ref: 'fence.name' }, retentionDays: 1 } },
        finalize('a'),
      ),
      /"fence" is transient/,
    ],
    [
      'a transient commit',
      blueprint(group('a'), { ...finalize('a'), transient: true }),
      /"finalize" cannot be transient/,
    ],
    [
      'a last step that stays',
      blueprint({ ...group('a'), last: true }, finalize('a')),
      /"a" is the last and not transient/,
    ],
    [
      'a last step that does not wait for another',
      blueprint(group('a'), group('b'), { ...group('c', ['a']), transient: true, last: true }, finalize('b', 'c')),
      /"c" is the last and does not wait for step "b"/,
    ],
    [
      'two last steps',
      blueprint(
        { ...group('a'), transient: true, last: true },
        { ...group('b', ['a']), transient: true, last: true },
        finalize('b'),
      ),
      /"a" and "b" cannot both be the last/,
    ],
    ['a step given twice', blueprint(group('a'), group('a'), finalize('a')), /"a" is given twice/],
    ['a need that does not exist', blueprint(group('a', ['x']), finalize('a')), /names step "x"/],
    ['a step that needs itself', blueprint(group('a', ['a']), finalize('a')), /depends on itself/],
    ['a cycle', blueprint(group('a', ['b']), group('b', ['a']), finalize('a', 'b')), /form a cycle/],
    [
      'a cycle on the way down only',
      blueprint(group('a', [], []), group('b', ['a'], ['a']), finalize('b')),
      /cycle on the way down/,
    ],
    ['no finalize', blueprint(group('a')), /exactly one step of kind tenant-activation/],
    [
      'a step that finalize does not wait for',
      blueprint(group('a'), group('b'), finalize('b')),
      /does not wait for step "a"/,
    ],
    [
      'a spec that is too large',
      blueprint(
        { id: 'a', kind: 'log-group', needs: [], spec: { name: 'x'.repeat(5_000), retentionDays: 1 } },
        finalize('a'),
      ),
      /larger than 4096/,
    ],
    [
      'a reference to a step that is not needed',
      blueprint(
        group('a'),
        {
          id: 'b',
          kind: 'listener-rule',
          needs: [],
          spec: { loadBalancerArn: 'x', host: 'h', paths: [], targetGroupArn: { ref: 'a.arn' } },
        },
        finalize('a', 'b'),
      ),
      /refers to "a.arn" but does not need step "a"/,
    ],
    [
      'two steps that make one log group',
      blueprint(group('a'), { ...group('b'), spec: { name: 'a', retentionDays: 2 } }, finalize('a', 'b')),
      /steps "a" and "b" both make logs:log-group "a"/,
    ],
    [
      'two target groups of one component',
      blueprint(targets('a', 'backend'), targets('b', 'backend'), finalize('a', 'b')),
      /both make elbv2:target-group "backend"/,
    ],
    [
      'two rules of one host and the same paths',
      blueprint(rule('a', 'H', ['/x', '/y']), rule('b', 'h', ['/y', '/x']), finalize('a', 'b')),
      /steps "a" and "b" both make elbv2:rule/,
    ],
  ])('names %s', (_, given, problem) => {
    expect(blueprintProblems(given, kinds).join('\n')).toMatch(problem);
  });
  it('takes rules of one host that differ in their paths or their load balancer, and a group per component', () => {
    const steps = [rule('a', 'h', []), rule('b', 'h', ['/x']), rule('c', 'h', [], 'lb-2')];
    const groups = [targets('d', 'backend'), targets('e', 'frontend')];
    expect(blueprintProblems(blueprint(...steps, ...groups, finalize('a', 'b', 'c', 'd', 'e')), kinds)).toEqual([]);
  });
  it('splits references at the last dot', () => {
    expect([refStep('create_x:a.b.arn'), refField('create_x:a.b.arn')]).toEqual(['create_x:a.b', 'arn']);
    expect(refsIn({ a: [{ ref: 'x.y' }], b: { c: { ref: 'z.w' } }, d: 'ref' })).toEqual(['x.y', 'z.w']);
  });
});

describe('the specs of a blueprint', () => {
  it.each(builtInKinds.filter(({ commit }) => !commit))('are of the shape that the kind $name gives', ({ name }) => {
    const step = { id: 'x', kind: name, needs: [], spec: { nonsense: true } };
    expect(blueprintSchema.safeParse(blueprint(step)).success).toBe(true);
    expect(blueprintProblems(blueprint(step, finalize('x')), kinds).join('\n')).toMatch(
      /the spec of step "x" is wrong/,
    );
  });
  it('are of a kind that the installation has', () => {
    const step = { id: 'x', kind: 'sqs-queue', needs: [], spec: {} };
    expect(blueprintProblems(blueprint(step, finalize('x')), kinds).join('\n')).toMatch(
      /^step "x" is of kind "sqs-queue", which this installation does not have: it has account-copy, .*tenant-activation; list it in `kinds` of tenantry\.config\.ts$/m,
    );
  });
});
