import { Command, InvalidArgumentError, type Option, type ParseOptionsResult } from 'commander';

/** A value that the API refuses too. It is named beside other mistakes; alone it is left to the API, whose answer says more. */
export class RefusedByApiError extends InvalidArgumentError {}

/** A command that names everything that is wrong with its options and arguments in one message, instead of the first mistake only. */
export class CheckedCommand extends Command {
  readonly #given = new Set<string>();
  readonly #invalid: string[] = [];
  readonly #refusedByApi: string[] = [];
  readonly #conditions = new Map<string, string>();
  readonly #contradictions: (readonly [string, string])[] = [];

  override createCommand(name?: string): CheckedCommand {
    return new CheckedCommand(name);
  }

  override addOption(option: Option): this {
    this.#collectInvalid(option);
    super.addOption(option);
    return this.on(`option:${option.name()}`, () => this.#given.add(flagOf(option)));
  }

  /** Two options, as `--wait`, that say the opposite of each other. */
  contradict(one: string, other: string): this {
    this.#contradictions.push([one, other]);
    return this;
  }

  /** An option that only the API knows to be needed: what is missing anyway names it too; alone it is left to the API. */
  neededUnless(option: string, unless: string): this {
    this.#conditions.set(option, unless);
    return this;
  }

  override parseOptions(argv: string[]): ParseOptionsResult {
    this.#given.clear();
    this.#invalid.length = 0;
    this.#refusedByApi.length = 0;
    const last = argv.at(-1);
    const cut = this.options.find(({ required, long }) => required && long !== undefined && long === last);
    const parsed = super.parseOptions(cut ? argv.slice(0, -1) : argv);
    if (parsed.unknown.some((word) => word === '--help' || word === '-h')) return parsed;
    const problems = [...this.#valueProblems(cut), ...(this.commands.length > 0 ? [] : this.#problemsOf(parsed, cut))];
    // Commander suggests the name that was meant.
    if (problems.length === 1 && unknownOptions(parsed).length === 1) return parsed;
    if (problems.length > 0)
      this.error(`error: ${listed([...problems, ...this.#refusedByApi, ...this.#wordProblems(parsed)])}`);
    return parsed;
  }

  #collectInvalid(option: Option): void {
    const { parseArg, argChoices } = option;
    if (!parseArg) return;
    option.argParser<unknown>((value, previous) => {
      try {
        return parseArg(value, previous);
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
        const problem = argChoices ? `must be one of ${argChoices.join(', ')}` : error.message;
        const list = error instanceof RefusedByApiError ? this.#refusedByApi : this.#invalid;
        list.push(`${flagOf(option)} "${value}": ${problem}`);
        return value;
      }
    });
  }

  /** What is wrong with arguments; alone it is left to Commander, which looks at them only once the options are right. */
  #wordProblems({ operands }: ParseOptionsResult): string[] {
    if (this.commands.length > 0) return [];
    return this.registeredArguments.flatMap((argument, at) => {
      const { parseArg, variadic } = argument;
      const words = variadic ? operands.slice(at) : operands.slice(at, at + 1);
      return words.flatMap((word) => {
        try {
          parseArg?.(word, undefined);
          return [];
        } catch (error) {
          if (!(error instanceof InvalidArgumentError)) throw error;
          return [`<${argument.name()}> "${word}": ${error.message}`];
        }
      });
    });
  }

  /** @param cut the option that the command line ends with, without its value */
  #valueProblems(cut: Option | undefined): string[] {
    const swallowed = this.options.filter((option) => {
      const value: unknown = this.getOptionValue(option.attributeName());
      return option.required && this.options.some(({ long }) => long !== undefined && long === value);
    });
    return [...swallowed, ...(cut ? [cut] : [])]
      .map((option) => `${flagOf(option)} has no value`)
      .concat(this.#invalid);
  }

  #missingOf(option: Option): string[] {
    if (option.mandatory) return [option.flags];
    const unless = this.#conditions.get(flagOf(option));
    return unless === undefined ? [] : [`${option.flags} (${unless})`];
  }

  #problemsOf(parsed: ParseOptionsResult, cut: Option | undefined): string[] {
    const absent = this.options
      .filter((option) => option !== cut && !this.#given.has(flagOf(option)))
      .filter((option) => this.getOptionValue(option.attributeName()) === undefined);
    const missing = absent.some(({ mandatory }) => mandatory) ? absent.flatMap((each) => this.#missingOf(each)) : [];
    const unknown = unknownOptions(parsed);
    const words = [...parsed.operands, ...parsed.unknown.filter((word) => !unknown.includes(word))];
    const taken = this.registeredArguments;
    const names = [
      ...taken.filter(({ required }, at) => required && words[at] === undefined).map((one) => `<${one.name()}>`),
      ...missing,
    ];
    const isBounded = !taken.some(({ variadic }) => variadic);
    const excess = isBounded && unknown.length === 0 ? words.slice(taken.length) : [];
    return [
      ...(names.length > 0 ? [`missing: ${names.join(', ')}`] : []),
      ...this.#contradictions
        .filter((pair) => pair.every((flag) => this.#given.has(flag)))
        .map(([one, other]) => `${one} and ${other} contradict each other: give one of them`),
      ...unknown.map((word) => `unknown option ${word}`),
      ...excess.map((word) => `unexpected "${word}" (put a value with spaces in quotes)`),
    ];
  }
}

function listed(problems: readonly string[]): string {
  if (problems.length === 1) return problems.join();
  return `the command line cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`;
}

function flagOf({ long, flags }: Option): string {
  return long ?? flags;
}

function unknownOptions({ unknown }: ParseOptionsResult): string[] {
  return unknown.filter((word) => word.startsWith('-') && word !== '-' && word !== '--');
}
