/** Where an account's rows are: in the table that accounts share, or in its own (requirement R-ACC-01). Tiers of the product. */
export const cloudTypes = ['public', 'private'] as const;
export type CloudType = (typeof cloudTypes)[number];
