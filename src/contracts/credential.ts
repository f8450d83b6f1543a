import { z } from 'zod';

/** By what a credential can be asked for again without having it. Holds no secret. */
export const credentialTrace = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('service-key'), /** SHA-256 of it, in hex. */ hash: z.string() }),
  /** The issuer's key that signed a token. */
  z.object({ kind: z.literal('token'), alg: z.string(), kid: z.string().optional() }),
]);
export type CredentialTrace = z.output<typeof credentialTrace>;
