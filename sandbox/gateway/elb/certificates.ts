import tls from 'node:tls';
import { generate } from 'selfsigned';

const tenYearsMs = 10 * 365 * 24 * 3600 * 1000;

/** PEM key with its certificate chain. */
export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

/** Self-made certificates: one CA per gateway, one certificate per set of names, made when first asked for. */
export class Certificates {
  /** PEM of the CA that clients must trust. */
  readonly ca: string;
  readonly #caKey: string;
  readonly #pairs = new Map<string, Promise<KeyPair>>();
  readonly #contexts = new Map<string, Promise<tls.SecureContext>>();

  private constructor(ca: string, caKey: string) {
    this.ca = ca;
    this.#caKey = caKey;
  }

  static async create(): Promise<Certificates> {
    const made = await generate([{ name: 'commonName', value: 'Tenantry sandbox CA' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      notAfterDate: new Date(Date.now() + tenYearsMs),
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, cRLSign: true, digitalSignature: true, critical: true },
      ],
    });
    return new Certificates(made.cert, made.private);
  }

  /** The context that shows a certificate for exactly these names. */
  contextFor(names: readonly string[]): Promise<tls.SecureContext> {
    return remember(this.#contexts, names.join(' '), async () => tls.createSecureContext(await this.pairFor(names)));
  }

  /** Key and certificate for exactly these names. */
  pairFor(names: readonly string[]): Promise<KeyPair> {
    return remember(this.#pairs, names.join(' '), () => this.#make(names));
  }

  async #make(names: readonly string[]): Promise<KeyPair> {
    const made = await generate([{ name: 'commonName', value: names[0] ?? 'no name' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      notAfterDate: new Date(Date.now() + tenYearsMs),
      ca: { key: this.#caKey, cert: this.ca },
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        ...(names.length > 0
          ? [{ name: 'subjectAltName' as const, altNames: names.map((value) => ({ type: 2 as const, value })) }]
          : []),
      ],
    });
    return { key: made.private, cert: `${made.cert}\n${this.ca}` };
  }
}

/** The remembered value, or a new one; a failure is not remembered. */
function remember<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = known.get(key);
  if (found) return found;
  const making = make();
  known.set(key, making);
  making.catch(() => known.delete(key));
  return making;
}
