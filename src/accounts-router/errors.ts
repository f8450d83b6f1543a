/** What tells the errors of this package apart; `code` of each. */
export type AccountsErrorCode =
  | 'ACCOUNT_ID_INVALID'
  | 'ACCOUNT_NOT_FOUND'
  | 'ACCOUNT_NOT_ACTIVE'
  | 'ACCOUNT_PARAMETERS_INVALID'
  | 'ACCOUNT_LOOKUP_FAILED'
  | 'ACCOUNT_MOVING'
  | 'WRITE_OUTCOME_UNKNOWN'
  | 'TABLE_NOT_FOUND'
  | 'INPUT_REFUSED'
  | 'EXPRESSION_INVALID'
  | 'OTHER_ACCOUNT'
  | 'CONTROL_PLANE_ROW'
  | 'BATCH_UNPROCESSED'
  | 'SESSION_FAILED';

/** Every error of the router itself. What DynamoDB answers (a condition that failed, throttling) is thrown as the SDK throws it. */
export abstract class AccountsError extends Error {
  abstract readonly code: AccountsErrorCode;
  override get name(): string {
    return this.constructor.name;
  }
}

/** The account id is not a UUID in lower case. Nothing was asked. */
export class InvalidAccountIdError extends AccountsError {
  readonly code = 'ACCOUNT_ID_INVALID';
  constructor() {
    super('an account id is a UUID in lower case, as in 3f2504e0-4f89-41d3-9a0c-0305e82c3301');
  }
}

/** SSM holds no parameter of the account: it never was, or it was removed. */
export class AccountNotFoundError extends AccountsError {
  readonly code = 'ACCOUNT_NOT_FOUND';
  readonly accountId: string;
  constructor(accountId: string) {
    super(`there is no account ${accountId}`);
    this.accountId = accountId;
  }
}

/** The account is there and may not be used now. */
export class AccountNotActiveError extends AccountsError {
  readonly code = 'ACCOUNT_NOT_ACTIVE';
  readonly accountId: string;
  /** What `provisioning-status` says: `pending`, `creating`, `failed` or `deleting`. */
  readonly status: string;
  constructor(accountId: string, status: string) {
    super(`account ${accountId} is ${status}, not active`);
    this.accountId = accountId;
    this.status = status;
  }
}

/** The account is being made (`pending` or `creating`) and may be active at any moment: it is not remembered, each call asks again. */
export class AccountCreatingError extends AccountNotActiveError {}

/** The parameters of the account or of the platform are missing, or contradict each other: no table is certain to be the right one. */
export class AccountParametersError extends AccountsError {
  readonly code = 'ACCOUNT_PARAMETERS_INVALID';
}

/**
 * SSM gave no answer, or the fence item of an account that is being moved: where its rows are is not known now. Nothing was written, unless it is the
 * `cause` of a {@link WriteOutcomeUnknownError}.
 */
export class AccountLookupError extends AccountsError {
  readonly code = 'ACCOUNT_LOOKUP_FAILED';
}

/**
 * The account is being moved to another table, and the call cannot be done before that went on, or before somebody answers how far it is: then the
 * last failure is the `cause`. Nothing was written.
 */
export class AccountMovingError extends AccountsError {
  readonly code = 'ACCOUNT_MOVING';
  readonly accountId: string;
  constructor(accountId: string, options?: ErrorOptions) {
    super(`account ${accountId} is being moved to another table: nothing was written`, options);
    this.accountId = accountId;
  }
}

/**
 * Why it is not known whether a write that DynamoDB did is kept. `moved`: the account was moved meanwhile, or its move may have gone on without
 * the write. `removed`: the account is being removed, or was; `cause` says what SSM said. `unchecked`: whether it was moved could not be
 * found out, in all the time that there was; `cause` says why.
 */
export type OutcomeUnknownReason = 'moved' | 'removed' | 'unchecked';

const whyUnknown: Readonly<Record<OutcomeUnknownReason, (accountId: string, tableName: string) => string>> = {
  moved: (accountId, tableName) => `account ${accountId} was moved while ${tableName} was written`,
  removed: (accountId, tableName) => `account ${accountId} is removed, or being removed, and ${tableName} was written`,
  unchecked: (accountId, tableName) =>
    `${tableName} was written, and nothing answered after it whether account ${accountId} was moved meanwhile`,
};

/**
 * DynamoDB did the write, and whether the account's table keeps it is not known: see {@link OutcomeUnknownReason}. Read before you repeat it, as after a
 * call that got no answer.
 */
export class WriteOutcomeUnknownError extends AccountsError {
  readonly code = 'WRITE_OUTCOME_UNKNOWN';
  readonly accountId: string;
  /** Where it was done. */
  readonly tableName: string;
  readonly reason: OutcomeUnknownReason;
  constructor(accountId: string, tableName: string, reason: OutcomeUnknownReason, options?: ErrorOptions) {
    super(`${whyUnknown[reason](accountId, tableName)}: whether the write is kept is not known`, options);
    this.accountId = accountId;
    this.tableName = tableName;
    this.reason = reason;
  }
}

/** DynamoDB has no such table, also after the account was looked up anew. */
export class TableNotFoundError extends AccountsError {
  readonly code = 'TABLE_NOT_FOUND';
  readonly tableName: string;
  constructor(tableName: string, options: ErrorOptions) {
    super(`DynamoDB has no table ${tableName}, nor has it after the account was looked up anew`, options);
    this.tableName = tableName;
  }
}

/** Something in the input of a call. Nothing was sent. */
abstract class FieldError extends AccountsError {
  /** Which part of the input, as a path: `TransactItems[1].Put.TableName`. */
  readonly field: string;
  constructor(field: string, why: string) {
    super(`${field}: ${why}`);
    this.field = field;
  }
}

/** The input has a field that is not taken, or lacks one, or one is of another form. */
export class InputRefusedError extends FieldError {
  readonly code = 'INPUT_REFUSED';
}

/** An expression is not of DynamoDB's grammar, or names a placeholder that is not given. */
export class ExpressionError extends FieldError {
  readonly code = 'EXPRESSION_INVALID';
}

/** The call would read or write outside the account's rows, or put a row into another account's part of an index. */
export class OtherAccountError extends FieldError {
  readonly code = 'OTHER_ACCOUNT';
}

/** The row is one of the control plane's own (`METADATA`, `LICENSE#...`), which services read and do not write. Nothing was written. */
export class ControlPlaneRowError extends AccountsError {
  readonly code = 'CONTROL_PLANE_ROW';
  /** Where the row is in the input, as a path: `TransactItems[1].Put.Item`. */
  readonly field: string;
  /** @param options with what DynamoDB answered as the cause, if it was asked */
  constructor(field: string, options?: ErrorOptions) {
    super(`${field}: the row is the control plane's own: nothing was written`, options);
    this.field = field;
  }
}

/** DynamoDB left parts of a batch undone in every attempt. The others were done. */
export class BatchUnprocessedError<Left = unknown> extends AccountsError {
  readonly code = 'BATCH_UNPROCESSED';
  /** The keys, or the write requests, that are left: to be sent again. */
  readonly unprocessed: readonly Left[];
  /** What a batchGet read before it gave up. */
  readonly items: readonly unknown[];
  constructor(unprocessed: readonly Left[], items: readonly unknown[], options: ErrorOptions) {
    super(`DynamoDB left ${unprocessed.length} of a batch unprocessed; the others are done`, options);
    this.unprocessed = unprocessed;
    this.items = items;
  }
}

/** STS gave no credentials for the account's session. */
export class AccountSessionError extends AccountsError {
  readonly code = 'SESSION_FAILED';
}
