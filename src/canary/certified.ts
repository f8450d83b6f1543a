import { certificateAnswer } from '../api/schemas/certificates.ts';
import { forgeryIn } from '../certificates/signature.ts';
import type { ApiClient } from '../cli/api-client.ts';
import { open } from '../cli/open-answers.ts';
import { CanaryEndError } from './report.ts';

/**
 * Holds the certificate of a deletion against the installation's keys and against what was deleted.
 * @returns what stays for a while, in words @throws CanaryEndError when it does not say what it must
 */
export async function residuesOf(
  api: Pick<ApiClient, 'certificate' | 'keys'>,
  { tenantId, operationId }: { readonly tenantId: string; readonly operationId: string },
): Promise<string[]> {
  const signed = await api.certificate(tenantId);
  // After it: an installation's first certificate makes the key that signs it.
  const forgery = await forgeryIn(signed, await api.keys());
  if (forgery !== undefined) throw wrong(`it is not what the installation signed: ${forgery}`);
  const read = open(certificateAnswer.shape.certificate).safeParse(signed.certificate);
  if (!read.success) throw wrong('it cannot be read');
  const { operation, residues, resources, tenant } = read.data;
  if (tenant.tenantId !== tenantId) throw wrong(`it is of tenant ${tenant.tenantId}`);
  if (operation.operationId !== operationId) throw wrong(`it is of operation ${operation.operationId}`);
  if (resources.length === 0) throw wrong('it names nothing that was seen absent');
  return residues.map(
    ({ expiresAt, name, reason, type }) => `${type} ${name}: ${reason}, until ${expiresAt ?? 'AWS forgets it'}`,
  );
}

function wrong(what: string): CanaryEndError {
  return new CanaryEndError('failed', `the certificate of the deletion is not good: ${what}`);
}
