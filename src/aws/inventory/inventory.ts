import type { TypeList } from '../../contracts/sweep.ts';
import type { Cell } from '../../contracts/platform.ts';
import type { Clients } from '../clients.ts';
import { itemList } from './items.ts';
import { logGroupList } from './log-groups.ts';
import { parameterList } from './parameters.ts';
import { recordList } from './records.ts';
import { rowList } from './rows.ts';
import { ruleList } from './rules.ts';
import { secretList } from './secrets.ts';
import { serviceList } from './services.ts';
import { stackList } from './stacks.ts';
import { targetGroupList } from './target-groups.ts';
import { taskDefinitionList } from './task-definitions.ts';
import { createUse, type Use } from './use.ts';

export interface Inventory extends Use {
  readonly records: TypeList;
  readonly rules: TypeList;
  readonly services: TypeList;
  readonly targetGroups: TypeList;
  readonly taskDefinitions: TypeList;
  readonly logGroups: TypeList;
  readonly secrets: TypeList;
  readonly parameters: TypeList;
  readonly items: TypeList;
  readonly rows: TypeList;
  readonly stacks: TypeList;
}

/** Lists the cell: read calls only, one after the other, so that tenants' calls go before them. */
export function createInventory(clients: Clients, cell: Cell): Inventory {
  return {
    records: recordList(clients.route53, cell),
    rules: ruleList(clients.elbv2, cell),
    services: serviceList(clients.ecs, cell),
    targetGroups: targetGroupList(clients.elbv2),
    taskDefinitions: taskDefinitionList(clients.ecs),
    logGroups: logGroupList(clients.logs),
    secrets: secretList(clients.secretsManager),
    parameters: parameterList(clients.ssm),
    items: itemList(clients.dynamodb, cell),
    rows: rowList(clients.dynamodb, cell),
    stacks: stackList(clients.cloudformation),
    ...createUse(clients, cell),
  };
}
