// What -f names: files, directories, standard input, and what is none of these.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readInputs } from '../../src/commands/inputs.ts';
import type { CommandIo } from '../../src/commands/io.ts';
import { createTestIo } from '../support/command-io.ts';

test('wants at least one file', async () => {
  expect(await readInputs([], createTestIo({}))).toEqual({
    inputs: [],
    problems: ['no manifests given; name them with -f FILE, or pipe them in with -f -'],
  });
});

test('reads each file once, in the order given', async () => {
  const io = createTestIo({ 'b.yaml': 'b: 1', 'a.yaml': 'a: 1', '-': 'c: 1' });
  const { inputs, problems } = await readInputs(['b.yaml', '-', 'a.yaml', 'b.yaml', '-'], io);
  expect([inputs.map(({ name, text }) => [name, text]), problems]).toEqual([
    [
      ['b.yaml', 'b: 1'],
      ['stdin', 'c: 1'],
      ['a.yaml', 'a: 1'],
    ],
    [],
  ]);
});

test('reads every manifest below a directory of the file system', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'inputs-'));
  try {
    await mkdir(join(directory, 'sub'));
    for (const name of ['sub/b.yaml', 'a.json', 'c.txt']) await writeFile(join(directory, name), '{}');
    const { listManifests: _fake, ...fake } = createTestIo({});
    const io: CommandIo = { ...fake, readFile: (path) => readFile(path, 'utf8') };
    const { inputs, problems } = await readInputs([directory], io);
    expect([inputs.map(({ name }) => name), problems]).toEqual([
      [join(directory, 'a.json'), join(directory, 'sub/b.yaml')],
      [],
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('says what is no manifest, and lets empty documents be', async () => {
  const files = {
    'no.txt': '---\n---\npermission denied\n',
    'list.json': '[{"kind": "Pod"}]',
    'number.yaml': '7',
    'mixed.yaml': 'a: 1\n---\ntext\n',
    'empty.yaml': '',
    'nothing.yaml': '---\n# none\n---\n',
  };
  const { problems } = await readInputs(Object.keys(files), createTestIo(files));
  const fix = 'and no manifest; give objects of Kubernetes in YAML or JSON';
  expect(problems).toEqual([
    `no.txt:3: this is plain text, ${fix}`,
    `list.json:1: this is a bare list, ${fix}`,
    `number.yaml:1: this is plain text, ${fix}`,
  ]);
});

test('says of each file why it cannot be read, and reads the others', async () => {
  const fake = createTestIo({ 'fine.yaml': 'a: 1', 'dir/a.yaml': 'a: 1' });
  const failing: Readonly<Record<string, string>> = { 'mine.yaml': 'EACCES', 'odd.yaml': 'EIO', dir: 'EISDIR' };
  const failure = (name: string): Error =>
    Object.assign(new Error(`${failing[name]}: ${name}`), { code: failing[name] });
  const io: CommandIo = {
    ...fake,
    readFile: async (name) => (failing[name] === undefined ? fake.readFile(name) : Promise.reject(failure(name))),
    listManifests: async () => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' })),
  };
  const { inputs, problems } = await readInputs(['none.yaml', 'mine.yaml', 'odd.yaml', 'dir', 'fine.yaml'], io);
  expect([inputs.map(({ name }) => name), problems]).toEqual([
    ['fine.yaml'],
    [
      'none.yaml: there is no such file; correct the path',
      'mine.yaml: it may not be read; give yourself the right to read it',
      'odd.yaml: it cannot be read: EIO: odd.yaml; give another file',
      'dir: it may not be read; give yourself the right to read it',
    ],
  ]);
});
