// The README says what the program says. UPDATE_README=1 writes the generated part.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { flagTable } from '../src/flags/help.ts';
import { version } from '../src/version.ts';

const path = join(import.meta.dirname, '../README.md');
const FLAGS = /(<!-- flags: [^>]*-->\n)([\s\S]*?)(<!-- \/flags -->)/;

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
});

describe('package.json', () => {
  it('has the version that the program says', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'));
    expect(manifest).toMatchObject({ version });
  });
});
