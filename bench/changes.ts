/** Asks a tenant's address ten times a second while everything is done to it that operators do, and counts what failed. */
import { startProber } from '../sandbox/demo/prober.ts';
import { createTenant, demoProduct } from '../sandbox/demo/provision.ts';
import { failuresIn, wholeLife } from '../sandbox/demo/whole-life.ts';
import type { ChangesFigures } from './page.ts';
import { saveResult } from './results.ts';
import { startStand } from './stand.ts';

const stand = await startStand('demo');
try {
  await stand.startWorker();
  await stand.startApi();
  await stand.ready();
  const { api, parts } = stand;
  const whose = await demoProduct(undefined);
  const tenant = await createTenant(api, whose, 'bench-changes');
  const { tenantUrl } = tenant.status;
  if (tenantUrl === null) throw new Error(`a tenant of ${whose.product} has no address`);
  const prober = startProber(parts.platform, new URL(tenantUrl).host, '/api/tenant');
  const told = await wholeLife({ api, parts, whose, tenant, prober });
  await prober.stop();
  if (!told) throw new Error('something did not go as it has to');
  const figures: ChangesFigures = {
    operations: told.flatMap(({ title, tookMs, answers }) =>
      answers ? [{ title, tookMs, asked: answers.asked, failed: failuresIn(answers) }] : [],
    ),
  };
  saveResult('changes', figures);
} finally {
  await stand.stop();
}
