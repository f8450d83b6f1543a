import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

const statuses = ['met', 'not-applicable', 'not-met'] as const;

const requirement = z.strictObject({
  id: z.string().regex(/^V\d+\.\d+\.\d+$/),
  level: z.union([z.literal(1), z.literal(2)]),
  status: z.enum(statuses),
  /** What is asked for, in our own words. */
  what: z.string().min(1),
  /** What meets it, or why it is not met or does not apply. */
  how: z.string().min(1),
  /** Files that show it, from the repository's root. */
  see: z.array(z.string()).min(1).optional(),
});
const chapter = z.strictObject({
  id: z.string().regex(/^V\d+$/),
  title: z.string(),
  note: z.string().optional(),
  requirements: z.array(requirement).min(1),
});
const walk = z.strictObject({ chapters: z.array(chapter) });

export type SecurityRequirement = z.output<typeof requirement>;
export type SecurityChapter = z.output<typeof chapter>;

/** The requirements of OWASP ASVS as docs/security.yaml has them. */
export function securityChapters(): readonly SecurityChapter[] {
  const file = fileURLToPath(new URL('../docs/security.yaml', import.meta.url));
  return walk.parse(parse(readFileSync(file, 'utf8'))).chapters;
}

/** docs/security.md. */
export function securityPage(chapters = securityChapters()): string {
  const all = chapters.flatMap(({ requirements }) => requirements);
  const count = (status: (typeof statuses)[number], level: 1 | 2) =>
    all.filter((each) => each.status === status && each.level === level).length;
  return [
    '# Security, requirement by requirement',
    '',
    'Written by `npm run docs` from `docs/security.yaml`: the requirements of levels 1 and 2 of the',
    '[OWASP Application Security Verification Standard 5.0.0](https://owasp.org/www-project-application-security-verification-standard/), in our own words, for the API,',
    'the workers and the command line. Whom this is against, and what is left open: [threat model](threat-model.md). The standard itself is the authority on what a',
    'requirement means.',
    '',
    '| | level 1 | level 2 |',
    '|---|---|---|',
    ...statuses.map((status) => `| ${words[status]} | ${count(status, 1)} | ${count(status, 2)} |`),
    '',
    '## What is not met',
    '',
    ...all.filter(({ status }) => status === 'not-met').map(({ id, what, how }) => `- **${id}** ${what}: ${how}.`),
    ...chapters.flatMap(chapterPart),
    '',
  ].join('\n');
}

const words: Readonly<Record<(typeof statuses)[number], string>> = {
  met: 'met',
  'not-applicable': 'does not apply',
  'not-met': '**not met**',
};

function chapterPart({ id, title, note, requirements }: SecurityChapter): string[] {
  return [
    '',
    `## ${id} ${title}`,
    '',
    ...(note === undefined ? [] : [note, '']),
    '| | level | | asked for | how, or why not | shown by |',
    '|---|---|---|---|---|---|',
    ...requirements.map(
      ({ id: name, level, status, what, how, see = [] }) =>
        `| ${name} | ${level} | ${words[status]} | ${what} | ${how} | ${see.map(link).join(', ')} |`,
    ),
  ];
}

/** From docs/. */
function link(path: string): string {
  return `[${path.replace(/^.*\//, '')}](${path.startsWith('docs/') ? path.slice('docs/'.length) : `../${path}`})`;
}
