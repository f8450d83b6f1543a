import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { duties, listing } from '../../../src/iam/duties.ts';
import { neededActions } from '../../../src/iam/needed-actions.ts';
import { workerRoles } from '../../../src/iam/roles.ts';
import { builtInKinds } from '../../../src/kinds/built-in.ts';

const adapters = new URL('../../../src/aws/', import.meta.url);

/** IAM's names of services, by those of the SDK's packages, where they differ. */
const services: Readonly<Record<string, string>> = {
  'cloudwatch-logs': 'logs',
  'dynamodb-streams': 'dynamodb',
  'elastic-load-balancing-v2': 'elasticloadbalancing',
  'route-53': 'route53',
  'secrets-manager': 'secretsmanager',
  sesv2: 'ses',
};

/** Actions of calls that are not named like them. Source: service authorization reference. */
const otherwise: Readonly<Record<string, readonly string[]>> = {
  's3:HeadObject': ['s3:GetObject'],
  's3:CreateMultipartUpload': ['s3:PutObject'],
  's3:UploadPart': ['s3:PutObject'],
  's3:CompleteMultipartUpload': ['s3:PutObject'],
  's3:DeleteObjects': ['s3:DeleteObject', 's3:DeleteObjectVersion'],
  's3:ListObjectVersions': ['s3:ListBucketVersions'],
  's3:ListMultipartUploads': ['s3:ListBucketMultipartUploads'],
  'dynamodb:TransactWriteItems': [
    'dynamodb:PutItem',
    'dynamodb:UpdateItem',
    'dynamodb:DeleteItem',
    'dynamodb:ConditionCheckItem',
  ],
  // It needs no rights.
  'sts:GetCallerIdentity': [],
};

/** Not by a call: what AWS demands beside one, or who gives it otherwise. */
const besideCalls = [
  'cloudformation:TagResource',
  'elasticloadbalancing:AddTags',
  'iam:PassRole',
  'logs:TagResource',
  's3:GetObjectVersion',
  's3:PutObjectTagging',
  'secretsmanager:TagResource',
];

function callsOf(file: string): string[] {
  const text = readFileSync(new URL(file, adapters), 'utf8');
  const imports = [...text.matchAll(/import (?:type )?\{([^}]*)\} from '@aws-sdk\/client-([a-z0-9-]+)'/g)];
  return imports.flatMap(([, names = '', service = '']) =>
    [...names.matchAll(/\b(\w+)Command\b/g)]
      .filter(([name]) => text.includes(`new ${name}(`))
      .flatMap(([, call = '']) => {
        const action = `${services[service] ?? service}:${call}`;
        return otherwise[action] ?? [action];
      }),
  );
}

const files = readdirSync(adapters, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const called = [...new Set(files.flatMap(callsOf))].sort();
const needed = [
  ...new Set(([...workerRoles, 'accounts'] as const).flatMap((role) => neededActions(role, builtInKinds))),
].sort();

describe('actions that policies are made of', () => {
  it('are found in the adapters at all', () => {
    expect(called.length).toBeGreaterThan(70);
    expect(called).toEqual(expect.arrayContaining(['ecs:CreateService', 'ses:SendEmail', 's3:DeleteObjectVersion']));
  });

  it('are those of every call of the adapters', () => {
    expect(called.filter((action) => !needed.includes(action))).toEqual([]);
  });

  it('are called, or demanded by AWS beside a call', () => {
    expect(needed.filter((action) => !called.includes(action) && !action.startsWith('kms:'))).toEqual(besideCalls);
  });

  it('hold what lists the cell', () => {
    const listed = Object.values(listing).flat();
    const calls = files.filter((file) => file.startsWith('inventory/')).flatMap(callsOf);
    expect(calls.length).toBeGreaterThan(10);
    expect(calls.filter((action) => !listed.includes(action))).toEqual([]);
    const types = builtInKinds.flatMap(({ types: own, leftTypes = {} }) => [
      ...Object.keys(own),
      ...Object.keys(leftTypes),
    ]);
    expect(Object.keys(listing).sort()).toEqual(
      [...new Set(types)].filter((type) => !type.startsWith('postgres:')).sort(),
    );
  });

  it('hold what the preflight sees of the landing zone, what mails take, and what objects of the archive take', () => {
    const of = (role: string) =>
      Object.values(duties)
        .filter((duty) => duty.role === role)
        .flatMap(({ actions }) => actions);
    expect(callsOf('landing-zone.ts').filter((action) => !of('status-checker').includes(action))).toEqual([]);
    expect(callsOf('ses.ts')).toEqual(of('notify'));
    expect(callsOf('ssm.ts').sort()).toEqual(
      of('registry-writer')
        .filter((action) => action.startsWith('ssm:'))
        .sort(),
    );
    expect(callsOf('s3.ts').filter((action) => !of('data').includes(action))).toEqual([]);
  });
});
