import { createHash, createHmac } from 'node:crypto';

/** What is to be signed. `path` holds no query; `query` is sorted and encoded already. */
export interface UnsignedRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Signer {
  /** Emulators take twelve digits for the account. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** SigV4 service name, such as `elasticloadbalancing`. */
  readonly service: string;
}

/** The request's headers with an AWS Signature Version 4. Source: IAM user guide, "Create a signed AWS API request". */
export function signedHeaders(request: UnsignedRequest, signer: Signer, now = new Date()): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const date = time.slice(0, 8);
  const payloadHash = sha256(request.body);
  const headers: Record<string, string> = {
    ...request.headers,
    host: request.host,
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': time,
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    request.method,
    request.path,
    request.query,
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim()}`),
    '',
    names.join(';'),
    payloadHash,
  ].join('\n');
  const scope = `${date}/${signer.region}/${signer.service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = [signer.region, signer.service, 'aws4_request'].reduce(hmac, hmac(`AWS4${signer.secretAccessKey}`, date));
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  const credential = `Credential=${signer.accessKeyId}/${scope}`;
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
