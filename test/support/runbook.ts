import { readFileSync } from 'node:fs';

/** A page of the runbook: a heading of the third level. */
export interface RunbookPage {
  /** The heading of the second level that it stands under. */
  readonly chapter: string;
  readonly heading: string;
  readonly text: string;
}

const text = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

export function runbookText(): string {
  return text;
}

export function runbookPages(): RunbookPage[] {
  return text
    .split(/^## /m)
    .slice(1)
    .flatMap((part) => {
      const [chapter = '', ...pages] = part.split(/^### /m);
      return pages.map((page) => ({
        chapter: chapter.split('\n', 1)[0] ?? '',
        heading: page.split('\n', 1)[0] ?? '',
        text: page.slice(page.indexOf('\n') + 1),
      }));
    });
}

/** Lines of the shell blocks. */
export function runbookCommands(): string[] {
  return [...text.matchAll(/^ *```sh\n([^]*?)^ *```$/gm)].flatMap(([, block = '']) =>
    block
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  );
}
