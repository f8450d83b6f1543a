import type { CompletedCommand, CompletedOption } from './completion.ts';

/** `source <(tenantry completion bash)` */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  return `# bash completion of tenantry, made by "tenantry completion bash"
_tenantry() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' words='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
      ${commands.flatMap(({ path }) => (path === '' ? [] : [`' ${path}'`])).join(' | ')}) path="$path \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path $prev" in
${valueCases(commands, (names, values) => `    ${names.join(' | ')}) COMPREPLY=($(compgen -W '${values.join(' ')}' -- "$cur")); return ;;`)}
  esac
  case "$path" in
${commands.map(({ path, ...all }) => `    '${path && ` ${path}`}') words='${wordsOf(all).join(' ')}' ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _tenantry tenantry
`;
}

/** `source <(tenantry completion zsh)`, after `compinit`. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  return `#compdef tenantry
# zsh completion of tenantry, made by "tenantry completion zsh"
_tenantry() {
  local path_='' prev=\${words[CURRENT-1]} i
  local -a offered
  for ((i = 2; i < CURRENT; i++)); do
    case "$path_ \${words[i]}" in
      ${commands.flatMap(({ path }) => (path === '' ? [] : [`' ${path}'`])).join(' | ')}) path_="$path_ \${words[i]}" ;;
    esac
  done
  case "$path_ $prev" in
${valueCases(commands, (names, values) => `    ${names.join(' | ')}) ${values.length === 0 ? '_files' : `compadd -- ${values.join(' ')}`}; return ;;`)}
  esac
  case "$path_" in
${commands.map(({ path, ...all }) => `    '${path && ` ${path}`}') offered=(${describedOf(all).map(zshItem).join(' ')}) ;;`).join('\n')}
  esac
  _describe 'tenantry' offered
}
compdef _tenantry tenantry
`;
}

/** `tenantry completion fish | source` */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ path, subcommands, options }) => [
    ...subcommands.map(({ name, description }) => `${fishAt(path)} -f -a ${name} -d ${quoted(description)}`),
    ...options.map((option) => `${fishAt(path)} ${fishOption(option)} -d ${quoted(option.description)}`),
  ]);
  const paths = commands.flatMap(({ path }) => (path === '' ? [] : [quoted(` ${path}`)]));
  return `# fish completion of tenantry, made by "tenantry completion fish"
function __tenantry_at
    set -l path ''
    for word in (commandline -opc)[2..]
        contains -- "$path $word" ${paths.join(' ')}; and set path "$path $word"
    end
    test "$path" = "$argv[1]"
end
complete -c tenantry -f
${lines.join('\n')}
`;
}

type Parts = Pick<CompletedCommand, 'subcommands' | 'options'>;

function wordsOf({ subcommands, options }: Parts): string[] {
  return [...subcommands, ...options].map(({ name }) => name);
}

function describedOf({ subcommands, options }: Parts): { name: string; description: string }[] {
  return [...subcommands, ...options];
}

/** A line per option that takes a value. Their names are quoted: a path may hold spaces. */
function valueCases(
  commands: readonly CompletedCommand[],
  line: (names: string[], values: readonly string[]) => string,
): string {
  return commands
    .flatMap(({ path, options }) =>
      options.flatMap(({ name, values }) =>
        values === undefined ? [] : [line([`'${path && ` ${path}`} ${name}'`], values)],
      ),
    )
    .join('\n');
}

function zshItem({ name, description }: { name: string; description: string }): string {
  return quoted(`${name}:${description.replaceAll(':', '\\:')}`);
}

function fishAt(path: string): string {
  return `complete -c tenantry -n ${quoted(`__tenantry_at ${quoted(path === '' ? '' : ` ${path}`)}`)}`;
}

function fishOption({ name, values }: CompletedOption): string {
  const long = `-l ${name.replace(/^--/, '')}`;
  if (values === undefined) return `-f ${long}`;
  return values.length === 0 ? `-r ${long}` : `-x ${long} -a ${quoted(values.join(' '))}`;
}

/** In single quotes for bash and zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
