/**
 * What products and kinds of others are written with: `import { defineConfig } from 'tenantry'` in `tenantry.config.ts`, and the same in
 * the modules that it names. Nothing else of the source is meant to be imported.
 */
import { assertCatalogParts, type CatalogParts } from './catalog/catalog.ts';

export type { CatalogParts } from './catalog/catalog.ts';
export { z } from 'zod';
export { isAwsError } from './aws/errors.ts';
export { allPages } from './aws/inventory/pages.ts';
export type { Blueprint, Step } from './contracts/blueprint.ts';
export type { Difference } from './contracts/drift.ts';
export type { Cell, LoadBalancer, Platform } from './contracts/platform.ts';
export type { SweptItem, TypeList } from './contracts/sweep.ts';
export { StepError } from './contracts/step-error.ts';
export { dnsRecord } from './kinds/dns-record/kind.ts';
export { dynamodbItem } from './kinds/dynamodb-item/kind.ts';
export { dynamodbRows } from './kinds/dynamodb-rows/kind.ts';
export { ecsService } from './kinds/ecs-service/kind.ts';
export {
  defineKind,
  type Found,
  type KindDefinition,
  type KindErrors,
  type Status,
} from './kinds/framework/define-kind.ts';
export { changedFields } from './kinds/framework/differences.ts';
export type { Kind, StepContext } from './kinds/framework/kind.ts';
export type { CellAccess, SweptType, TakeAwayCall } from './kinds/framework/resource-type.ts';
export { anyValue, label, numberValue, text, textValue } from './kinds/framework/values.ts';
export type { Within } from './kinds/framework/within.ts';
export { listenerNotice } from './kinds/listener-notice/kind.ts';
export { listenerRule } from './kinds/listener-rule/kind.ts';
export { logGroup } from './kinds/log-group/kind.ts';
export { postgresSchema } from './kinds/postgres-schema/kind.ts';
export { slugReservation } from './kinds/slug-reservation/kind.ts';
export { ssmParameters } from './kinds/ssm-parameters/kind.ts';
export { ssmStatus } from './kinds/ssm-status/kind.ts';
export { targetGroup } from './kinds/target-group/kind.ts';
export { taskDefinition } from './kinds/task-definition/kind.ts';
export { tenantActivation } from './kinds/tenant-activation/kind.ts';
export { defineProduct, type ProductDefinition, type ProductRequest } from './products/define-product.ts';
export { accounts } from './products/accounts/product.ts';
export { moamalat } from './products/moamalat/product.ts';
export type { BlueprintRequest, Place, Product, Template, TierChange } from './products/product.ts';
export { serviceSettings, type CountBounds, type ServiceSettings } from './products/service-settings.ts';
export { schemaVariables, serviceSteps, type ServiceComponent } from './products/service-steps.ts';
export type { SettingsBounds } from './products/settings.ts';
export { stepsIn } from './products/step.ts';
export { templateServiceOf } from './products/templates.ts';

/**
 * The default export of `tenantry.config.ts`: all products of the installation, and kinds beside those of Tenantry.
 * @throws RangeError for anything else that it names
 */
export function defineConfig(parts: CatalogParts): CatalogParts {
  assertCatalogParts(parts);
  return parts;
}
