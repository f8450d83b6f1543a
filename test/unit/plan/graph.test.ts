import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlannedStep } from '../../../src/contracts/blueprint.ts';
import {
  ancestorsOf,
  downwardEdges,
  inOrder,
  inputsOf,
  mustRun,
  sideBySide,
  upwardEdges,
} from '../../../src/plan/graph.ts';

const step = (id: string, needs: readonly string[] = [], more: Partial<PlannedStep> = {}): PlannedStep => ({
  id,
  kind: 'log-group',
  needs,
  ...more,
});

/** Random acyclic graphs: edges go to earlier nodes. */
const graphs = fc.array(fc.array(fc.nat(20), { maxLength: 4 }), { minLength: 1, maxLength: 20 }).map((needs) =>
  needs.map((ids, i) =>
    step(
      `s${i}`,
      [...new Set(ids.filter((n) => n < i))].map((n) => `s${n}`),
    ),
  ),
);

describe('upwardEdges', () => {
  it('leaves finalize out', () => {
    expect([...upwardEdges([step('a'), step('finalize', ['a'])])]).toEqual([['a', []]]);
  });
});

describe('downwardEdges', () => {
  const steps = [
    step('group'),
    step('rule', ['group']),
    step('dns', ['rule']),
    step('service', ['rule'], { removeAfter: ['dns'] }),
  ];

  it('lets a step go after all that need it, directly or not, and after its removeAfter', () => {
    const edges = downwardEdges(steps, new Set(['group', 'rule', 'dns', 'service']));
    expect(edges.get('group')?.toSorted()).toEqual(['dns', 'rule', 'service']);
    expect(edges.get('rule')?.toSorted()).toEqual(['dns', 'service']);
    expect(edges.get('service')).toEqual(['dns']);
    expect(edges.get('dns')).toEqual([]);
  });

  it('knows only what is left, and keeps the order across what is gone', () => {
    const edges = downwardEdges(steps, new Set(['group', 'service']));
    expect([...edges]).toEqual([
      ['group', ['service']],
      ['service', []],
    ]);
  });

  it('takes needs of steps that are not in the plan as gone', () => {
    expect([...downwardEdges([step('a', ['elsewhere'])], new Set(['a']))]).toEqual([['a', []]]);
  });
});

describe('inOrder', () => {
  it('puts every node after those before it', () => {
    fc.assert(
      fc.property(graphs, (steps) => {
        const edges = upwardEdges(steps);
        const order = inOrder(edges);
        expect(order.toSorted()).toEqual([...edges.keys()].toSorted());
        for (const [id, before] of edges)
          for (const b of before) expect(order.indexOf(b)).toBeLessThan(order.indexOf(id));
      }),
    );
  });

  it('throws on a cycle instead of leaving nodes out', () => {
    expect(() =>
      inOrder(
        new Map([
          ['a', ['b']],
          ['b', ['a']],
        ]),
      ),
    ).toThrow('a, b wait for each other');
  });
});

describe('sideBySide', () => {
  it('acts on exactly those behind which nothing failed, each after those before it', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, fc.array(fc.nat(20), { maxLength: 3 }), async (steps, bad) => {
        const failing = new Set(bad.map((n) => `s${n}`));
        const ended = new Set<string>();
        const acted = new Set<string>();
        const all = await sideBySide(upwardEdges(steps), async (id) => {
          for (const need of steps.find((s) => s.id === id)?.needs ?? []) expect(ended).toContain(need);
          acted.add(id);
          await Promise.resolve();
          if (failing.has(id)) return false;
          ended.add(id);
          return true;
        });
        const ancestors = ancestorsOf(steps);
        const expected = steps.filter((s) => ![...(ancestors.get(s.id) ?? [])].some((a) => failing.has(a)));
        expect([...acted].toSorted()).toEqual(expected.map((s) => s.id).toSorted());
        expect(all).toBe(!steps.some((s) => failing.has(s.id)));
      }),
    );
  });

  it('starts what is free together', async () => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const started: string[] = [];
    const done = sideBySide(
      new Map([
        ['a', []],
        ['b', []],
        ['c', ['a']],
      ]),
      async (id) => {
        started.push(id);
        await gate;
        return true;
      },
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(started).toEqual(['a', 'b']);
    open();
    expect(await done).toBe(true);
    expect(started).toEqual(['a', 'b', 'c']);
  });
});

describe('mustRun', () => {
  const ancestors = new Set(['a', 'b']);
  const inputs = inputsOf(
    ancestors,
    new Map([
      ['b', '2'],
      ['a', '1'],
      ['other', '9'],
    ]),
  );

  it('skips a ready step whose inputs are what they were, in whatever order they came', () => {
    expect(inputs).toBe(
      inputsOf(
        new Set(['b', 'a']),
        new Map([
          ['a', '1'],
          ['b', '2'],
        ]),
      ),
    );
    expect(mustRun(step('c'), { inputs }, inputs)).toBe(false);
  });

  it('runs a step that is not ready, that rereads, or whose inputs changed', () => {
    expect(mustRun(step('c'), undefined, inputs)).toBe(true);
    expect(mustRun(step('c', [], { rereads: true }), { inputs }, inputs)).toBe(true);
    expect(
      mustRun(
        step('c'),
        { inputs },
        inputsOf(
          ancestors,
          new Map([
            ['a', '1'],
            ['b', '3'],
          ]),
        ),
      ),
    ).toBe(true);
  });
});
