import type { TransactWriteCommandOutput } from '@aws-sdk/lib-dynamodb';
import {
  inputFields,
  type BatchGetInput,
  type BatchWriteInput,
  type DeleteInput,
  type GetInput,
  type PutInput,
  type TransactGetInput,
  type TransactWriteInput,
  type UpdateInput,
} from './guards/inputs.ts';
import { tellingMarked } from './guards/control-mark.ts';
import { itemedWrite, keyed, keyedWrite, type RowGuard } from './guards/row-guard.ts';
import { guardBatchGet, guardBatchWrite, guardTransactGet, guardTransactWrite } from './guards/several.ts';
import {
  asSaid,
  type BatchGetOutput,
  type BatchWriteOutput,
  type DeleteOutput,
  type GetOutput,
  type PutOutput,
  type TransactGetOutput,
  type UpdateOutput,
} from './outputs.ts';
import type { CallOptions, Table } from './table.ts';

/** Calls on the rows of a table that a guard lets pass, by their keys. A refusal rejects, as every other failure does. */
export class RowCalls {
  readonly #rows: RowGuard;
  readonly #table: Table;

  constructor(rows: RowGuard, table: Table) {
    this.#rows = rows;
    this.#table = table;
  }

  async get<T>(input: GetInput, options?: CallOptions): Promise<GetOutput<T>> {
    return asSaid(await this.#table.get(keyed(this.#rows, input, inputFields.get), options));
  }

  async put<T>(input: PutInput<T>, options?: CallOptions): Promise<PutOutput<T>> {
    const sent = itemedWrite(this.#rows, input, inputFields.put);
    return asSaid(await tellingMarked([{ field: 'Item', sent }], () => this.#table.put(sent, options)));
  }

  async update<T>(input: UpdateInput, options?: CallOptions): Promise<UpdateOutput<T>> {
    const sent = keyedWrite(this.#rows, input, inputFields.update);
    return asSaid(await tellingMarked([{ field: 'Key', sent }], () => this.#table.update(sent, options)));
  }

  async delete<T>(input: DeleteInput, options?: CallOptions): Promise<DeleteOutput<T>> {
    const sent = keyedWrite(this.#rows, input, inputFields.delete);
    return asSaid(await tellingMarked([{ field: 'Key', sent }], () => this.#table.delete(sent, options)));
  }

  /** @throws BatchUnprocessedError */
  async batchGet<T>(input: BatchGetInput, options?: CallOptions): Promise<BatchGetOutput<T>> {
    return asSaid(await this.#table.batchGet(guardBatchGet(this.#rows, input), options));
  }

  /** @throws BatchUnprocessedError */
  async batchWrite<T>(input: BatchWriteInput<T>, options?: CallOptions): Promise<BatchWriteOutput> {
    return this.#table.batchWrite(guardBatchWrite(this.#rows, input), options);
  }

  async transactGet<T>(input: TransactGetInput, options?: CallOptions): Promise<TransactGetOutput<T>> {
    return asSaid(await this.#table.transactGet(guardTransactGet(this.#rows, input), options));
  }

  async transactWrite<T>(input: TransactWriteInput<T>, options?: CallOptions): Promise<TransactWriteCommandOutput> {
    const sent = guardTransactWrite(this.#rows, input);
    return tellingMarked(sent.writes, () => this.#table.transactWrite(sent, options));
  }
}
