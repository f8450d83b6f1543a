import { tagged } from '../sandbox/inventory/aws/facts.ts';
import type { Facts, InventoryItem } from '../sandbox/inventory/item.ts';

/** Where an oracle looks: past the faults that the gateway injects. */
export interface OraclePlace {
  readonly endpointUrl: string;
  readonly region: string;
  readonly accountId: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A thing as the oracle sees it. */
export interface ListedThing {
  /** The same in every list while it lives: its ARN where it has one. */
  readonly id: string;
  /** Its name in the ledger, alone or after a `/` or `:` at the end of a longer text, such as its ARN. */
  readonly name: string;
  readonly tags?: Facts | undefined;
  /** Settings: what is made twice must have the same. */
  readonly detail?: Facts | undefined;
}

/** Lists all things of a type in an account and region, whoever made them. It must share no code with the kind: it is there to doubt it. */
export type OwnLister = (at: OraclePlace) => Promise<readonly ListedThing[]>;

/** By the type that the ledger has: for types that the sandbox's inventory does not know. */
export type OwnListers = Readonly<Record<string, OwnLister>>;

export async function listOwn(listers: OwnListers, at: OraclePlace): Promise<InventoryItem[]> {
  const listed = Object.entries(listers).map(async ([kind, list]) =>
    (await listedBy(kind, list, at)).map(({ id, name, tags, detail }) =>
      tagged({ kind, id, name, ...(detail && { detail }) }, tags),
    ),
  );
  return (await Promise.all(listed)).flat();
}

/** Several run at once, beside tests: what a lister throws says nothing of which one it was. */
async function listedBy(type: string, list: OwnLister, at: OraclePlace): Promise<readonly ListedThing[]> {
  try {
    return await list(at);
  } catch (cause) {
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new Error(`the lister of ${type} threw ${why}; a thing that is gone since it was listed must be left out`, {
      cause,
    });
  }
}
