import http from 'node:http';
import https from 'node:https';
import { ACMClient } from '@aws-sdk/client-acm';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { Route53Client } from '@aws-sdk/client-route-53';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { AwsError } from './answer.ts';
import { scopeKey, type Answer, type Call, type Scope, type Signer } from './request.ts';

/** SDK clients that speak to the upstream as the caller of a scope would. */
export interface UpstreamClients {
  readonly scope: Scope;
  readonly acm: ACMClient;
  readonly dynamodb: DynamoDBClient;
  readonly ecs: ECSClient;
  readonly elb: ElasticLoadBalancingV2Client;
  readonly ec2: EC2Client;
  readonly logs: CloudWatchLogsClient;
  readonly route53: Route53Client;
  readonly s3: S3Client;
  readonly secrets: SecretsManagerClient;
  readonly ssm: SSMClient;
}

/** Access key id of calls that carry no signature. */
export const anonymous = 'anonymous';

/** The AWS endpoint behind the gateway. */
export class Upstream {
  readonly url: URL;
  readonly #agent: http.Agent;
  readonly #clients = new Map<string, UpstreamClients>();
  readonly #accounts = new Map<string, Promise<string>>();

  constructor(url: string) {
    this.url = new URL(url);
    const options = { keepAlive: true, maxSockets: 128 };
    this.#agent = this.url.protocol === 'https:' ? new https.Agent(options) : new http.Agent(options);
  }

  /** Sends the call on as it came. @throws AwsError ServiceUnavailable (503) when the upstream cannot be reached. */
  forward = async (call: Call): Promise<Answer> => {
    try {
      return await this.#exchange(call);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new AwsError('ServiceUnavailable', `${this.url.origin} could not be reached: ${reason}`, 503);
    }
  };

  /** The account behind an access key, asked once; while the upstream is out of reach the key stands for itself. */
  accountOf = async (signer: Signer): Promise<string> => {
    const { accessKeyId, region } = signer;
    if (/^\d{12}$/.test(accessKeyId) || accessKeyId === anonymous) return accessKeyId;
    const known = this.#accounts.get(accessKeyId);
    if (known) return known;
    const sts = new STSClient({
      endpoint: this.url.href,
      region,
      credentials: { accessKeyId, secretAccessKey: 'gateway' },
      maxAttempts: 1,
    });
    const asked = sts
      .send(new GetCallerIdentityCommand({}))
      .then(({ Account = accessKeyId }) => Account)
      .finally(() => sts.destroy());
    this.#accounts.set(accessKeyId, asked);
    return asked.catch(() => {
      this.#accounts.delete(accessKeyId);
      return accessKeyId;
    });
  };

  /** Every scope that has called so far. */
  scopes(): Scope[] {
    return [...this.#clients.values()].map((c) => c.scope);
  }

  clients(scope: Scope): UpstreamClients {
    const key = scopeKey(scope);
    const known = this.#clients.get(key);
    if (known) return known;
    const config = {
      endpoint: this.url.href,
      region: scope.region,
      // Emulators take twelve digits as access key for that account.
      credentials: { accessKeyId: scope.accountId, secretAccessKey: 'gateway' },
      maxAttempts: 2,
    };
    const made: UpstreamClients = {
      scope,
      acm: new ACMClient(config),
      dynamodb: new DynamoDBClient(config),
      ecs: new ECSClient(config),
      elb: new ElasticLoadBalancingV2Client(config),
      ec2: new EC2Client(config),
      logs: new CloudWatchLogsClient(config),
      route53: new Route53Client(config),
      s3: new S3Client({ ...config, forcePathStyle: true }),
      secrets: new SecretsManagerClient(config),
      ssm: new SSMClient(config),
    };
    this.#clients.set(key, made);
    return made;
  }

  close(): void {
    this.#agent.destroy();
    for (const { scope: _scope, ...clients } of this.#clients.values()) {
      for (const client of Object.values(clients)) client.destroy();
    }
  }

  #exchange(call: Call): Promise<Answer> {
    const transport = this.url.protocol === 'https:' ? https : http;
    const headers = { ...withoutConnectionHeaders(call.headers), 'content-length': String(call.body.length) };
    return new Promise((resolve, reject) => {
      // Host and port stay the upstream's own: a path such as `//elsewhere` must not lead away from it.
      const { hostname, port } = this.url;
      const path = call.path.startsWith('/') ? call.path : `/${call.path}`;
      const request = transport.request(
        { hostname, port, path, method: call.method, headers, agent: this.#agent, timeout: 60_000 },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            resolve({
              status: response.statusCode ?? 502,
              headers: withoutConnectionHeaders(response.headers),
              body: Buffer.concat(chunks),
            });
          });
        },
      );
      request.on('timeout', () => request.destroy(new Error('no answer within 60 s')));
      request.on('error', reject);
      request.end(call.body);
    });
  }
}

const connectionHeaders = new Set(['connection', 'transfer-encoding', 'content-length', 'keep-alive', 'expect']);

/** Headers that go on: those of one connection do not. */
function withoutConnectionHeaders(headers: http.IncomingHttpHeaders): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !connectionHeaders.has(name));
  return Object.fromEntries(
    kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, [value].flat().join(', ')]])),
  );
}
