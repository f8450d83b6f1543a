/** A cell whose oldest event has waited longer than this to be projected is behind, in ms. */
export const PROJECTION_BEHIND_MS = 5 * 60_000;
