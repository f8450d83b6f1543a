import { readFileSync } from 'node:fs';
import { InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import type { Settings } from '../contracts/settings.ts';

/** What an operator chooses, as the command line has it. */
export interface SettingsOptions {
  /** Of a file; each `--set` replaces a field of it. */
  readonly settings?: Settings;
  readonly set?: readonly SetOption[];
}

export interface SetOption {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Gives a command the options `--set` and `--settings`. */
export function addSettingsOptions<C extends Command>(command: C): C {
  return command
    .option(
      '--set <field=value>',
      'choose a setting, such as services.backend.count=3; null: as if it was never chosen (may be repeated)',
      (text: string, earlier: readonly SetOption[] | undefined) => [...(earlier ?? []), parseSet(text)],
    )
    .option('--settings <file>', 'choose the settings of a JSON file', readSettings);
}

/** Everything that was chosen as one object; undefined when nothing was. */
export function chosenSettings({ settings, set = [] }: SettingsOptions): Settings | undefined {
  if (set.length === 0) return settings;
  return set.reduce((chosen, { path, value }) => withField(chosen, path, value), settings ?? {});
}

/** @throws InvalidArgumentError */
export function parseSet(text: string): SetOption {
  const [field, value] = splitOnce(text, '=');
  const path = field.split('.');
  if (value === undefined || path.includes('')) throw new InvalidArgumentError('must be <field>=<value>');
  if (path.some((name) => refusedNames.includes(name)))
    throw new InvalidArgumentError(`no setting has a part named ${refusedNames.join(' or ')}`);
  return { path, value: parsed(value) };
}

/** The API refuses a body with such a field. */
const refusedNames = ['__proto__', 'constructor'];

function splitOnce(text: string, by: string): readonly [string, string?] {
  const at = text.indexOf(by);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + by.length)];
}

/** Numbers, true, false, null and whatever else is JSON; all other text is itself. */
function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

const settingsObject = z.record(z.string(), z.unknown());

/** @throws InvalidArgumentError */
function readSettings(file: string): Settings {
  const parsedFile = settingsObject.safeParse(jsonIn(file));
  if (parsedFile.success) return parsedFile.data;
  throw new InvalidArgumentError('must hold a JSON object');
}

function jsonIn(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new InvalidArgumentError(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function withField(settings: Settings, [name = '', ...rest]: readonly string[], value: unknown): Settings {
  const inner = settingsObject.safeParse(settings[name]);
  return { ...settings, [name]: rest.length === 0 ? value : withField(inner.data ?? {}, rest, value) };
}
