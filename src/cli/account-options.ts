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

/** Gives a command the fields of a request for an account. What is missing, or wrong, the API says of all fields at once. */
export function addAccountOptions(command: CheckedCommand): CheckedCommand {
  return command
    .option('--name <text>', 'name of the account, for people')
    .option('--master-account <name>', 'name of the master account; several accounts may have it')
    .option('--cloud-type <type>', 'public: rows in the table that accounts share; private: a table of its own')
    .option('--technical-user-name <text>', 'name of the technical user')
    .option('--technical-user-email <address>', 'email address of the technical user')
    .option('--technical-user-username <text>', 'login of the technical user')
    .option('--address <json>', 'an address as a JSON object, or a file of a list of them (may be repeated)', appended)
    .option('--license <json>', 'a license as a JSON object, or a file of a list of them (may be repeated)', appended)
    .option(
      '--file <file>',
      'a JSON file of the whole request; what other options say replaces its fields',
      readRequest,
    );
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

function present(fields: AccountRequest): AccountRequest {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** @throws InvalidArgumentError */
function appended(text: string, earlier: readonly unknown[] | undefined): readonly unknown[] {
  const isJson = text.trimStart().startsWith('{');
  const given = isJson ? [parsed(text)] : z.array(z.unknown()).safeParse(jsonIn(text)).data;
  if (given === undefined) throw new InvalidArgumentError('must be a JSON object, or a file of a JSON list');
  return [...(earlier ?? []), ...given];
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
