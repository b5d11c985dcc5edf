// Manifests as text: what they say, and what is wrong with them.
import { describe, expect, test } from '@jest/globals';
import { accountKeyFrom, namespaceOf, objectsOf, parseManifests } from '../../src/kube/manifest-documents.ts';

describe('parseManifests', () => {
  test('reads values as kubectl does: YAML 1.1, but dates and times of day are text', () => {
    const text =
      'octal: 0644\nalso: 0o644\ngrouped: 1_000\non: yes\ntime: 10:30\ndate: 2001-12-14\nnothing: ~\nhex: 0x1F\n';
    expect(valuesOf(text)).toEqual([
      { octal: 420, also: 420, grouped: 1000, true: true, time: '10:30', date: '2001-12-14', nothing: null, hex: 31 },
    ]);
  });

  test('reads every document, empty ones too, with the line where it begins', () => {
    const { documents } = parseManifests('# one\n---\na: 1\n---\n---\n# two\nb: 2\n');
    expect(documents.map(({ value, lineAt }) => [value, lineAt([])])).toEqual([
      [{ a: 1 }, 3],
      [null, 4],
      [{ b: 2 }, 7],
    ]);
  });

  test('tells the line of what is inside of a document', () => {
    const [document] = parseManifests('items:\n  - a\n  - b: c\n').documents;
    expect([document?.lineAt(['items', 1]), document?.lineAt(['items', 1, 'b']), document?.lineAt(['none'])]).toEqual([
      3, 3, 1,
    ]);
  });

  test('shares nothing between what aliases stand for', () => {
    const [value] = valuesOf('a: &a [1]\nb: *a\n');
    expect(value).toEqual({ a: [1], b: [1] });
    expect(Object.values(value ?? {})[0]).not.toBe(Object.values(value ?? {})[1]);
  });

  test('reads JSON, also several documents of it that follow each other', () => {
    const { documents } = parseManifests('\uFEFF{"a":"} {"}\r\n{\n\t"b": 2\n}\n\n{"c":3}');
    expect(documents.map(({ value, lineAt }) => [value, lineAt([])])).toEqual([
      [{ a: '} {' }, 1],
      [{ b: 2 }, 2],
      [{ c: 3 }, 6],
    ]);
  });

  test('keeps keys that are names of Object’s own', () => {
    const [value] = valuesOf('__proto__: {role: x}\nconstructor: z\n');
    expect(Object.entries(value ?? {})).toEqual([
      ['__proto__', { role: 'x' }],
      ['constructor', 'z'],
    ]);
  });

  const wrong: readonly (readonly [about: string, text: string, problem: unknown])[] = [
    ['a tab', 'a:\n\tb: 1\n', { line: 2, cause: 'the line is indented with a tab', fix: 'indent it with spaces' }],
    [
      'a key that is there twice',
      'a: 1\n"a": 2\n',
      { line: 2, cause: 'the key "a" is there twice in one mapping', fix: 'keep one of them' },
    ],
    [
      'a template',
      'a: 1\n{{- if .Values.b }}\nb: 2\n{{- end }}\n',
      {
        line: 2,
        cause: 'this is a template, not YAML',
        fix: 'render it first, for example with helm template',
      },
    ],
    [
      'a quote that is not closed',
      'a: 1\nb: "c\nd: e\n',
      { line: 2, cause: 'not YAML: missing closing "quote', fix: 'close what is opened on this line' },
    ],
    [
      'an alias without anchor',
      'a:\n  - *b\n',
      { line: 2, cause: 'the alias *b has no anchor before it', fix: 'put &b before it' },
    ],
    [
      'an alias inside of its anchor',
      'a: &b\n  - *b\n',
      { line: 2, cause: 'the alias *b stands inside of its own anchor', fix: 'write the value instead' },
    ],
    [
      'aliases that expand to gigabytes',
      `a0: &a0 [x]\n${Array.from({ length: 20 }, (_, at) => `a${at + 1}: &a${at + 1} [${Array.from({ length: 9 }, () => `*a${at}`).join()}]\n`).join('')}`,
      {
        line: 1,
        cause: 'excessive alias count indicates a resource exhaustion attack',
        fix: 'correct its aliases and merge keys',
      },
    ],
    [
      'nesting without end',
      `a: ${'['.repeat(20_000)}`,
      { line: 1, cause: 'it is nested too deeply', fix: 'nest less' },
    ],
    [
      'the UTF-16 that PowerShell writes',
      Buffer.from('a: 1\n', 'utf16le').toString('utf8'),
      { line: 1, cause: 'the file is not UTF-8 text', fix: 'save it as UTF-8' },
    ],
    [
      'JSON that ends too soon',
      '{\n"a": [1\n}\n',
      {
        line: 3,
        cause: 'not YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
        fix: 'correct the line, or the one before it',
      },
    ],
  ];

  test.each(wrong)('refuses %s, with line, cause and fix', (_about, text, problem) => {
    expect(parseManifests(text)).toEqual({ documents: [], problems: [problem] });
  });

  test('tells the problems of every document, and of one that is no YAML the first', () => {
    const text = 'a: b: c: d\n\te: f\n---\na: 1\na: 2\na: 3\n---\nfine: true\n';
    const { documents, problems } = parseManifests(text);
    expect(documents.map(({ value }) => value)).toEqual([{ fine: true }]);
    expect(problems.map(({ line }) => line)).toEqual([1, 5, 6]);
  });
});

describe('objectsOf', () => {
  test('finds objects, those of lists in the list’s place, and passes over everything else', () => {
    const pod = { apiVersion: 'v1', kind: 'Pod' };
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [pod, null, { apiVersion: 'v1', kind: 'List', items: [pod] }],
    };
    const paths = [list, pod, { kind: 'Pod' }, { apiVersion: 'v1' }, [], 'text', null, 5].map((value) =>
      objectsOf(value).map(({ path }) => path),
    );
    expect(paths).toEqual([
      [
        ['items', 0],
        ['items', 2, 'items', 0],
      ],
      [[]],
      [],
      [],
      [],
      [],
      [],
      [],
    ]);
  });

  test('takes the namespace default where there is none', () => {
    const namespaces = [{}, { metadata: {} }, { metadata: { namespace: '' } }, { metadata: { namespace: 'a' } }];
    expect(namespaces.map(namespaceOf)).toEqual(['default', 'default', 'default', 'a']);
  });

  test('knows ServiceAccounts of the core API by namespace and name', () => {
    const keys = [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a', namespace: 'b' } },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a' } },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: {} },
      { apiVersion: 'example.com/v1', kind: 'ServiceAccount', metadata: { name: 'a' } },
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } },
    ].map((object) => objectsOf(object).map(accountKeyFrom));
    expect(keys).toEqual([
      [{ namespace: 'b', name: 'a' }],
      [{ namespace: 'default', name: 'a' }],
      [undefined],
      [undefined],
      [undefined],
    ]);
  });
});

function valuesOf(text: string): readonly unknown[] {
  const { documents, problems } = parseManifests(text);
  expect(problems).toEqual([]);
  return documents.map(({ value }) => value);
}
