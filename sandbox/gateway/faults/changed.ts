import { z } from 'zod';
import { readChanges } from '../dns/changes.ts';
import type { Answer, Call } from '../request.ts';

/** What a change is about. */
export interface Changed {
  /** Names and ARNs by which answers and requests speak of it. */
  readonly ids: readonly string[];
  /** Those of them that did not exist before. */
  readonly created: readonly string[];
}

/** What a change is about, as far as its request tells, and its answer once there is one. */
export function changedBy(call: Call, answer?: Answer): Changed {
  if (call.service === 'route53') return changedRecords(call);
  const creation = creations[call.action];
  if (creation === undefined) return { ids: namedBy(call), created: [] };
  // What a new rule is called here (the values it routes) is no name to AWS.
  const name = call.action === 'CreateRule' ? undefined : call.resource;
  const text = answer?.body.toString('utf8') ?? '';
  const arn = creation.arnField && fieldOf(text, creation.arnField);
  const isNewName = creation.isNewName?.(text) ?? true;
  const defined = (values: (string | undefined)[]) => values.filter((value) => value !== undefined);
  return { ids: defined([name, arn]), created: defined([isNewName ? name : undefined, arn]) };
}

/** Whether a text speaks of one of these; a name inside a longer one does not count. */
export function speaksOf(text: string, ids: readonly string[]): boolean {
  return ids.some((id) => {
    for (let at = text.indexOf(id); at >= 0; at = text.indexOf(id, at + 1)) {
      if (!isInWord(text[at - 1]) && !isInWord(text[at + id.length])) return true;
    }
    return false;
  });
}

function isInWord(character: string | undefined): boolean {
  return character !== undefined && /[\w-]/.test(character);
}

interface Creation {
  /** Where the answer names what was made. */
  readonly arnField?: string;
  /** A family is there from its first revision on. */
  readonly isNewName?: (answer: string) => boolean;
}

const creations: Readonly<Record<string, Creation>> = {
  CreateTargetGroup: { arnField: 'TargetGroupArn' },
  CreateRule: { arnField: 'RuleArn' },
  CreateService: { arnField: 'serviceArn' },
  RegisterTaskDefinition: { arnField: 'taskDefinitionArn', isNewName: (text) => /"revision"\s*:\s*1\b/.test(text) },
  CreateSecret: { arnField: 'ARN' },
  CreateLogGroup: {},
  // Where a value is written over, the parameter was there before.
  PutParameter: { isNewName: (text) => /"Version"\s*:\s*1\b/.test(text) },
  CreateStack: { arnField: 'StackId' },
};

/** One call deletes several parameters; any other is about one thing. */
function namedBy({ action, body, resource }: Call): readonly string[] {
  if (action === 'DeleteParameters') return deletion.parse(JSON.parse(body.toString('utf8'))).Names;
  return resource === undefined ? [] : [resource];
}

const deletion = z.object({ Names: z.array(z.string()).default([]) });

function changedRecords(call: Call): Changed {
  const changes = readChanges(call.body.toString('utf8'));
  const names = (wanted: (action: string) => boolean) =>
    changes.filter(({ action }) => wanted(action)).map(({ name }) => name.replace(/\.$/, ''));
  return { ids: names(() => true), created: names((action) => action === 'CREATE') };
}

function fieldOf(text: string, field: string): string | undefined {
  const found = new RegExp(`<${field}>([^<]+)</${field}>|"${field}"\\s*:\\s*"([^"]+)"`).exec(text);
  return found?.[1] ?? found?.[2];
}
