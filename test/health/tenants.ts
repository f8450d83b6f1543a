import { randomUUID } from 'node:crypto';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';
import type { Step } from '../../src/contracts/blueprint.ts';
import type { Cell } from '../../src/contracts/platform.ts';
import type { Database } from '../../src/db/database.ts';
import { cell, type Seeded } from '../db/fixtures.ts';

const zone = 'tenants.test';

/** What an address does when it is asked: answers with a status, never answers, or something else first. */
export type Behavior = number | 'hangs' | (() => Promise<number>);

/** A load balancer that answers for every tenant as the test says; nobody's host gets 404. */
export interface Front {
  /** By slug, or slug and path. Default: 404. */
  readonly behaviors: Map<string, Behavior>;
  /** Slugs in the order in which they were asked, with when. */
  readonly asked: { readonly slug: string; readonly atMs: number }[];
  readonly connect: { readonly host: string; readonly port: number; readonly ca: string };
  close(): Promise<void>;
}

export async function startFront(): Promise<Front> {
  const certificate = await generate([{ name: 'commonName', value: `*.${zone}` }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: `*.${zone}` }] }],
  });
  const behaviors: Front['behaviors'] = new Map();
  const asked: { slug: string; atMs: number }[] = [];
  const server = https.createServer({ key: certificate.private, cert: certificate.cert }, (request, response) => {
    const slug = request.headers.host?.split('.')[0] ?? '';
    asked.push({ slug, atMs: performance.now() });
    const behavior = behaviors.get(`${slug}${request.url ?? ''}`) ?? behaviors.get(slug) ?? 404;
    if (behavior === 'hangs') return;
    if (typeof behavior === 'number') response.writeHead(behavior).end();
    else void behavior().then((status) => response.writeHead(status).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    behaviors,
    asked,
    connect: { host: '127.0.0.1', port, ca: certificate.cert },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A cell whose load balancers these are. */
export function cellOf(fronts: readonly Front[]): Cell {
  return {
    ...cell,
    loadBalancers: cell.loadBalancers.map((lb, i) => ({ ...lb, connect: fronts[i]?.connect })),
  };
}

const noTenant = { taskDefinitionArn: 'arn', targetGroupArn: 'arn', containerName: 'app', containerPort: 80 };

function service(slug: string, component: string, path: string, loadBalancerArn: string): Step {
  return {
    id: `deploy_${component}`,
    kind: 'ecs-service',
    needs: [],
    spec: {
      ...noTenant,
      serviceName: `moamalat-${slug}-${component}`,
      desiredCount: 1,
      healthCheckGraceSeconds: 0,
      probe: { loadBalancerArn, host: `${slug}.${zone}`, path },
    },
  };
}

/** Active tenants of two services, behind the first or second load balancer, as their provisioning left them. */
export async function activeTenants(db: Database, slugs: readonly string[], loadBalancer = 0): Promise<Seeded[]> {
  const arn = cell.loadBalancers[loadBalancer]!.arn;
  const seeded = slugs.map((slug) => ({ tenantId: randomUUID(), operationId: randomUUID(), slug }));
  const blueprint = (slug: string) => ({
    ...{ version: 1, product: 'moamalat', tier: null, cell: cell.id },
    steps: [service(slug, 'backend', '/api', arn), service(slug, 'frontend', '/', arn)],
  });
  const ids = [seeded.map((t) => t.tenantId), seeded.map((t) => t.operationId), [...slugs]];
  await db.query(
    `insert into tenants (id, product, slug, display_name, contact_email, cell, host_name, tenant_url, status)
     select id, 'moamalat', slug, 'A tenant', 'somebody@tenants.test', $3, slug || '.tenants.test',
       'https://' || slug || '.tenants.test', 'active' from unnest($1::uuid[], $2::text[]) t (id, slug)`,
    [ids[0], ids[2], cell.id],
  );
  await db.query(
    `insert into operations (id, tenant_id, cell, type, state, on_failure, hold_ms, workflow_id, blueprint, closed_at)
     select o.id, o.tenant_id, $4, 'provision', 'succeeded', 'hold', 0, 'tenant.moamalat.' || slug, blueprint, now()
     from unnest($1::uuid[], $2::uuid[], $3::text[], $5::jsonb[]) o (tenant_id, id, slug, blueprint)`,
    [...ids, cell.id, slugs.map((slug) => JSON.stringify(blueprint(slug)))],
  );
  return seeded;
}

export async function move(db: Database, tenants: readonly Seeded[], ...statuses: string[]): Promise<void> {
  for (const status of statuses)
    await db.query('update tenants set status = $2 where id = any ($1::uuid[])', [
      tenants.map(({ tenantId }) => tenantId),
      status,
    ]);
}
