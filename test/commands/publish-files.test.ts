// Documents in a directory of the file system, and what is said of a directory that is none.
import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unusableDirectory, writeDocument } from '../../src/commands/publish-files.ts';

const root = mkdtempSync(join(tmpdir(), 'pod-identity-webhook-files-'));
afterAll(() => rmSync(root, { recursive: true }));

describe('writeDocument', () => {
  it('makes the directories on the way, also for two at once, and leaves nothing else behind', async () => {
    const directory = join(root, 'a/b');
    await Promise.all(['c/d/one', 'c/d/two'].map((path) => writeDocument(directory, path, { path })));
    await writeDocument(directory, 'c/d/one', { path: 'again' });
    expect([readdirSync(join(directory, 'c/d')), readFileSync(join(directory, 'c/d/one'), 'utf8')]).toEqual([
      ['one', 'two'],
      '{\n  "path": "again"\n}\n',
    ]);
  });
});

describe('unusableDirectory', () => {
  it.each([
    ['EACCES', 'this user has no right to it'],
    ['EROFS', 'its file system is read-only'],
    ['EIO', 'it broke'],
  ])('of %s', (code, reason) => {
    const failure = Object.assign(new Error('it broke'), { code });
    expect(unusableDirectory('out', failure).problems).toEqual([
      `--out="out": ${reason}; give a directory that you may write, as in --out=public`,
    ]);
  });
});
