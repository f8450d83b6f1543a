import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { z } from 'zod';
import type { AccountRequest } from './accounts-client.ts';
import type { CheckedCommand } from './checked-command.ts';

/** A request for an account, as the command line has it. */
export interface AccountOptions {
  /** Of a file; each other option replaces a field of it. */
  readonly file?: AccountRequest;
  readonly name?: string;
  readonly masterAccount?: string;
  readonly cloudType?: string;
  readonly technicalUserName?: string;
  readonly technicalUserEmail?: string;
  readonly technicalUserUsername?: string;
  readonly address?: readonly unknown[];
  readonly license?: readonly unknown[];
}

/** Gives `create` the fields of its request. What is missing, or wrong, the API says of all fields at once. */
export function addAccountOptions(command: CheckedCommand): CheckedCommand {
  return addFields(
    command.option('--cloud-type <type>', 'public: rows in the table that accounts share; private: a table of its own'),
    'a JSON file of the whole request; what other options say replaces its fields',
  );
}

/** Gives the command that changes an account the fields that it may change. */
export function addChangeOptions(command: CheckedCommand): CheckedCommand {
  return addFields(
    command,
    'a JSON file of the fields to change, a list as a whole, null: none; what other options say replaces its fields',
  );
}

function addFields(command: CheckedCommand, file: string): CheckedCommand {
  return command
    .option('--name <text>', 'name of the account, for people')
    .option('--master-account <name>', 'name of the master account; several accounts may have it')
    .option('--technical-user-name <text>', 'name of the technical user')
    .option('--technical-user-email <address>', 'email address of the technical user')
    .option('--technical-user-username <text>', 'login of the technical user')
    .option('--address <json>', 'an address, or a list of them: JSON, or a file of it (may be repeated)', appended)
    .option('--license <json>', 'a license, or a list of them: JSON, or a file of it (may be repeated)', appended)
    .option('--file <file>', file, readRequest);
}

/** The body of the request; fields that were not given are left out. */
export function requestOf({ file = {}, address, license, ...given }: AccountOptions): AccountRequest {
  const user = present({
    name: given.technicalUserName,
    email: given.technicalUserEmail,
    username: given.technicalUserUsername,
  });
  const inFile = object.safeParse(file.technicalUser).data ?? {};
  return {
    ...file,
    ...present({ name: given.name, masterAccountName: given.masterAccount, cloudType: given.cloudType }),
    ...(Object.keys(user).length > 0 && { technicalUser: { ...inFile, ...user } }),
    ...present({ addresses: address, licenses: license }),
  };
}

const object = z.record(z.string(), z.unknown());
const objects = z.array(object);

function present(fields: AccountRequest): AccountRequest {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** @throws InvalidArgumentError */
function appended(text: string, earlier: readonly unknown[] | undefined): readonly unknown[] {
  const json = /^\s*[[{]/.test(text) ? parsed(text) : jsonIn(text);
  const { data } = objects.safeParse(Array.isArray(json) ? json : [json]);
  if (data) return [...(earlier ?? []), ...data];
  throw new InvalidArgumentError('must be a JSON object or a list of them, or a file of it');
}

/** @throws InvalidArgumentError */
function readRequest(file: string): AccountRequest {
  const { data } = object.safeParse(jsonIn(file));
  if (data) return data;
  throw new InvalidArgumentError('must hold a JSON object');
}

function jsonIn(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(`cannot be read: ${messageOf(error)}`);
  }
  return parsed(text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`is not JSON: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
