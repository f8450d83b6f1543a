/**
 * For a worker between whose two inventories nothing is to happen by itself: the sweep's first report puts a mark into AWS whenever its
 * hour comes, and looks at tenants take calls.
 */
export const schedulesOff = {
  TENANTRY_SWEEP_INTERVAL: 'off',
  TENANTRY_DRIFT_EVERY: 'off',
  TENANTRY_HEALTH_EVERY: 'off',
} as const;
