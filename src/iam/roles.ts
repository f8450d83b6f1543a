/** The roles of workers of table 45.6 that have rights in AWS. The API has none: it holds no credentials (R-SEC-10). */
export const workerRoles = ['provisioning', 'data', 'status-checker', 'notify', 'registry-writer'] as const;
export type WorkerRole = (typeof workerRoles)[number];

/**
 * Whose rights a kind's verbs use, by its name: a role, or `accounts` for the policies that terraform/accounts makes together with the tables
 * and the bucket that they name; the landing zone attaches them beside those of `provisioning`.
 */
export const roleOfKind: Readonly<Record<string, WorkerRole | 'accounts'>> = {
  'slug-reservation': 'provisioning',
  'dns-record': 'provisioning',
  'listener-rule': 'provisioning',
  'listener-notice': 'provisioning',
  'ecs-service': 'provisioning',
  'target-group': 'provisioning',
  'task-definition': 'provisioning',
  'log-group': 'provisioning',
  'tenant-activation': 'provisioning',
  'postgres-schema': 'data',
  'postgres-login': 'data',
  'postgres-password': 'data',
  'dynamodb-item': 'data',
  'dynamodb-rows': 'data',
  'cloudformation-stack': 'accounts',
  'ssm-parameters': 'accounts',
  'ssm-status': 'accounts',
  'account-fence': 'accounts',
  'account-lease': 'accounts',
  'account-stream': 'accounts',
  'account-copy': 'accounts',
  'account-switch': 'accounts',
};
