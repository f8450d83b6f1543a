/** What a deletion owes of the tenant's data: a dump that is kept, or one that may also be handed out. */
export const finalDumps = ['dump', 'export'] as const;
export type FinalDumpOwed = (typeof finalDumps)[number];
