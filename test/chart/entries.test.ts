// The entries of the webhook configuration: over every kind of pod and namespace, which entry takes it. The selectors are
// evaluated here as Kubernetes does; api-server.test.ts has a real one read them.
import { describe, expect, test } from '@jest/globals';
import { isObject, ownField, ownList, ownString } from '../../src/admission/json.ts';
import type { JsonObject } from '../../src/admission/json.ts';
import { objectsOf, render } from './support/helm.ts';

const REQUIRED = 'eks.amazonaws.com/pod-identity-required';
const OPTED_OUT = 'eks.amazonaws.com/skip-pod-identity-webhook';
const MIRROR = 'kubernetes.io/config.mirror';

type Labels = Readonly<Record<string, string>>;

interface Case {
  readonly namespace: string;
  readonly namespaceLabels: Labels;
  readonly podLabels: Labels;
  readonly podAnnotations: Labels;
}

/** Every combination of what the entries look at. */
const cases: readonly Case[] = ['shop', 'kube-system', 'pod-identity-webhook'].flatMap((namespace) =>
  [{}, { [REQUIRED]: 'true' }, { [REQUIRED]: 'false' }].flatMap((namespaceMark: Labels) =>
    [{}, { [REQUIRED]: 'true' }, { [REQUIRED]: 'yes' }].flatMap((podMark: Labels) =>
      [{}, { [OPTED_OUT]: '' }].flatMap((optOut: Labels) =>
        [{}, { 'app.kubernetes.io/name': 'pod-identity-webhook' }, { 'app.kubernetes.io/name': 'web' }].flatMap(
          (name: Labels) =>
            [{}, { [MIRROR]: 'x' }].map((podAnnotations: Labels) => ({
              namespace,
              namespaceLabels: { 'kubernetes.io/metadata.name': namespace, ...namespaceMark },
              podLabels: { ...podMark, ...optOut, ...name },
              podAnnotations,
            })),
        ),
      ),
    ),
  ),
);

/** `Fail`, `Ignore` or `not called`, by what is promised to users. */
function promised(of: Case, policy: 'Ignore' | 'Fail'): string {
  const required = of.podLabels[REQUIRED] === 'true';
  const isSystem = ['kube-system', 'pod-identity-webhook'].includes(of.namespace);
  if (of.podAnnotations[MIRROR] !== undefined) return 'not called';
  if (of.podLabels['app.kubernetes.io/name'] === 'pod-identity-webhook') return 'not called';
  if (required) return 'Fail';
  // Called nevertheless where it is required: the webhook then refuses the pod.
  if (of.podLabels[OPTED_OUT] !== undefined) return 'not called';
  if (isSystem) return 'Ignore';
  return policy === 'Fail' || of.namespaceLabels[REQUIRED] === 'true' ? 'Fail' : 'Ignore';
}

function entriesOf(values: object): readonly unknown[] {
  const configuration = objectsOf(render({ values })).find(({ kind }) => kind === 'MutatingWebhookConfiguration');
  return ownList(configuration, 'webhooks');
}

function policiesFor(entries: readonly unknown[], of: Case): string[] {
  return entries
    .filter(
      (entry) =>
        isSelected(ownField(entry, 'namespaceSelector'), of.namespaceLabels) &&
        isSelected(ownField(entry, 'objectSelector'), of.podLabels) &&
        ownList(entry, 'matchConditions').every((condition) => holds(condition, of)),
    )
    .map((entry) => ownString(entry, 'failurePolicy') ?? '');
}

function isSelected(selector: unknown, labels: Labels): boolean {
  const wanted = ownField(selector, 'matchLabels');
  return (
    (!isObject(wanted) || Object.entries(wanted).every(([key, value]) => labels[key] === value)) &&
    ownList(selector, 'matchExpressions').every((expression) => {
      const value = labels[ownString(expression, 'key') ?? ''];
      const isIn = value !== undefined && ownList(expression, 'values').includes(value);
      const operator = ownString(expression, 'operator');
      if (operator !== 'In' && operator !== 'NotIn') throw new Error(`operator ${String(operator)}`);
      return (operator === 'In') === isIn;
    })
  );
}

