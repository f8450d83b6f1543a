import type { StatementMatch, StatementRecord } from '../../../sandbox/parts/postgres-proxy.ts';
import type { Phase } from './points.ts';

/** What a statement of a tenant's operation is told by: any of them is in it, or in its transaction. */
export interface Identity {
  readonly operationId: string;
  readonly tenantId: string;
  /** Name of schema and role. */
  readonly schema: string;
  readonly slug: string;
}

export interface StatementPoint {
  readonly phase: Phase;
  /** Which connection, and its text without names and values. */
  readonly call: string;
  readonly kind: 'read' | 'change';
  readonly database: string;
  readonly application: string;
  /** Which of a tenant's identities the transaction holds. */
  readonly identity: keyof Identity;
  /** Text that the statement begins with, for a rule. */
  readonly startsWith: string;
  /** Of a commit: text of its transaction that tells it from others. */
  readonly within: string | undefined;
  /** Which of the statements that a rule of these texts would strike are this one, from 0. */
  readonly places: readonly number[];
}

/** A statement with all that came before it in its transaction. */
interface Told extends StatementRecord {
  readonly trail: string;
  readonly first: string;
}

/** The statements, each once however many steps repeat it, that every one of these calm runs made in a phase. */
export function statementPoints(
  phase: Phase,
  runs: readonly { readonly statements: readonly StatementRecord[]; readonly identity: Identity }[],
): StatementPoint[] {
  const perRun = runs.map(({ statements, identity }) => {
    const told = tellTransactions(statements).filter((s) => identityIn(s, identity) !== undefined);
    return { told, identity };
  });
  const [first] = perRun;
  if (!first) return [];
  const points = new Map<string, StatementPoint>();
  for (const statement of first.told) {
    if (isBracket(statement.text)) continue;
    const point = pointOf(phase, statement, first.identity);
    if (points.has(point.call)) continue;
    const struck = perRun.map(({ told, identity }) => told.filter((s) => strikes(point, s, identity)));
    const always = Math.min(...struck.map((statements) => statements.length));
    const places = (struck[0] ?? []).flatMap((s, i) => (i < always && callOf(s) === point.call ? [i] : []));
    if (places.length > 0) points.set(point.call, { ...point, places });
  }
  return [...points.values()];
}

/** The rule's match for one tenant. */
export function statementMatch(point: StatementPoint, identity: Identity): StatementMatch {
  const { database, application, startsWith, within } = point;
  return {
    database,
    application,
    startsWith,
    contains: [identity[point.identity], ...(within === undefined ? [] : [within])],
  };
}

function strikes(point: StatementPoint, statement: Told, identity: Identity): boolean {
  const { database, application, startsWith, contains = [] } = statementMatch(point, identity);
  return (
    statement.database === database &&
    statement.application === application &&
    statement.text.startsWith(startsWith ?? '') &&
    contains.every((text) => statement.trail.includes(text))
  );
}

function pointOf(phase: Phase, statement: Told, identity: Identity): StatementPoint {
  const { database, application, text } = statement;
  return {
    phase,
    call: callOf(statement),
    kind: isRead(text) ? 'read' : 'change',
    database,
    application,
    identity: identityIn(statement, identity) ?? 'operationId',
    startsWith: isCommit(statement) ? text : beforeNames(text),
    within: isCommit(statement) ? beforeNames(statement.first) : undefined,
    places: [],
  };
}

function callOf(statement: Told): string {
  const { application, text, first } = statement;
  return `${application}: ${isCommit(statement) ? `commit of ${shortened(first)}` : shortened(text)}`;
}

function isCommit({ text }: StatementRecord): boolean {
  return text.toLowerCase() === 'commit';
}

function tellTransactions(statements: readonly StatementRecord[]): Told[] {
  const trails = new Map<string, { trail: string[]; first: string }>();
  return statements.map((statement) => {
    const { transaction, text, values, user } = statement;
    const known = trails.get(transaction) ?? { trail: [user], first: '' };
    known.trail.push(text, ...values.filter((value) => value !== null));
    if (known.first === '' && !isBracket(text)) known.first = text;
    trails.set(transaction, known);
    return { ...statement, trail: known.trail.join('\n'), first: known.first };
  });
}

function identityIn({ trail }: Told, identity: Identity): keyof Identity | undefined {
  const order = ['operationId', 'tenantId', 'schema', 'slug'] as const;
  return order.find((name) => trail.includes(identity[name]));
}

/** What opens a transaction has no effect of its own, and no name of a tenant yet; what closes one without effect neither. */
function isBracket(text: string): boolean {
  return /^(begin|rollback)\b/i.test(text);
}

/** A read that locks rows, or only looks: nothing of it lasts beyond its transaction. */
function isRead(text: string): boolean {
  return /^(select|show|set)\b/i.test(text) && !/pg_terminate_backend/i.test(text);
}

/** Names, marks and verifiers that differ from tenant to tenant. */
const named = /tenant_[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|'SCRAM-SHA-256[^']*'/;

function beforeNames(text: string): string {
  return text.split(named)[0] ?? text;
}

function shortened(text: string): string {
  const plain = text.replace(new RegExp(named, 'g'), '…');
  return plain.length > 90 ? `${plain.slice(0, 90)}…` : plain;
}
