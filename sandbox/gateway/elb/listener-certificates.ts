import { DescribeCertificateCommand } from '@aws-sdk/client-acm';
import { AwsError, elbAnswer, escapeXml } from '../answer.ts';
import type { Handler } from '../pipeline.ts';
import { queryParams, type Answer, type Call, type Scope } from '../request.ts';
import type { Upstream } from '../upstream.ts';
import type { Listener, Routes } from './routes.ts';

/** Names that a certificate is valid for, `*.example.com` among them; undefined when there is no such certificate. */
type NamesOf = (scope: Scope, certificateArn: string) => Promise<readonly string[] | undefined>;

/**
 * Which certificates listeners have: the default one is the upstream's, further ones (by SNI) are the gateway's own, because
 * MiniStack has no calls for them; they are forgotten with the gateway.
 */
export class ListenerCertificates {
  readonly #upstream: Upstream;
  readonly #further = new Map<string, Set<string>>();
  readonly #names = new Map<string, Promise<readonly string[] | undefined>>();

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  further(listenerArn: string): Set<string> {
    const known = this.#further.get(listenerArn) ?? new Set<string>();
    this.#further.set(listenerArn, known);
    return known;
  }

  /**
   * The names on the certificate that the listener shows for a server name: the first that covers it, else the default one, as a
   * load balancer does. Without a server name it is the default one.
   */
  async shown(scope: Scope, listener: Listener, serverName: string | undefined): Promise<readonly string[]> {
    const arns = [...listener.certificateArns, ...this.further(listener.arn)];
    const all = await Promise.all(arns.map(async (arn) => (await this.namesOf(scope, arn)) ?? []));
    const covering = serverName === undefined ? undefined : all.find((names) => covers(names, serverName));
    return covering ?? all[0] ?? [];
  }

  namesOf: NamesOf = async (scope, arn) => {
    const known = this.#names.get(arn);
    if (known) return known;
    const asked = this.#ask(scope, arn);
    this.#names.set(arn, asked);
    // What is not there may come, and a failed look says nothing.
    asked.then(
      (names) => names ?? this.#names.delete(arn),
      () => this.#names.delete(arn),
    );
    return asked;
  };

  async #ask(scope: Scope, CertificateArn: string): Promise<readonly string[] | undefined> {
    try {
      const { Certificate } = await this.#upstream
        .clients(scope)
        .acm.send(new DescribeCertificateCommand({ CertificateArn }));
      return [...new Set([Certificate?.DomainName ?? [], Certificate?.SubjectAlternativeNames ?? []].flat())];
    } catch (error) {
      if (error instanceof Error && /NotFound|Validation|InvalidArn/.test(error.name)) return undefined;
      throw error;
    }
  }
}

/** Whether one of a certificate's names covers a host: a wildcard stands for exactly one label. */
export function covers(names: readonly string[], host: string): boolean {
  const wanted = host.toLowerCase();
  const parent = wanted.slice(wanted.indexOf('.') + 1);
  return names.some((name) => name.toLowerCase() === wanted || name.toLowerCase() === `*.${parent}`);
}

export interface CertificateParts {
  readonly routes: Routes;
  readonly certificates: ListenerCertificates;
}

/** The calls that MiniStack lacks. */
export function createCertificateHandlers({ routes, certificates }: CertificateParts): Record<string, Handler> {
  const listenerOf = async (call: Call): Promise<Listener> => {
    const found = (await routes.listeners(call.scope)).get(queryParams(call).get('ListenerArn') ?? '');
    if (found) return found;
    throw new AwsError('ListenerNotFound', 'One or more listeners not found');
  };
  return {
    async AddListenerCertificates(call) {
      const { arn } = await listenerOf(call);
      const wanted = certificateArns(queryParams(call));
      await requireKnown(certificates.namesOf, call.scope, wanted);
      for (const certificateArn of wanted) certificates.further(arn).add(certificateArn);
      return certificateAnswer(call, wanted);
    },
    async RemoveListenerCertificates(call) {
      const { arn } = await listenerOf(call);
      for (const certificateArn of certificateArns(queryParams(call))) certificates.further(arn).delete(certificateArn);
      return elbAnswer(call, '');
    },
    async DescribeListenerCertificates(call) {
      const listener = await listenerOf(call);
      return certificateAnswer(call, [...certificates.further(listener.arn)], listener.certificateArns);
    },
  };
}

/** @throws AwsError when an HTTPS listener would have no certificate, or one that does not exist */
export async function requireCertificate(namesOf: NamesOf, call: Call, before: Listener | undefined): Promise<void> {
  const params = queryParams(call);
  const given = certificateArns(params);
  const protocol = params.get('Protocol') ?? before?.protocol;
  if (protocol === 'HTTPS' && given.length + (before?.certificateArns.length ?? 0) === 0)
    throw new AwsError('ValidationError', 'A certificate must be specified for HTTPS listeners');
  await requireKnown(namesOf, call.scope, given);
}

async function requireKnown(namesOf: NamesOf, scope: Scope, arns: readonly string[]): Promise<void> {
  for (const arn of arns) {
    if (!(await namesOf(scope, arn)))
      throw new AwsError('CertificateNotFound', `Certificate ARN '${arn}' is not valid`);
  }
}

function certificateArns(params: URLSearchParams): string[] {
  return [...params].filter(([name]) => /^Certificates\.member\.\d+\.CertificateArn$/.test(name)).map(([, arn]) => arn);
}

function certificateAnswer(call: Call, arns: readonly string[], defaults: readonly string[] = []): Answer {
  const member = (arn: string, isDefault: boolean) =>
    `<member><CertificateArn>${escapeXml(arn)}</CertificateArn><IsDefault>${isDefault}</IsDefault></member>`;
  const members = [...defaults.map((arn) => member(arn, true)), ...arns.map((arn) => member(arn, false))];
  return elbAnswer(call, `<Certificates>${members.join('')}</Certificates>`);
}
