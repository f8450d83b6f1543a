import { CloudWatchLogsClient, PutRetentionPolicyCommand } from '@aws-sdk/client-cloudwatch-logs';
import { ChangeResourceRecordSetsCommand, Route53Client, type ResourceRecordSet } from '@aws-sdk/client-route-53';
import pg from 'pg';
import { dnsRecord } from '../../src/kinds/dns-record/kind.ts';
import { logGroup } from '../../src/kinds/log-group/kind.ts';
import { postgresLogin } from '../../src/kinds/postgres-login/kind.ts';
import { postgresPassword } from '../../src/kinds/postgres-password/kind.ts';
import { postgresSchema } from '../../src/kinds/postgres-schema/kind.ts';
import { slugReservation } from '../../src/kinds/slug-reservation/kind.ts';
import { taskDefinition } from '../../src/kinds/task-definition/kind.ts';
import { tenantActivation } from '../../src/kinds/tenant-activation/kind.ts';
import type { BlueprintRequest } from '../../src/products/product.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { describeKinds, sampleOf, type HandChange, type HandPlace, type Sample } from '../../testing/index.ts';
import { faultSample, recordFaults } from './record-faults.ts';
import { sharedParts } from './shared-parts.ts';

/** A commit waits for everything: here for the slug alone. */
const activation: Sample = {
  name: 'finalize',
  product: moamalat,
  steps: (request) => {
    const { steps } = moamalat.resolve(request);
    return steps
      .filter(({ id }) => id === 'validate' || id === 'finalize')
      .map((step) => ({ ...step, needs: step.id === 'finalize' ? ['validate'] : [] }));
  },
};

/** As after a rotation. */
const rotated = (request: BlueprintRequest) => moamalat.resolve({ ...request, credentials: 2 }).steps;
const login: Sample = {
  name: 'create_login:2',
  product: moamalat,
  steps: (request) => rotated(request).filter(({ id }) => ['validate', 'create_schema', 'create_login:2'].includes(id)),
  revised: (step) => ({ ...step, spec: { ...step.spec, connectionLimit: 7 } }),
};
/** It waits for the services: here for the schema alone. */
const revocation: Sample = {
  name: 'revoke_password:2',
  product: moamalat,
  steps: (request) =>
    rotated(request)
      .filter(({ id }) => ['validate', 'create_schema', 'revoke_password:2'].includes(id))
      .map((step) => (step.id === 'revoke_password:2' ? { ...step, needs: ['create_schema'] } : step)),
};

const configOf = ({ cell, credentials, endpointUrl }: HandPlace) => ({
  endpoint: endpointUrl,
  region: cell.region,
  credentials,
});

const otherRetention: HandChange = {
  name: 'it was given another retention',
  change: (at) =>
    new CloudWatchLogsClient(configOf(at)).send(
      new PutRetentionPolicyCommand({ logGroupName: String(at.outputs['name']), retentionInDays: 1 }),
    ),
};

const upsert = (at: HandPlace, record: Partial<ResourceRecordSet>) =>
  new Route53Client(configOf(at)).send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: at.cell.hostedZone.id,
      ChangeBatch: {
        Changes: [{ Action: 'UPSERT', ResourceRecordSet: { Name: at.host, Type: 'A', ...record } }],
      },
    }),
  );

const misledRecord: HandChange = {
  name: 'its host leads to an address of somebody else',
  change: (at) => upsert(at, { TTL: 60, ResourceRecords: [{ Value: '192.0.2.1' }] }),
  takeBack: (at) => {
    const { canonicalHostedZoneId, dnsName } = at.cell.loadBalancers[0]!;
    const AliasTarget = { HostedZoneId: canonicalHostedZoneId, DNSName: dnsName, EvaluateTargetHealth: false };
    return upsert(at, { AliasTarget });
  },
};

const alteredRole = (name: string, how: string): HandChange => ({
  name,
  change: async ({ databaseUrl, outputs }) => {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query(`alter role ${client.escapeIdentifier(String(outputs['role']))} ${how}`);
    await client.end();
  },
});
const handChanges = [alteredRole('its role may not log in', 'nologin')];

describeKinds(
  [
    { kind: slugReservation, samples: [sampleOf(moamalat, 'validate')] },
    {
      kind: logGroup,
      samples: [
        {
          ...sampleOf(moamalat, 'create_log_group:backend'),
          revised: (step) => ({ ...step, spec: { ...step.spec, retentionDays: 7 } }),
          handChanges: [otherRetention],
        },
      ],
    },
    { kind: dnsRecord, samples: [{ ...sampleOf(moamalat, 'create_dns'), handChanges: [misledRecord] }] },
    {
      kind: postgresSchema,
      samples: [
        {
          ...sampleOf(moamalat, 'create_schema'),
          revised: (step) => ({ ...step, spec: { ...step.spec, connectionLimit: 7 } }),
          handChanges,
        },
      ],
    },
    { kind: postgresLogin, samples: [{ ...login, handChanges }] },
    { kind: postgresPassword, samples: [revocation] },
    {
      kind: taskDefinition,
      samples: [
        {
          ...sampleOf(moamalat, 'create_task_definition:backend'),
          revised: (step) => ({
            ...step,
            spec: { ...step.spec, cpu: 512, memory: 1_024, environment: { REVISED: 'yes' } },
          }),
          freeFields: ['environment'],
          mayMakeTwice: ['ecs:RegisterTaskDefinition'],
        },
      ],
    },
    { kind: tenantActivation, samples: [activation] },
  ],
  { parts: sharedParts, onFaults: recordFaults, faultSample },
);
