import { protocolOf, type ProtocolParts } from './protocol.ts';
import type { Answer, Call } from './request.ts';

const elbNamespace = 'http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/';

/** What of a call decides how its error is written. */
export type ErrorParts = ProtocolParts & Pick<Call, 'requestId'>;

/** An error as AWS would answer it; thrown by handlers and stages, written in the protocol of the call. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** The error in the protocol that the call is written in. */
export function errorAnswer(call: ErrorParts, error: AwsError): Answer {
  const protocol = protocolOf(call);
  switch (protocol) {
    case 'ec2':
      return xmlAnswer(error.status, ec2ErrorXml(call, error));
    case 's3':
      return xmlAnswer(error.status, s3ErrorXml(call, error));
    case 'query':
    case 'rest-xml':
      return xmlAnswer(error.status, errorXml(call, error));
    case 'cbor':
      return cborAnswer(call, error);
    case 'json':
    case 'rest-json':
      return jsonErrorAnswer(call, error, protocol);
  }
}

/** An awsJson (1.1) answer. */
export function jsonAnswer(body: unknown, status = 200): Answer {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: Buffer.from(JSON.stringify(body), 'utf8'),
  };
}

/** An answer of ELBv2's query protocol; `result` is XML. */
export function elbAnswer(call: Pick<Call, 'action' | 'requestId'>, result: string): Answer {
  return queryAnswer(call, result, elbNamespace);
}

/** An answer of the query protocol, in the namespace of its service; `result` is XML. */
export function queryAnswer(
  { action, requestId }: Pick<Call, 'action' | 'requestId'>,
  result: string,
  namespace: string,
): Answer {
  return xmlAnswer(
    200,
    `<?xml version="1.0" encoding="UTF-8"?><${action}Response xmlns="${namespace}"><${action}Result>${result}</${action}Result>` +
      `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${action}Response>`,
  );
}

/** The same answer with another text body. */
export function withBody(answer: Answer, body: string): Answer {
  return { ...answer, body: Buffer.from(body, 'utf8') };
}

/** Text for XML content. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Text out of XML content. */
export function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}

function xmlAnswer(status: number, xml: string): Answer {
  return { status, headers: { 'content-type': 'text/xml' }, body: Buffer.from(xml, 'utf8') };
}

/** EC2's protocol has a shape of its own. */
function ec2ErrorXml({ requestId }: Pick<Call, 'requestId'>, { code, message }: AwsError): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>${code}</Code>` +
    `<Message>${escapeXml(message)}</Message></Error></Errors><RequestID>${requestId}</RequestID></Response>`
  );
}

/** S3 alone has no element around the error. */
function s3ErrorXml({ requestId }: Pick<Call, 'requestId'>, { code, message }: AwsError): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code>` +
    `<Message>${escapeXml(message)}</Message><RequestId>${requestId}</RequestId></Error>`
  );
}

function errorXml(call: ErrorParts, error: AwsError): string {
  const type = error.status < 500 ? 'Sender' : 'Receiver';
  return (
    `<?xml version="1.0" encoding="UTF-8"?><ErrorResponse><Error><Type>${type}</Type><Code>${error.code}</Code>` +
    `<Message>${escapeXml(error.message)}</Message></Error><RequestId>${call.requestId}</RequestId></ErrorResponse>`
  );
}

function jsonErrorAnswer({ requestId }: ErrorParts, error: AwsError, protocol: 'json' | 'rest-json'): Answer {
  const answer = jsonAnswer({ __type: error.code, message: error.message }, error.status);
  const headers = {
    'content-type': protocol === 'json' ? 'application/x-amz-json-1.1' : 'application/json',
    'x-amzn-errortype': error.code,
    'x-amzn-requestid': requestId,
  };
  return { ...answer, headers };
}

function cborAnswer({ requestId }: ErrorParts, error: AwsError): Answer {
  const mapOfTwo = Buffer.of(0xa2);
  const fields = ['__type', error.code, 'message', error.message].map(cborText);
  return {
    status: error.status,
    headers: {
      'content-type': 'application/cbor',
      'smithy-protocol': 'rpc-v2-cbor',
      'x-amzn-errortype': error.code,
      'x-amzn-requestid': requestId,
    },
    body: Buffer.concat([mapOfTwo, ...fields]),
  };
}

/** A text string of CBOR (RFC 8949, major type 3), its length in two bytes. */
function cborText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8').subarray(0, 0xffff);
  return Buffer.concat([Buffer.of(0x79, bytes.length >> 8, bytes.length & 0xff), bytes]);
}
