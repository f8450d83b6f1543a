import { AwsError } from '../answer.ts';
import type { Scope } from '../request.ts';
import { attributePath, formatError, type Template, type TemplateResource, type Value } from './template.ts';

export interface EvaluationParts {
  readonly template: Template;
  readonly parameters: Readonly<Record<string, string>>;
  readonly scope: Scope;
  readonly stackName: string;
  readonly stackId: string;
  /** What `Ref` (no attribute) and `Fn::GetAtt` answer of a resource. */
  readonly attributeOf: (logicalId: string, attribute?: string) => Value;
}

/** What `AWS::NoValue` leaves: the property is not there. */
const noValue = Symbol('AWS::NoValue');
type Result = Value | typeof noValue;

/** Values of a template with its functions carried out. */
export class Evaluation {
  readonly #parts: EvaluationParts;

  constructor(parts: EvaluationParts) {
    this.#parts = parts;
  }

  /** Resources whose condition holds, each after those that it depends on. @throws AwsError ValidationError for a circle */
  resources(): [logicalId: string, resource: TemplateResource][] {
    const { Resources } = this.#parts.template;
    const ordered = new Map<string, TemplateResource>();
    const visit = (id: string, from: readonly string[]) => {
      const resource = Resources[id];
      if (!resource || ordered.has(id) || !this.isMade(resource.Condition)) return;
      if (from.includes(id))
        throw new AwsError('ValidationError', `Circular dependency between resources: [${[...from, id].join(', ')}]`);
      for (const needed of neededBy(resource)) visit(needed, [...from, id]);
      ordered.set(id, resource);
    };
    for (const id of Object.keys(Resources)) visit(id, []);
    return [...ordered];
  }

  isMade(condition: string | undefined): boolean {
    return condition === undefined || this.#condition(condition);
  }

  properties(resource: TemplateResource): Readonly<Record<string, Value>> {
    const found = this.#value(resource.Properties ?? {});
    return isFields(found) ? found : {};
  }

  text(given: Value): string {
    const found = this.#value(given);
    return plainText(found === noValue ? undefined : found);
  }

