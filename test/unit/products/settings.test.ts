import { describe, expect, it } from 'vitest';
import { moamalat } from '../../../src/products/moamalat/product.ts';
import { resolveUnplaced } from '../../../src/products/places.ts';
import { checkSettings, mergePatch, SettingsError } from '../../../src/products/settings.ts';
import { exampleCell } from '../../support/platform.ts';

const cell = exampleCell();
const [repository = ''] = cell.allowedImageRepositories;
const image = `${repository}@sha256:${'a'.repeat(64)}`;

/** What is wrong with the settings of a tenant's backend, by field. */
function problemsOf(backend: unknown): string[] {
  const checked = checkSettings(moamalat, { cell, tier: null }, { services: { backend } });
  return checked.ok ? [] : checked.problems.map(({ path, problem }) => `${path.join('.')}: ${problem}`);
}

describe('the settings of moamalat', () => {
  it.each([
    [{}],
    [{ image }],
    [{ count: 10 }],
    [{ cpu: 256, memory: 2_048 }],
    [{ cpu: 16_384, memory: 122_880, count: 1, image }],
  ])('may be %j for a service', (backend) => expect(problemsOf(backend)).toEqual([]));

  it.each([
    [{ image: `${repository}:1.0` }, 'services.backend.image: must name an image by its digest'],
    [{ image: `elsewhere/app@sha256:${'a'.repeat(64)}` }, "services.backend.image: must be of one of the cell's image"],
    [{ count: 0 }, 'services.backend.count: must be at least 1'],
    [{ count: 11 }, 'services.backend.count: must be at most 10'],
    [{ count: 1.5 }, 'services.backend.count: must be a whole number'],
    [{ count: '2' }, 'services.backend.count: must be a whole number'],
    [{ cpu: 300, memory: 512 }, 'services.backend.cpu: must be one of 256, 512, 1024'],
    [{ cpu: 256, memory: 4_096 }, 'services.backend.memory: must be, in MiB with cpu 256, 512, 1024, 2048'],
    [{ cpu: 8_192, memory: 17_408 }, 'services.backend.memory: must be, in MiB with cpu 8192, 16384 to 61440'],
    [{ cpu: 512 }, 'services.backend.memory: is required with cpu'],
    [{ memory: 512 }, 'services.backend.cpu: is required with memory'],
    [{ size: 1 }, 'services.backend: unknown field "size"; known: image, count, cpu, memory'],
  ])('may not be %j for a service', (backend, said) => {
    expect(problemsOf(backend)).toEqual([expect.stringContaining(said)]);
  });

  it('name no other service', () => {
    const checked = checkSettings(moamalat, { cell, tier: null }, { services: { worker: {} }, mode: 'x' });
    expect(checked).toEqual({
      ok: false,
      problems: [
        { path: ['services'], problem: 'unknown field "worker"; known: backend, frontend' },
        { path: [], problem: 'unknown field "mode"; known: services' },
      ],
    });
  });

  it('change what they name, and nothing else of the blueprint', () => {
    const tenant = { tenantId: '6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11', slug: 'acme', tier: null };
    const before = resolveUnplaced(moamalat, cell, tenant);
    const settings = { services: { backend: { image, count: 3 }, frontend: { cpu: 512, memory: 1_024 } } };
    const after = resolveUnplaced(moamalat, cell, { ...tenant, settings });
    const changed = after.steps.filter((step, i) => JSON.stringify(step) !== JSON.stringify(before.steps[i]));
    expect(changed.map(({ id, spec }) => [id, spec.image, spec.desiredCount, spec.cpu, spec.memory])).toEqual([
      ['create_task_definition:backend', image, undefined, undefined, undefined],
      ['deploy_backend', undefined, 3, undefined, undefined],
      ['create_task_definition:frontend', undefined, undefined, 512, 1_024],
    ]);
    expect(() => resolveUnplaced(moamalat, cell, { ...tenant, settings: { services: 1 } })).toThrow(SettingsError);
  });
});

describe('a merge patch (RFC 7396)', () => {
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{ a: 'foo' }, { a: { b: { c: null } } }, { a: { b: {} } }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('of %j with %j is %j', (settings, patch, merged) => expect(mergePatch(settings, patch)).toEqual(merged));

  it('takes a field of any name for one of its own', () => {
    const patch = JSON.parse('{"__proto__": {"polluted": true}}') as Record<string, unknown>;
    const merged = mergePatch({}, patch);
    expect(Object.keys(merged)).toEqual(['__proto__']);
    expect(merged.polluted).toBeUndefined();
  });
});
