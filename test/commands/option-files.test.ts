// Files that options name: what is said where they cannot be read, and what is never repeated.
import { expect, it } from '@jest/globals';
import { readJsonOption, readOption } from '../../src/commands/option-files.ts';
import { createTestIo } from '../support/command-io.ts';
import { failureOf } from '../support/failure.ts';

const io = createTestIo({ 'd/file': 'text', '-': 'piped', marked: '\uFEFF{"a": 1}' });

it('reads a file, standard input, and JSON with the mark of an editor', async () => {
  expect([
    await readOption({ option: '--token', file: 'd/file' }, io),
    await readOption({ option: '--token', file: '-' }, io),
    await readJsonOption({ option: '--claims', file: 'marked' }, io),
  ]).toEqual(['text', 'piped', { a: 1 }]);
});

it('says what is wrong with a file, and what to give instead', async () => {
  const messageFor = async (file: string): Promise<unknown> =>
    (await failureOf(readOption({ option: '--token', file }, io)))['message'];
  expect([await messageFor('missing'), await messageFor('d')]).toEqual([
    '--token="missing": there is no such file; give the path of a file, or - for standard input',
    '--token="d": it is a directory; give the path of a file, or - for standard input',
  ]);
});

it('says that a file is empty, or no text, instead of reading it', async () => {
  const files = createTestIo({ empty: '', der: '0\x82\uFFFD', '-': '\n' });
  const messages = ['empty', '-', 'der'].map(
    async (file) =>
      (await failureOf(readOption({ option: '--public-key', file, form: 'keys in PEM' }, files)))['message'],
  );
  expect(await Promise.all(messages)).toEqual([
    '--public-key="empty": it is empty; give the path of a file, or - for standard input',
    '--public-key="-": it is empty; give the path of a file, or - for standard input',
    '--public-key="der": it is not UTF-8 text; want keys in PEM',
  ]);
});

it('does not repeat a token that is given instead of its file', async () => {
  const file = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';
  expect((await failureOf(readOption({ option: '--token', file }, io)))['message']).toBe(
    '--token: this is a token itself, which everybody sees in the list of processes; give the path of a file, or - for standard input',
  );
});
