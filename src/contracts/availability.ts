/** Why no tenant of a slug could be created (requirement U-03). */
export const unavailableReasons = ['taken', 'reserved', 'invalid'] as const;
export type UnavailableReason = (typeof unavailableReasons)[number];
