// Writing new values into YAML texts: properties over many texts, and the traps of real files one by one.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AddOperation } from 'fast-json-patch';
import jsonpatch from 'fast-json-patch';
import type { ToStringOptions } from 'yaml';
import { stringify } from 'yaml';
import { ownField, ownList } from '../../src/admission/json.ts';
import { writeBack } from '../../src/commands/write-back.ts';
import type { ManifestDocument } from '../../src/kube/manifest-documents.ts';
import { parseManifests } from '../../src/kube/manifest-documents.ts';

const NEW_VOLUME = { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } };
const NEW_VARIABLE = { name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::111122223333:role/app' };

describe('writeBack', () => {
  test('makes any text say the new value, and keeps every line that says nothing new', () => {
    fc.assert(
      fc.property(
        pods,
        styles,
        fc.infiniteStream(fc.nat({ max: 12 })),
        (pod, { lineEnd, isOpenEnded, ...style }, noise) => {
          const lines = withComments(stringify(pod, style).trimEnd().split('\n'), noise);
          const text = lines.join(lineEnd) + (isOpenEnded ? '' : lineEnd);
          // A comment can make YAML of what a printer may print and a person would not write.
          fc.pre(parseManifests(text).problems.length === 0);
          const [document, ...others] = documentsOf(text);
          if (document === undefined || others.length > 0) throw new Error(`want one document in ${text}`);
          const after = injected(document.value, pod.injected);

          const written = writeBack(text, [{ document, after }]);
          expect(documentsOf(written.text).map(({ value }) => value)).toEqual([after]);
          expect(written.printedAnew).toEqual([]);
          // Lines in brackets are long, and grow.
          if (style.collectionStyle === 'any') expect(missingLines(text.trimEnd(), written.text)).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('writeBack keeps what only some files have', () => {
  const traps: readonly (readonly [about: string, text: string, want: string])[] = [
    [
      'Windows line ends and a byte order mark',
      '\uFEFFspec:\r\n  env: []\r\n',
      '\uFEFFspec:\r\n  env:\r\n    - x\r\n  volumes:\r\n    - new\r\n',
    ],
    ['no line end at the end', 'spec:\n  env:\n  - a', 'spec:\n  env:\n  - a\n  - x\n  volumes:\n  - new'],
    [
      'tabs behind colons',
      'spec:\n  env:\t# tab\n  - a\n',
      'spec:\n  env:\t# tab\n  - a\n  - x\n  volumes:\n  - new\n',
    ],
    [
      'a directive, and the version of YAML that it asks for',
      '%YAML 1.2\n---\nspec:\n  env: [yes]\n---\nspec: {env: [yes]}\n',
      '%YAML 1.2\n---\nspec:\n  env: [yes, x]\n  volumes:\n    - new\n---\nspec: {env: [yes, x], volumes: [new]}\n',
    ],
    ['explicit keys', '? spec\n: env:\n  - a\n', '? spec\n: env:\n  - a\n  - x\n  volumes:\n  - new\n'],
    ['tags', 'spec: !!map\n  env: !!seq\n  - a\n', 'spec: !!map\n  env: !!seq\n  - a\n  - x\n  volumes:\n  - new\n'],
    ['a document on the line of its marker', '--- {spec: {env: [a]}}\n', '--- {spec: {env: [a, x], volumes: [new]}}\n'],
    [
      'a comma behind the last item, on another line',
      'spec:\n  "env"  :   [ a ,\n   b, ] # c\n',
      'spec:\n  "env"  :   [ a ,\n   b, x, ] # c\n  volumes:\n    - new\n',
    ],
    [
      'an anchor of the list that grows, and what its alias said',
      'spec:\n  volumes: &v\n\n  # c\n  - a\n  other: *v\n',
      'spec:\n  volumes: &v\n  - new\n\n  # c\n  - a\n  other:\n  - a\n  env:\n  - x\n',
    ],
    [
      'an alias of an empty list that grows',
      'spec: &s\n  env: []\nother: *s\n',
      'spec: &s\n  env:\n    - x\n  volumes:\n    - new\nother:\n  env: []\n',
    ],
    [
      'empty lines behind block scalars',
      'spec:\n  env:\n  - |+\n    x\n\n  - >\n\n    y\n\n\n  # c\n',
      'spec:\n  env:\n  - |+\n    x\n\n  - >\n\n    y\n  - x\n  volumes:\n  - new\n\n\n  # c\n',
    ],
  ];

  test.each(traps)('%s', (_about, text, want) => {
    const changes = documentsOf(text).map((document) => {
      const after: unknown = JSON.parse(JSON.stringify(document.value));
      const spec = ownField(after, 'spec');
      jsonpatch.applyPatch(after, [
        addition('/spec/volumes', ownField(spec, 'volumes'), 'new', '0'),
        addition('/spec/env', ownField(spec, 'env'), 'x', '-'),
      ]);
      return { document, after };
    });
    expect(writeBack(text, changes)).toEqual({ text: want, printedAnew: [] });
  });

  test('ten megabytes beside a pod', () => {
    const line = '    {"lorem": "ipsum", "dolor": [1, 2, 3]}\n';
    const files = `---\nkind: ConfigMap\ndata:\n  big: |\n${line.repeat(10_000_000 / line.length)}`;
    const text = `${files}---\nspec:\n  env: []\n${files}`;
    const [, document] = documentsOf(text);
    if (document === undefined) throw new Error('want a document');
    const after = { spec: { env: ['x'] } };
    const written = writeBack(text, [{ document, after }]);
    expect(written.text === `${files}---\nspec:\n  env:\n    - x\n${files}`).toBe(true);
  });
});

const scalars = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(
    'yes',
    '0644',
    '10:30',
    '# no comment',
    'a: b',
    '- x',
    '*a',
    '&a',
    '{{ a }}',
    'line\nline\n',
    ' x ',
    '',
  ),
);
const texts = scalars.map(String);
const variables = fc.array(fc.record({ name: texts, value: texts }), { maxLength: 3 });
const fields = fc.option(variables, { nil: null });
const containers = fc.record(
  {
    name: texts,
    args: fc.array(texts, { maxLength: 2 }),
    env: fields,
    volumeMounts: fields,
    image: texts,
    tty: scalars,
  },
  { requiredKeys: ['name'] },
);

/** Pods whose containers share lists, which are written with anchors and aliases. */
const pods = fc
  .record({
    containers: fc.array(containers, { minLength: 1, maxLength: 3 }),
    shared: variables,
    sharing: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
    volumes: fc.option(variables, { nil: null }),
    hasVolumes: fc.boolean(),
    injected: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  })
  .map(({ containers: list, shared, sharing, volumes, hasVolumes, injected: chosen }) => ({
    kind: 'Pod',
    spec: {
      containers: list.map((container, index) => (sharing[index] === true ? { ...container, env: shared } : container)),
      ...(hasVolumes ? { volumes } : {}),
    },
    injected: chosen,
  }));

const styles = fc.record({
  indent: fc.constantFrom(2, 3, 4),
  indentSeq: fc.boolean(),
  collectionStyle: fc.constantFrom<NonNullable<ToStringOptions['collectionStyle']>>('any', 'flow'),
  flowCollectionPadding: fc.boolean(),
  defaultStringType: fc.constantFrom<NonNullable<ToStringOptions['defaultStringType']>>(
    'PLAIN',
    'QUOTE_DOUBLE',
    'QUOTE_SINGLE',
    'BLOCK_LITERAL',
    'BLOCK_FOLDED',
  ),
  nullStr: fc.constantFrom('null', '~', ''),
  lineWidth: fc.constant(0),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  isOpenEnded: fc.boolean(),
});

/** Comments before lines and behind them, and empty lines, where the noise says so. */
function withComments(lines: readonly string[], noise: fc.Stream<number>): string[] {
  return lines.flatMap((line) => {
    const [what = 0] = noise.take(1);
    if (what === 0) return [line.replace(/\S.*/, '# before'), line];
    if (what === 1) return ['', line];
    return what === 2 ? [`${line} # behind`] : [line];
  });
}

function documentsOf(text: string): readonly ManifestDocument[] {
  const { documents, problems } = parseManifests(text);
  if (problems.length > 0) throw new Error(`${JSON.stringify(problems)} in ${text}`);
  return documents;
}

/** The value with a volume before all others, and a variable and a mount in the chosen containers. */
function injected(value: unknown, chosen: readonly boolean[]): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(value));
  const spec = ownField(copy, 'spec');
  const operations = ownList(spec, 'containers').flatMap((container, index) =>
    chosen[index] === true
      ? [
          addition(`/spec/containers/${index}/env`, ownField(container, 'env'), NEW_VARIABLE, '-'),
          addition(`/spec/containers/${index}/volumeMounts`, ownField(container, 'volumeMounts'), NEW_VARIABLE, '-'),
        ]
      : [],
  );
  jsonpatch.applyPatch(copy, [...operations, addition('/spec/volumes', ownField(spec, 'volumes'), NEW_VOLUME, '0')]);
  return copy;
}

/** Of an item to the list of a field, which is made where it is not there. */
function addition(path: string, field: unknown, item: unknown, end: string): AddOperation<unknown> {
  return Array.isArray(field) ? { op: 'add', path: `${path}/${end}`, value: item } : { op: 'add', path, value: [item] };
}

// What an empty list or an alias in its place was, and lines in brackets, are written anew.
const REPLACED = /[[\]{}*~]|null/;

/** Lines that are missing in a text, or in another order there. */
function missingLines(before: string, after: string): string[] {
  const left = after.split(/\r?\n/);
  return before.split(/\r?\n/).filter((line) => {
    if (REPLACED.test(line)) return false;
    const found = left.indexOf(line);
    if (found >= 0) left.splice(0, found + 1);
    return found < 0;
  });
}
