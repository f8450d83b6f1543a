import type { SweptItem, SweptType } from '../../contracts/sweep.ts';
import type { Cell } from '../../contracts/platform.ts';
import type { Clients } from '../clients.ts';
import { logGroupList } from './log-groups.ts';
import { recordList } from './records.ts';
import { ruleList } from './rules.ts';
import { secretList } from './secrets.ts';
import { serviceList } from './services.ts';
import { targetGroupList } from './target-groups.ts';
import { taskDefinitionList } from './task-definitions.ts';
import { createUse, type Use } from './use.ts';

/** Types of resources that AWS holds. */
export type AwsType = Exclude<SweptType, 'postgres:schema'>;

/** What the listing need not look at closely: the ledger holds it, so its tags cost no call. */
export type IsHeld = (type: SweptType, name: string, physicalId: string) => boolean;

/** What of a type exists in a cell, by that type's own API. Every method throws StepError. */
export interface TypeList {
  /** Everything of the type, foreign things too. */
  list(isHeld: IsHeld): Promise<SweptItem[]>;
  /** One thing, looked at closely, as it is now; undefined when it is not there. */
  find(ref: { readonly name: string; readonly physicalId: string }): Promise<SweptItem | undefined>;
}

export interface Inventory extends Use {
  readonly types: Readonly<Record<AwsType, TypeList>>;
}

/** Lists the cell: read calls only, one after the other, so that tenants' calls go before them. */
export function createInventory(clients: Clients, cell: Cell): Inventory {
  return {
    types: {
      'route53:record': recordList(clients.route53, cell),
      'elbv2:rule': ruleList(clients.elbv2, cell),
      'ecs:service': serviceList(clients.ecs, cell),
      'elbv2:target-group': targetGroupList(clients.elbv2),
      'ecs:task-definition': taskDefinitionList(clients.ecs),
      'logs:log-group': logGroupList(clients.logs),
      'secretsmanager:secret': secretList(clients.secretsManager),
    },
    ...createUse(clients, cell),
  };
}
