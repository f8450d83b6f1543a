/**
 * The platform description: all cells of this installation, as the Terraform output `platform` prints it
 * (`terraform output -json platform`). Parsed and checked by `src/platform.ts`; the JSON Schema is `docs/platform.schema.json`.
 */
export interface Platform {
  readonly version: 1;
  readonly cells: readonly Cell[];
}

/** One landing zone that tenants share. Everything a tenant of this cell may touch is named here. */
export interface Cell {
  /** Stable name of the cell, a DNS label; the default cell is `default`. */
  readonly id: string;
  /** `production`, `staging`, `sandbox`, ...: goes to tenants as `ENVIRONMENT`. */
  readonly environment: string;
  readonly accountId: string;
  readonly region: string;
  /** Role to assume for every call in this cell; absent: the worker's own credentials. */
  readonly roleArn?: string | undefined;
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  /** ECS cluster name. */
  readonly cluster: string;
  /** IAM roles that task definitions of tenants may name (task role, execution role). */
  readonly allowedRoleArns: readonly string[];
  /** Image repositories (without tag or digest) that containers of tenants may come from. */
  readonly allowedImageRepositories: readonly string[];
  /** Per product and component: the ECS service whose task definition is cloned. */
  readonly templateServices: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /**
   * Per product: what its tenants may share with their templates, and so with each other. A template that holds anything else of
   * these sorts is refused.
   */
  readonly sharedWithTemplate?: Readonly<Record<string, SharedWithTemplate>> | undefined;
  readonly loadBalancers: readonly LoadBalancer[];
  readonly hostedZone: HostedZone;
  /** False: no tenant is made here any more; those that are there go on as before. Absent: true. */
  readonly acceptsTenants?: boolean | undefined;
  /** Per product: the parent domain of its tenants' hosts. */
  readonly domains: Readonly<Record<string, string>>;
  /** Products that the cell serves whose tenants have no host. Those whose tenants have one are served where they have a domain. */
  readonly products?: readonly string[] | undefined;
  readonly tenantDatabases: readonly TenantDatabase[];
  readonly logRetentionDays: number;
  /** Where final dumps of deleted tenants are kept; absent: none is made. */
  readonly archive?: Archive | undefined;
  /** Where the tenants of this cell are projected to; absent: nowhere. */
  readonly projection?: Projection | undefined;
  /** DynamoDB tables of the cell's account and region in which tenants have items side by side. */
  readonly sharedTables?: readonly string[] | undefined;
  /**
   * By name: parameters of the cell's SSM Parameter Store that products and tenants' services read, as they are to be. `doctor` checks
   * that SSM has them so. In the clear: none of them is a secret.
   */
  readonly ssmParameters?: Readonly<Record<string, string>> | undefined;
  /** Sender of tenants' mails (an SES identity of this cell). */
  readonly mailFrom: string;
  readonly mailReplyTo?: string | undefined;
  /** Language of tenants' mails. */
  readonly mailLocale: MailLocale;
  /**
   * How long things usually take here, in ms, where that differs from the kinds' own figures; sets the first look
   * of readiness and absence polling, never a deadline. Keys: `<kind>.ready`, `<kind>.gone`.
   */
  readonly usualMs?: Readonly<Record<string, number>> | undefined;
}

/** A DynamoDB table of the cell's account and region, with the keys that `docs/projection.md` names. */
export interface Projection {
  readonly table: string;
}

/** A bucket that no tenant can reach: neither their roles nor their tasks' have rights on it. */
export interface Archive {
  readonly bucket: string;
  /** Of every object's key; ends with a slash. */
  readonly prefix?: string | undefined;
  readonly retentionDays: number;
  /** Objects are encrypted with it; absent: as the bucket has it. */
  readonly kmsKeyArn?: string | undefined;
}

export type MailLocale = 'en' | 'ar';

/** Names, as the template's task definition has them. */
export interface SharedWithTemplate {
  /** Volumes on a file system (EFS). */
  readonly volumes?: readonly string[] | undefined;
  /** Secrets of containers (`secrets[].name`). */
  readonly secrets?: readonly string[] | undefined;
  /** Environment files (`environmentFiles[].value`, S3 ARNs). */
  readonly environmentFiles?: readonly string[] | undefined;
  /**
   * Plain variables that look like a credential, a data store or the template's own name. Other text of containers by its
   * field: `command`, `entryPoint`, `healthCheck.command`, `dockerLabels.<label>`.
   */
  readonly environment?: readonly string[] | undefined;
}

export interface LoadBalancer {
  readonly arn: string;
  readonly dnsName: string;
  readonly canonicalHostedZoneId: string;
  readonly ipAddressType: 'ipv4' | 'dualstack';
  readonly httpsListenerArn: string;
  readonly certificateArn: string;
  /** Listener rules of others that may catch some of the tenants' requests before the tenants' own rules do. */
  readonly allowedRuleArns?: readonly string[] | undefined;
  /** For listeners reached otherwise than by their DNS name on port 443 (`ca`: PEM of the CA to trust). */
  readonly connect?: { readonly host: string; readonly port: number; readonly ca?: string | undefined } | undefined;
}

export interface HostedZone {
  readonly id: string;
  readonly name: string;
  /** How long resolvers may still hold a removed alias, in s: waited out before its target goes (60 for an ALB alias). */
  readonly drainSeconds: number;
}

/** A server and database that tenants' schemas go to, as the tenants' containers reach it. */
export interface TenantDatabase {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly name: string;
}
