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
  /** Its name in the ledger, or a text that ends in it. */
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
    (await list(at)).map(({ id, name, tags, detail }) => tagged({ kind, id, name, ...(detail && { detail }) }, tags)),
  );
  return (await Promise.all(listed)).flat();
}
