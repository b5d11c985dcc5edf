// Pages of docs/ that show what the tests have seen: between `<!-- NAME: … -->` and `<!-- /NAME -->` stands what a test gives.
// UPDATE_DOCS=1 writes it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const docs = join(import.meta.dirname, '../../../docs');

export interface Shown {
  /** File in docs/. */
  readonly page: string;
  readonly name: string;
  readonly text: string;
}

/** What the page says at that place, to be compared with the text; undefined where it has no such place. */
export function shownOn({ page, name, text }: Shown): string | undefined {
  const path = join(docs, page);
  const place = new RegExp(`(<!-- ${name}: [^>]*-->\n)([\\s\\S]*?)(\n<!-- /${name} -->)`);
  if (process.env['UPDATE_DOCS'] === '1') {
    const written = readFileSync(path, 'utf8').replace(
      place,
      (_all, start: string, _before: string, end: string) => `${start}${text}${end}`,
    );
    writeFileSync(path, written);
  }
  return place.exec(readFileSync(path, 'utf8'))?.[2];
}

export function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}