/** The two conditions of the chart, told by their names. */
function holds(condition: unknown, of: Case): boolean {
  const name = ownString(condition, 'name');
  if (name === 'not-a-mirror-pod') return of.podAnnotations[MIRROR] === undefined;
  if (name === 'not-opted-out') return of.podLabels[OPTED_OUT] === undefined;
  throw new Error(`condition ${String(name)}`);
}

function listOf(policy: string): string[] {
  return policy === 'not called' ? [] : [policy];
}

describe('of all pods, one entry at most takes each', () => {
  test.each<['Ignore' | 'Fail']>([['Ignore'], ['Fail']])(
    'and where the failure policy is %s it is the one that is promised',
    (failurePolicy) => {
      const entries = entriesOf({ webhook: { failurePolicy } });
      const wrong = cases
        .map((of) => ({ of, got: policiesFor(entries, of), wanted: listOf(promised(of, failurePolicy)) }))
        .filter(({ got, wanted }) => JSON.stringify(got) !== JSON.stringify(wanted));
      expect(cases).toHaveLength(3 * 3 * 3 * 2 * 3 * 2);
      expect(wrong).toEqual([]);
    },
  );

  test('and a shadow refuses none, and sees those that opted out, too', () => {
    const entries = entriesOf({ shadow: true });
    const wrong = cases
      .map((of) => {
        const isOurs = of.podLabels['app.kubernetes.io/name'] === 'pod-identity-webhook';
        const called = !isOurs && of.podAnnotations[MIRROR] === undefined;
        return { of, got: policiesFor(entries, of), wanted: called ? ['Ignore'] : [] };
      })
      .filter(({ got, wanted }) => JSON.stringify(got) !== JSON.stringify(wanted));
    expect(wrong).toEqual([]);
  });

  test('and namespaces that are excluded have none', () => {
    const entries = entriesOf({ webhook: { excludedNamespaces: ['shop'] } });
    expect(cases.filter((of) => of.namespace === 'shop' && policiesFor(entries, of).length > 0)).toEqual([]);
    expect(cases.filter((of) => of.namespace !== 'shop' && policiesFor(entries, of).length > 0)).not.toEqual([]);
  });
});

describe('every entry', () => {
  const settings = (entry: unknown): JsonObject => ({
    name: ownField(entry, 'name'),
    clientConfig: ownField(entry, 'clientConfig'),
    rules: ownField(entry, 'rules'),
    matchPolicy: ownField(entry, 'matchPolicy'),
    reinvocationPolicy: ownField(entry, 'reinvocationPolicy'),
    sideEffects: ownField(entry, 'sideEffects'),
    timeoutSeconds: ownField(entry, 'timeoutSeconds'),
    admissionReviewVersions: ownField(entry, 'admissionReviewVersions'),
  });

  test('asks for pods that are created, and in self-signed mode has no caBundle', () => {
    const names = ['fail-closed', 'fail-closed-namespace', 'fail-open', 'fail-open-system'];
    expect(entriesOf({}).map(settings)).toEqual(
      names.map((name) => ({
        name: `${name}.pod-identity-webhook.pod-identity-webhook`,
        clientConfig: {
          service: {
            name: 'pod-identity-webhook',
            namespace: 'pod-identity-webhook',
            path: '/mutate',
            port: 443,
          },
        },
        rules: [
          { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], scope: 'Namespaced' },
        ],
        matchPolicy: 'Equivalent',
        reinvocationPolicy: 'IfNeeded',
        sideEffects: 'None',
        timeoutSeconds: 5,
        admissionReviewVersions: ['v1', 'v1beta1'],
      })),
    );
  });
});
