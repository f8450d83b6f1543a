import tls from 'node:tls';
import { generate } from 'selfsigned';

const tenYearsMs = 10 * 365 * 24 * 3600 * 1000;

/** PEM key with its certificate chain. */
export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

/** Self-made certificates: one CA per gateway, one wildcard certificate per parent domain, made when first asked for. */
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

  /** The context for a TLS server name. */
  contextFor(serverName: string): Promise<tls.SecureContext> {
    const parent = parentOf(serverName);
    return remember(this.#contexts, parent, async () => tls.createSecureContext(await this.pairFor(serverName)));
  }

  /** Key and certificate for a server name and its siblings (`a.b.c` -> `b.c`, `*.b.c`). */
  pairFor(serverName: string): Promise<KeyPair> {
    const parent = parentOf(serverName);
    return remember(this.#pairs, parent, () => this.#make(parent));
  }

  async #make(parent: string): Promise<KeyPair> {
    const made = await generate([{ name: 'commonName', value: `*.${parent}` }], {
      keyType: 'ec',
      algorithm: 'sha256',
      notAfterDate: new Date(Date.now() + tenYearsMs),
      ca: { key: this.#caKey, cert: this.ca },
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        {
          name: 'subjectAltName',
          altNames: [
            { type: 2, value: parent },
            { type: 2, value: `*.${parent}` },
            ...(parent === 'localhost' ? [{ type: 7 as const, ip: '127.0.0.1' }] : []),
          ],
        },
      ],
    });
    return { key: made.private, cert: `${made.cert}\n${this.ca}` };
  }
}

function parentOf(serverName: string): string {
  const labels = serverName.toLowerCase().split('.');
  return labels.length > 2 ? labels.slice(1).join('.') : labels.join('.');
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
