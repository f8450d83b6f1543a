import { certificateAnswer } from '../../src/api/schemas/certificates.ts';
import { forgeryIn } from '../../src/certificates/signature.ts';
import type { ApiClient } from '../../src/cli/api-client.ts';
import { counted } from '../../src/cli/text.ts';

/** What the installation certifies of the deletion, checked as its reader would. */
export async function proveCertificate(api: ApiClient, tenantId: string): Promise<boolean> {
  const signed = await api.certificate(tenantId);
  const forgery = await forgeryIn(signed, await api.keys());
  const {
    resources,
    residues,
    finalDump,
    finalDumps = [],
  } = certificateAnswer.shape.certificate.parse(signed.certificate);
  console.log(
    `\n  certificate: seen absent: ${counted(resources.length, 'resource')}; staying until they expire or AWS forgets them: ${counted(residues.length, 'residue')}; ` +
      (forgery === undefined ? "signed with the installation's key" : `NOT genuine: ${forgery}`),
  );
  for (const dump of finalDumps)
    console.log(
      dump.kept
        ? `    final dump of ${dump.stepId}: ${counted(dump.tables, 'table')}, ${counted(dump.rows, 'row')}, ${counted(dump.bytes, 'byte')}, until ${dump.expiresAt}, s3://${dump.bucket}/${dump.manifest}`
        : `    no final dump of ${dump.stepId}: ${dump.why}`,
    );
  if (finalDump?.kept !== true) console.log(`    no final dump: ${finalDump?.why ?? 'not known'}`);
  return forgery === undefined;
}
