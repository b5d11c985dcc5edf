// Patches as people read them, for what no workload of the golden files has.
import { expect, test } from '@jest/globals';
import { diffText } from '../../src/commands/diff.ts';
import { paintWith } from '../../src/commands/paint.ts';

const paint = paintWith(false);

test('shows keys that are added to an object, also those with a slash', () => {
  const pod = { metadata: { labels: { app: 'web' } } };
  const operations = [
    { op: 'add', path: '/metadata/labels/eks.amazonaws.com~1pod-identity', value: 'enabled' },
    { op: 'add', path: '/metadata/annotations', value: { 'a~b': 'yes' } },
  ] as const;
  expect(diffText({ pod, operations, prefix: [], paint })).toBe(
    [
      '@@ metadata.labels @@',
      '+eks.amazonaws.com/pod-identity: enabled',
      '@@ metadata @@',
      '+annotations:',
      '+  a~b: "yes"',
      '',
    ].join('\n'),
  );
});

test('shows the item that an item is put before, and only the last of those that one is put behind', () => {
  const pod = { spec: { volumes: ['a', 'b'], containers: [{ env: ['c', 'd'] }] } };
  const operations = [
    { op: 'add', path: '/spec/volumes/0', value: 'new' },
    { op: 'add', path: '/spec/containers/0/env/-', value: 'e' },
    { op: 'add', path: '/spec/containers/0/env/-', value: 'f' },
  ] as const;
  expect(diffText({ pod, operations, prefix: ['spec', 'template'], paint })).toBe(
    [
      '@@ spec.template.spec @@',
      ' volumes:',
      '+  - new',
      '   - a',
      '@@ spec.template.spec.containers[0] @@',
      ' env:',
      '   - d',
      '+  - e',
      '+  - f',
      '',
    ].join('\n'),
  );
});