  #condition(name: string): boolean {
    const { Conditions } = this.#parts.template;
    const condition = Conditions[name];
    if (condition === undefined) throw formatError(`Unresolved condition dependency ${name}`);
    return this.#holds(condition);
  }

  #holds(condition: Value): boolean {
    if (!isFields(condition)) return condition === true || condition === 'true';
    const [[name, given] = ['', '']] = Object.entries(condition);
    const list = Array.isArray(given) ? (given as Value[]) : [given];
    switch (name) {
      case 'Condition':
        return this.#condition(plainText(given));
      case 'Fn::Equals':
        return this.text(list[0] ?? '') === this.text(list[1] ?? '');
      case 'Fn::And':
        return list.every((one) => this.#holds(one));
      case 'Fn::Or':
        return list.some((one) => this.#holds(one));
      case 'Fn::Not':
        return !list.some((one) => this.#holds(one));
      default:
        throw formatError(`the sandbox does not know the condition ${name}`);
    }
  }

  #value(given: Value): Result {
    if (Array.isArray(given)) return (given as Value[]).map((one) => this.#value(one)).filter((one) => one !== noValue);
    if (!isFields(given)) return given;
    const [[name, argument] = ['', '']] = Object.entries(given);
    if (Object.keys(given).length === 1 && (name === 'Ref' || name.startsWith('Fn::')))
      return this.#call(name, argument);
    return Object.fromEntries(
      Object.entries(given).flatMap(([key, inner]) => {
        const found = this.#value(inner);
        return found === noValue ? [] : [[key, found]];
      }),
    );
  }

  #call(name: string, argument: Value): Result {
    const list: readonly Value[] = Array.isArray(argument) ? (argument as Value[]) : [argument];
    switch (name) {
      case 'Ref':
        return this.#ref(plainText(argument));
      case 'Fn::GetAtt': {
        const [id = '', attribute = ''] = Array.isArray(argument)
          ? list.map(plainText)
          : attributePath(plainText(argument));
        return this.#parts.attributeOf(id, attribute);
      }
      case 'Fn::Sub':
        return this.#substituted(list);
      case 'Fn::If':
        return this.#value((this.#condition(plainText(list[0])) ? list[1] : list[2]) ?? null);
      case 'Fn::Join':
        return this.#texts(list[1] ?? []).join(plainText(list[0]));
      case 'Fn::Split':
        return this.text(list[1] ?? '').split(plainText(list[0]));
      case 'Fn::Select':
        return this.#texts(list[1] ?? [])[Number(list[0])] ?? '';
      case 'Fn::Base64':
        return Buffer.from(this.text(argument), 'utf8').toString('base64');
      case 'Fn::FindInMap':
        return this.#mapped(list.map((one) => this.text(one)));
      default:
        throw formatError(`the sandbox does not know the function ${name}`);
    }
  }

  #texts(given: Value): string[] {
    const found = this.#value(given);
    return Array.isArray(found) ? (found as Value[]).map(plainText) : [];
  }

  #mapped([map = '', top = '', second = '']: readonly string[]): Value {
    const found = [top, second].reduce<Value | undefined>(
      (at, key) => (isFields(at) ? at[key] : undefined),
      this.#parts.template.Mappings[map],
    );
    if (found === undefined) throw formatError(`Unable to get mapping for ${map}::${top}::${second}`);
    return found;
  }

  #ref(name: string): Result {
    const { parameters, scope, stackId, stackName, template, attributeOf } = this.#parts;
    const pseudo: Readonly<Record<string, Result>> = {
      'AWS::AccountId': scope.accountId,
      'AWS::Region': scope.region,
      'AWS::StackId': stackId,
      'AWS::StackName': stackName,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::NoValue': noValue,
    };
    const known = pseudo[name];
    if (known !== undefined) return known;
    if (!Object.hasOwn(parameters, name)) return attributeOf(name);
    const text = parameters[name] ?? '';
    const type = template.Parameters[name]?.Type ?? '';
    return type.startsWith('List<') || type === 'CommaDelimitedList' ? text.split(',').map((one) => one.trim()) : text;
  }

  #substituted([text = '', values = {}]: readonly Value[]): string {
    const own = isFields(values) ? values : {};
    return plainText(text).replaceAll(/\$\{(!?)([^}]+)\}/g, (whole, literal: string, name: string) => {
      if (literal !== '') return `\${${name}}`;
      const given = own[name];
      if (given !== undefined) return this.text(given);
      return this.text(name.includes('.') ? { 'Fn::GetAtt': attributePath(name) } : { Ref: name });
    });
  }
}

/** @throws AwsError ValidationError for a list or a map */
function plainText(value: Value | undefined): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw formatError('a text was expected where none is given');
}

function isFields(value: Result | undefined): value is { readonly [key: string]: Value } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function neededBy({ DependsOn = [], Properties = {} }: TemplateResource): string[] {
  return [...[DependsOn].flat(), ...namesIn(Properties)];
}

/** Every name that `Ref`, `Fn::GetAtt` and `Fn::Sub` speak of, parameters among them. */
export function namesIn(given: Value): string[] {
  if (Array.isArray(given)) return (given as Value[]).flatMap(namesIn);
  if (!isFields(given)) return [];
  return Object.entries(given).flatMap(([key, inner]) => {
    const list: readonly Value[] = Array.isArray(inner) ? (inner as Value[]) : [inner];
    if (key === 'Ref') return [plainText(inner)];
    if (key === 'Fn::GetAtt') return [attributePath(plainText(list[0]))[0] ?? ''];
    if (key !== 'Fn::Sub') return namesIn(inner);
    const [text = '', values = {}] = list;
    const own = isFields(values) ? Object.keys(values) : [];
    const named = [...plainText(text).matchAll(/\$\{([^!}][^}]*)\}/g)].map(
      ([, name = '']) => attributePath(name)[0] ?? '',
    );
    return [...named.filter((name) => !own.includes(name)), ...namesIn(values)];
  });
}
