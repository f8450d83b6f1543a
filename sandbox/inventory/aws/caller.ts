import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerTree } from './answer-tree.ts';
import { signedHeaders } from './signature.ts';

/** Whose resources are meant: accounts and regions are apart. */
export interface AwsScope {
  readonly accountId: string;
  readonly region: string;
}

/** One signed read, by the protocol of its service. */
export type AwsRead =
  | { readonly protocol: 'json'; readonly service: string; readonly target: string; readonly input?: object }
  | {
      readonly protocol: 'query';
      readonly service: string;
      readonly version: string;
      readonly action: string;
      readonly input?: Readonly<Record<string, string | undefined>>;
    }
  | {
      readonly protocol: 'rest';
      readonly service: string;
      readonly path: string;
      readonly input?: Readonly<Record<string, string | undefined>>;
    };

/** AWS refused a read of the inventory. */
export class AwsReadError extends Error {
  override readonly name = 'AwsReadError';
  /** AWS's error code, such as `TargetGroupNotFound`; empty when the answer names none. */
  readonly code: string;
  readonly status: number;

  constructor(read: AwsRead, status: number, body: string) {
    super(`${describeRead(read)} was answered ${status}: ${body.slice(0, 500)}`);
    this.status = status;
    this.code = /(?:<Code>|"(?:__type|code|Code)"\s*:\s*")(?:[\w.]+#)?([\w.]+)/.exec(body)?.[1] ?? '';
  }
}

/** Reads AWS's APIs by plain signed calls: an oracle has no use for the retries, caches and middleware of an SDK. */
export class AwsCaller {
  readonly scope: AwsScope;
  readonly #endpoint: URL;

  constructor(endpoint: string | URL, scope: AwsScope) {
    this.#endpoint = new URL(endpoint);
    this.scope = scope;
  }

  get endpoint(): string {
    return this.#endpoint.href;
  }

  /** @throws AwsReadError when AWS refuses; Error naming the call when the endpoint cannot be reached three times. */
  async read(read: AwsRead): Promise<AnswerTree> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { status, body } = await exchange(this.#endpoint, this.#request(read));
        if (status >= 300) throw new AwsReadError(read, status, body);
        return body.trimStart().startsWith('<') ? AnswerTree.ofXml(body) : AnswerTree.ofJson(JSON.parse(body || '{}'));
      } catch (cause) {
        // A kept connection may be closed by the other side just as it is used again; reads are safe to repeat.
        if (cause instanceof AwsReadError) throw cause;
        if (attempt === 3) throw new Error(`${describeRead(read)} failed at ${this.#endpoint.origin}`, { cause });
        await sleep(20 * attempt);
      }
    }
  }

  #request(read: AwsRead): WireRequest {
    const { method, path, query, headers, body } = wireForm(read);
    const signer = {
      // Emulators take twelve digits as access key for that account.
      accessKeyId: this.scope.accountId,
      secretAccessKey: 'inventory',
      region: this.scope.region,
      service: read.service,
    };
    const unsigned = { method, host: this.#endpoint.host, path, query, headers, body };
    return { method, path: query ? `${path}?${query}` : path, headers: signedHeaders(unsigned, signer), body };
  }
}

/** All pages of a list call, one after the other. `input` gets the token of the page wanted. */
export async function readPages<Token = string>(
  read: (token: Token | undefined) => Promise<AnswerTree>,
  next: (answer: AnswerTree) => Token | undefined,
): Promise<AnswerTree[]> {
  const answers: AnswerTree[] = [];
  let token: Token | undefined;
  do {
    const answer = await read(token);
    answers.push(answer);
    token = next(answer);
  } while (token !== undefined);
  return answers;
}

interface WireRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function wireForm(read: AwsRead): Omit<WireRequest, 'path'> & { path: string; query: string } {
  switch (read.protocol) {
    case 'json': {
      const version = jsonVersion1.has(read.service) ? '1.0' : '1.1';
      const headers = { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': read.target };
      return { method: 'POST', path: '/', query: '', headers, body: JSON.stringify(read.input ?? {}) };
    }
    case 'query': {
      const body = encodeParams({ Action: read.action, Version: read.version, ...read.input });
      const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
      return { method: 'POST', path: '/', query: '', headers, body };
    }
    case 'rest':
      return { method: 'GET', path: read.path, query: encodeParams(read.input ?? {}), headers: {}, body: '' };
  }
}

const jsonVersion1 = new Set(['dynamodb', 'sqs']);

/** Sorted, as a signature wants it. */
function encodeParams(params: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(params)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, value]) => `${encodeStrictly(name)}=${encodeStrictly(value)}`)
    .sort()
    .join('&');
}

function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

const agentOptions = { keepAlive: true, maxSockets: 24 };
const agents = { 'http:': new http.Agent(agentOptions), 'https:': new https.Agent(agentOptions) };

function exchange(
  endpoint: URL,
  { method, path, headers, body }: WireRequest,
): Promise<{ status: number; body: string }> {
  const isTls = endpoint.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const request = (isTls ? https : http).request(
      {
        hostname: endpoint.hostname,
        port: endpoint.port,
        method,
        path,
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
        agent: agents[isTls ? 'https:' : 'http:'],
        timeout: 30_000,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 502, body: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer within 30 s')));
    request.on('error', reject);
    request.end(body);
  });
}

function describeRead(read: AwsRead): string {
  const what = read.protocol === 'json' ? read.target : read.protocol === 'query' ? read.action : `GET ${read.path}`;
  return `${read.service} ${what}`;
}
