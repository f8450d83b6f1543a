import type { Answer, Call } from './request.ts';

const elbNamespace = 'http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/';

/** Namespaces of the services that answer errors in XML; the other services speak JSON. */
const xmlNamespaces: Readonly<Record<string, string>> = {
  elasticloadbalancing: elbNamespace,
  route53: 'https://route53.amazonaws.com/doc/2013-04-01/',
  sts: 'https://sts.amazonaws.com/doc/2011-06-15/',
  iam: 'https://iam.amazonaws.com/doc/2010-05-08/',
  s3: '',
  unknown: '',
};

/** An error as AWS would answer it; thrown by handlers and stages, written in the protocol of the call's service. */
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

/** The error in the wire shape of the service that was called. */
export function errorAnswer(call: Pick<Call, 'service' | 'requestId'>, error: AwsError): Answer {
  if (call.service === 'ec2') return xmlAnswer(error.status, ec2ErrorXml(call, error));
  const namespace = Object.hasOwn(xmlNamespaces, call.service) ? xmlNamespaces[call.service] : undefined;
  if (namespace !== undefined) return xmlAnswer(error.status, errorXml(call, error, namespace));
  const answer = jsonAnswer({ __type: error.code, message: error.message }, error.status);
  const headers = { 'x-amzn-errortype': error.code, 'x-amzn-requestid': call.requestId };
  return { ...answer, headers: { ...answer.headers, ...headers } };
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
  const { action, requestId } = call;
  return xmlAnswer(
    200,
    `<?xml version="1.0" encoding="UTF-8"?><${action}Response xmlns="${elbNamespace}"><${action}Result>${result}</${action}Result>` +
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

function errorXml(call: Pick<Call, 'requestId'>, error: AwsError, namespace: string): string {
  const type = error.status < 500 ? 'Sender' : 'Receiver';
  const xmlns = namespace ? ` xmlns="${namespace}"` : '';
  return (
    `<?xml version="1.0" encoding="UTF-8"?><ErrorResponse${xmlns}><Error><Type>${type}</Type><Code>${error.code}</Code>` +
    `<Message>${escapeXml(error.message)}</Message></Error><RequestId>${call.requestId}</RequestId></ErrorResponse>`
  );
}
