// Pods as nobody would write them, for properties: unknown fields at every level, lists that are none, odd names.
import fc from 'fast-check';

const junk = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(null));
const names = fc.oneof(fc.constantFrom('main', 'side', 'constructor', '__proto__', 'aws-iam-token', ''), fc.string());
const MOUNT_PATH = '/var/run/secrets/eks.amazonaws.com/serviceaccount';

/** An object with the fields given, each of them sometimes absent, and others that nobody knows. */
function open(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Record<string, unknown>> {
  const known = fc.record(fields, { requiredKeys: [] });
  const unknown = fc.dictionary(fc.string({ minLength: 1 }), junk, { maxKeys: 2 });
  return fc.tuple(unknown, known).map(([others, object]) => ({ ...others, ...object }));
}

const listOf = (item: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 8, arbitrary: fc.array(item, { maxLength: 3 }) }, { weight: 1, arbitrary: junk });

const variable = open({
  name: fc.oneof(
    fc.constantFrom('AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_REGION', 'AWS_STS_REGIONAL_ENDPOINTS'),
    names,
  ),
  value: fc.oneof(fc.constant(`${MOUNT_PATH}/token`), fc.string()),
  valueFrom: junk,
});
const mount = open({ name: names, mountPath: fc.oneof(fc.constantFrom(MOUNT_PATH, `${MOUNT_PATH}/`), fc.string()) });
const container = fc.oneof(
  {
    weight: 8,
    arbitrary: open({ name: names, env: listOf(variable), volumeMounts: listOf(mount), restartPolicy: junk }),
  },
  { weight: 1, arbitrary: junk },
);
const volume = open({
  name: names,
  projected: open({
    sources: listOf(open({ serviceAccountToken: open({ path: fc.constantFrom('token', 'other') }) })),
  }),
});

export const arbitraryPod: fc.Arbitrary<Record<string, unknown>> = open({
  metadata: fc.oneof(
    open({
      name: names,
      labels: fc.oneof(junk, open({})),
      annotations: fc.oneof(
        junk,
        fc.record(
          { 'eks.amazonaws.com/skip-containers': fc.string(), 'eks.amazonaws.com/token-expiration': fc.string() },
          { requiredKeys: [] },
        ),
      ),
    }),
    junk,
  ),
  spec: fc.oneof(
    {
      weight: 8,
      arbitrary: open({
        serviceAccountName: names,
        containers: listOf(container),
        initContainers: listOf(container),
        volumes: listOf(volume),
        nodeSelector: fc.oneof(junk, fc.constant({ 'kubernetes.io/os': 'windows' })),
        affinity: junk,
        os: fc.oneof(junk, fc.constant({ name: 'windows' })),
      }),
    },
    { weight: 1, arbitrary: junk },
  ),
});
