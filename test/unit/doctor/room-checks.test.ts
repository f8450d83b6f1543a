import { expect, it } from 'vitest';
import { defaultCatalog } from '../../../src/catalog/catalog.ts';
import { checkRoom } from '../../../src/doctor/room-checks.ts';
import { exampleCell } from '../../support/platform.ts';

const cell = exampleCell();
const { arn } = cell.loadBalancers[0]!;

/** What AWS has there, and what tenants have reserved. */
async function roomWith(used: { rules: number; targetGroups: number }, reserved = { rules: 0, targetGroups: 0 }) {
  const seen = {
    state: 'active',
    dnsName: '',
    canonicalHostedZoneId: '',
    listeners: [],
    ...used,
    httpsRules: used.rules,
  };
  const landingZone = { loadBalancer: () => Promise.resolve(seen) };
  const found = await checkRoom({ cell, catalog: defaultCatalog, landingZone, reserved: new Map([[arn, reserved]]) });
  return found.find(({ subject }) => subject.endsWith('moamalat'));
}

it('counts the tenants that fit, by rules, target groups and what is reserved for suspension notices', async () => {
  const finding = await roomWith({ rules: 0, targetGroups: 0 });
  expect(finding).toMatchObject({ verdict: 'ok', subject: 'cell default: room for tenants of moamalat' });
  expect(finding?.detail).toContain('33 more');
  expect(finding?.detail).toContain('each takes 3 rules and 2 target groups');
  expect((await roomWith({ rules: 20, targetGroups: 20 }, { rules: 30, targetGroups: 20 }))?.detail).toContain(
    '23 more',
  );
  expect((await roomWith({ rules: 0, targetGroups: 81 }))?.detail).toContain('9 more');
});

it('warns, with what to do, when little room is left', async () => {
  const full = await roomWith({ rules: 66, targetGroups: 66 }, { rules: 99, targetGroups: 66 });
  expect(full).toMatchObject({ verdict: 'warning' });
  expect(full?.detail).toContain('0 more');
  expect(full?.detail).toContain('Add a load balancer to the cell');
});

it('tells that AWS has no room where the API would still place tenants: rules of others fill it', async () => {
  const finding = await roomWith({ rules: 99, targetGroups: 2 });
  expect(finding).toMatchObject({ verdict: 'warning' });
  expect(finding?.detail).toContain('AWS takes no more (the API would place 33)');
  expect(finding?.detail).toContain('QUOTA_EXCEEDED');
});
