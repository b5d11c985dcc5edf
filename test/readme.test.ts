// The README says what the program says, and leads to every page. UPDATE_README=1 writes the generated part.
import { existsSync, globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { flagTable } from '../src/flags/help.ts';
import { version } from '../src/version.ts';

const root = join(import.meta.dirname, '..');
const path = join(root, 'README.md');
const FLAGS = /(<!-- flags: [^>]*-->\n)([\s\S]*?)(<!-- \/flags -->)/;
const PAGES = globSync(['*.md', 'docs/*.md', 'charts/*/README.md'], { cwd: root }).toSorted();

describe('the README', () => {
  it('has the table of flags that the program has', () => {
    const readme = readFileSync(path, 'utf8');
    const want = `\n${flagTable()}\n\n`;
    if (process.env['UPDATE_README'] === '1')
      writeFileSync(
        path,
        readme.replace(FLAGS, (_, start: string, __, end: string) => `${start}${want}${end}`),
      );
    else expect(FLAGS.exec(readme)?.[2]).toBe(want);
  });

  it('begins with the two commands, which package.json has', () => {
    const readme = readFileSync(path, 'utf8');
    expect(readme.match(/^npm ci && .*$/gm)).toEqual(['npm ci && npm run demo', 'npm ci && npm test']);
  });

  it('leads to every page of docs/, and to what a user looks for beside it', () => {
    const linked = new Set(linksOf('README.md').map(({ target }) => target));
    const pages = [...readdirSync(join(root, 'docs')).map((page) => `docs/${page}`), 'SECURITY.md', 'CHANGELOG.md'];
    expect(pages.filter((page) => !linked.has(page))).toEqual([]);
  });
});

describe('every page', () => {
  it.each(PAGES)('%s leads only to what is there', (page) => {
    const broken = linksOf(page).filter(({ target, anchor }) => !leadsSomewhere(target, anchor));
    expect(broken.map(({ text }) => text)).toEqual([]);
  });
});

describe('the security page', () => {
  it('answers all 18 threats of the threat model, in their order', () => {
    const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
    const rows = [...page.matchAll(/^\| (\d+) \| ([^|]+) \| ([^|]+) \|/gm)];
    expect(rows.map(([, number]) => Number(number))).toEqual(Array.from({ length: 18 }, (_, index) => index + 1));
    expect(rows.filter(([, , threat = '', answer = '']) => threat.trim() === '' || answer.trim() === '')).toEqual([]);
  });
});

describe('package.json', () => {
  it('has the version that the program says', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({ version });
  });
});

interface Link {
  readonly text: string;
  /** Relative to the root. */
  readonly target: string;
  readonly anchor: string | undefined;
}

/** Links within the repository; what is shown as code is no link. */
function linksOf(page: string): readonly Link[] {
  const prose = readFileSync(join(root, page), 'utf8')
    .replace(/^( *)```[\s\S]*?^\1```/gm, '')
    .replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)]
    .map(([, text = '']) => text)
    .filter((text) => !/^[a-z]+:/.test(text))
    .map((text) => {
      const [file = '', anchor] = text.split('#');
      const target = file === '' ? page : relative(root, join(root, dirname(page), file));
      return { text, target, anchor };
    });
}

function leadsSomewhere(target: string, anchor: string | undefined): boolean {
  if (target.startsWith('..') || !existsSync(join(root, target))) return false;
  return anchor === undefined || anchorsOf(target).has(anchor);
}

/** As GitHub makes them of headings. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = readFileSync(join(root, page), 'utf8').matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
