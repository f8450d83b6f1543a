import { createHash } from 'node:crypto';
import { ApiError, type Accepted, type ApiClient, type Tenant } from '../../src/cli/api-client.ts';
import type { Settings } from '../../src/contracts/settings.ts';
import type { Parts } from '../stack/parts.ts';
import { atTime, formatDuration } from '../parts/log.ts';
import { changeByHand, lookForDrift } from './by-hand.ts';
import type { Answers, Prober } from './prober.ts';
import { follow, type DemoProduct, type Finished } from './provision.ts';
import { askTenant } from './tenant-address.ts';

/** A tenant that is active, and what shows how it is. */
export interface Scene {
  readonly api: ApiClient;
  readonly parts: Parts;
  readonly whose: DemoProduct;
  readonly tenant: Finished;
  /** Undefined: the tenant has no address. */
  readonly prober: Prober | undefined;
}

interface Chapter {
  readonly title: string;
  /** What is asked for; it may be refused, as what this product does not offer. */
  readonly ask: (scene: Scene) => Promise<Accepted | Tenant>;
  /** What happens before it is asked for. Answers whether it went as it has to. */
  readonly before?: (scene: Scene) => Promise<boolean>;
  readonly afterwards?: (scene: Scene) => Promise<boolean>;
  /** How its operation has to end, and its tenant with it. */
  readonly ends: { readonly state: string; readonly status: string };
  /** The address does not answer its users meanwhile, as was asked for. */
  readonly isSilent?: true;
}

const chapters: readonly Chapter[] = [
  {
    title: 'another image and size for one service',
    ask: (scene) => change(scene, { image: imageOf(scene, '1.1'), cpu: 512, memory: 1024 }),
    ends: { state: 'succeeded', status: 'active' },
  },
  {
    title: 'an image that does not stay up: it goes back by itself',
    ask: (scene) => change(scene, { image: imageOf(scene, 'crash') }),
    ends: { state: 'rolled-back', status: 'active' },
  },
  {
    title: 'two tasks of one service',
    ask: ({ api, tenant, whose }) => api.scale(tenant.tenantId, { service: whose.services[0], count: 2 }),
    ends: { state: 'succeeded', status: 'active' },
  },
  {
    title: 'suspended: a notice answers',
    ask: ({ api, tenant }) => api.changeMode(tenant.tenantId, 'suspend', { reason: 'unpaid' }),
    ends: { state: 'succeeded', status: 'suspended' },
    isSilent: true,
  },
  {
    title: 'resumed, with as many tasks as before',
    ask: ({ api, tenant }) => api.changeMode(tenant.tenantId, 'resume', {}),
    ends: { state: 'succeeded', status: 'active' },
    isSilent: true,
  },
  {
    title: 'its password rotated, the old one revoked',
    ask: ({ api, tenant }) => api.changeMode(tenant.tenantId, 'rotate', {}),
    ends: { state: 'succeeded', status: 'active' },
  },
  {
    title: 'changed by hand, seen, and repaired',
    before: async ({ parts, tenant, whose }) => {
      await changeByHand(parts, tenant.tenantId, whose.services.at(-1) ?? '');
      return lookForDrift(parts, tenant.tenantId);
    },
    ask: ({ api, tenant }) => api.repair(tenant.tenantId, { reason: 'changed by hand' }),
    afterwards: async ({ parts, tenant }) => !(await lookForDrift(parts, tenant.tenantId)),
    ends: { state: 'succeeded', status: 'active' },
  },
];

/** How a chapter went. */
export interface Told {
  readonly title: string;
  readonly tookMs: number;
  /** What its address answered meanwhile; undefined where it has none, or was to be silent. */
  readonly answers: Answers | undefined;
}

/**
 * All that happens to a tenant between its first day and its last.
 * @returns undefined when something did not go as it has to, which is printed
 */
export async function wholeLife(scene: Scene): Promise<readonly Told[] | undefined> {
  await scene.prober?.take();
  const told: Told[] = [];
  for (const [i, chapter] of chapters.entries()) {
    console.log(`\n  ${i + 2}. ${chapter.title}`);
    const began = Date.now();
    if (!(await play(scene, chapter))) return undefined;
    const tookMs = Date.now() - began;
    const answers = await scene.prober?.take();
    told.push({ title: chapter.title, tookMs, answers: chapter.isSilent ? undefined : answers });
    if (answers && !chapter.isSilent && !wasAnswered(answers)) return undefined;
  }
  return told;
}

async function play(scene: Scene, { afterwards, ask, before, ends, isSilent }: Chapter): Promise<boolean> {
  if (before && !(await before(scene))) return false;
  const began = Date.now();
  const asked = await ask(scene).catch((error: unknown) => {
    if (error instanceof ApiError && error.status < 500) return error;
    throw error;
  });
  if (asked instanceof ApiError) {
    console.log(`  not offered by ${scene.whose.product}: ${asked.message}`);
    return true;
  }
  if (!('operationId' in asked)) {
    console.error('  there was nothing to carry out');
    return false;
  }
  const { status } = await follow(scene.api, scene.tenant.tenantId, asked.operationId);
  const { state } = status.operation;
  console.log(`  ${atTime(`the tenant is ${status.status}, after ${formatDuration(Date.now() - began)}`)}`);
  if (state !== ends.state || status.status !== ends.status) {
    console.error(`  it should be ${ends.status}, its operation ${ends.state} and not ${state}`);
    return false;
  }
  if (isSilent === true) return answersAsItIs(scene, status.status);
  return afterwards === undefined || afterwards(scene);
}

/** One request that shows the notice, or the tenant. */
async function answersAsItIs({ parts, tenant }: Scene, status: string): Promise<boolean> {
  if (tenant.status.tenantUrl === null) return true;
  const { status: code, body } = await askTenant(parts.platform, new URL(tenant.status.tenantUrl).host, '/');
  console.log(`  its address answers ${code}${code === 200 ? '' : `: ${body.trim()}`}`);
  return code === (status === 'suspended' ? 503 : 200);
}

function wasAnswered(answers: Answers): boolean {
  const failed = failuresIn(answers);
  console.log(`  its address was asked ${answers.asked} times meanwhile, ${failed} failed${said(answers)}`);
  return failed === 0;
}

/** How many requests failed. */
export function failuresIn({ failures }: Answers): number {
  return [...failures.values()].reduce((sum, n) => sum + n, 0);
}

function said({ failures }: Answers): string {
  return failures.size === 0 ? '' : `: ${[...failures].map(([what, times]) => `${times} x ${what}`).join('; ')}`;
}

function change({ api, tenant, whose }: Scene, settings: Settings) {
  const [service = 'app'] = whose.services;
  return api.change(tenant.tenantId, { settings: { services: { [service]: settings } }, onFailure: 'rollback' });
}

/** The sandbox's registry knows an image by its tag; settings take it by its digest. */
function imageOf({ parts, whose }: Scene, tag: string): string {
  const [service = ''] = whose.services;
  const repositories = parts.platform.cells[0]?.allowedImageRepositories ?? [];
  const repository =
    repositories.find((name) => name.includes(`/${whose.product}-${service}`)) ?? repositories[0] ?? '';
  return `${repository}:${tag}@sha256:${createHash('sha256').update(tag).digest('hex')}`;
}
