// What the chart makes of the main shapes of an installation, by both helms.
import { describe, expect, test } from '@jest/globals';
import { byName, CHART, idOf, objectsOf, render, runHelm } from './support/helm.ts';
import { goldenNames, goldenOf, shapes } from './support/shapes.ts';

describe.each(shapes)('$name: $about', ({ name, values }) => {
  test('is what the golden file says', () => {
    const rendered = render({ values });
    expect(rendered).toBe(goldenOf(name, rendered));
  });

  test('is the same objects by Helm 4', () => {
    expect(byName(objectsOf(render({ helm: 'helm4', values })))).toEqual(byName(objectsOf(render({ values }))));
  });

  test.each(['helm3', 'helm4'] as const)('passes lint --strict of %s', (helm) => {
    const { status, stdout } = runHelm(helm, ['lint', '--strict', CHART], { values });
    expect({ status, summary: stdout.trim().split('\n').at(-1) }).toEqual({
      status: 0,
      summary: '1 chart(s) linted, 0 chart(s) failed',
    });
  });
});

test('has no golden file of a shape that is gone', () => {
  expect(goldenNames()).toEqual(shapes.map(({ name }) => name));
});

test.each(shapes)('$name has no object twice', ({ values }) => {
  const ids = objectsOf(render({ values })).map(idOf);
  expect(ids).toEqual([...new Set(ids)]);
});

test('renders nothing that a second release of another namespace has, too', () => {
  const idsIn = (release: string, namespace: string): string[] => objectsOf(render({ release, namespace })).map(idOf);
  const same = new Set(idsIn('identity', 'one'));
  expect(idsIn('identity', 'two').filter((id) => same.has(id))).toEqual([]);
  const beside = new Set(idsIn('one', 'aws'));
  expect(idsIn('two', 'aws').filter((id) => beside.has(id))).toEqual([]);
});

test('refuses a Kubernetes without matchConditions and ValidatingAdmissionPolicy', () => {
  const { status, stderr } = runHelm('helm3', ['template', 'x', CHART, '--kube-version=1.29.9']);
  expect(status).toBe(1);
  expect(stderr).toMatch('chart requires kubeVersion: >=1.30.0-0 which is incompatible with Kubernetes v1.29.9');
});

test.each([
  ['a short release', 'aws', 'aws-pod-identity-webhook'],
  ['a release of the chart’s name', 'pod-identity-webhook', 'pod-identity-webhook'],
  ['the longest release', 'r'.repeat(53), `${'r'.repeat(53)}-pod-ident`],
])('names the objects of %s within the bounds of Kubernetes', (_what, release, fullname) => {
  const names = objectsOf(render({ release, namespace: 'n'.repeat(63) })).map((object) => idOf(object).split('/'));
  expect(names.find(([kind]) => kind === 'Service')?.at(-1)).toBe(fullname);
  expect(names.filter(([, ...path]) => (path.at(-1) ?? '').length > (path.length === 2 ? 63 : 253))).toEqual([]);
});
