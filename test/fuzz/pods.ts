// Pods that the API server would not refuse to send, with fields that nobody here knows at every level.
import fc from 'fast-check';
import type { JsonObject } from '../../src/admission/json.ts';

const foreign = fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 2 });

function withForeign(fields: fc.Arbitrary<JsonObject>): fc.Arbitrary<JsonObject> {
  return fc.tuple(foreign, fields).map(([unknown, known]) => ({ ...unknown, ...known }));
}

/** A list as Go's encoder writes one: absent, null, empty or not. */
function listOf(items: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 4, arbitrary: fc.array(items, { maxLength: 4 }) }, fc.constantFrom(null, []));
}

const variable = withForeign(
  fc.record(
    {
      name: fc.constantFrom(
        'A',
        'AWS_REGION',
        'AWS_ROLE_ARN',
        'AWS_WEB_IDENTITY_TOKEN_FILE',
        'AWS_STS_REGIONAL_ENDPOINTS',
      ),
      value: fc.constantFrom('', 'x', '/var/run/secrets/eks.amazonaws.com/serviceaccount/token'),
      valueFrom: fc.constant({ fieldRef: { fieldPath: 'metadata.name' } }),
    },
    { requiredKeys: ['name'] },
  ),
);

const mount = withForeign(
  fc.record({
    name: fc.constantFrom('data', 'aws-iam-token', 'aws-iam-token-2'),
    mountPath: fc.constantFrom('/data', '/var/run/secrets/eks.amazonaws.com/serviceaccount/'),
  }),
);

const container = withForeign(
  fc.record(
    {
      name: fc.constantFrom('app', 'sidecar', 'constructor', 'a,b'),
      env: listOf(variable),
      volumeMounts: listOf(mount),
      restartPolicy: fc.constant('Always'),
      startupProbe: fc.constant({ grpc: { port: 9000 } }),
    },
    { requiredKeys: ['name'] },
  ),
);

const volume = withForeign(
  fc.record(
    {
      name: fc.constantFrom('data', 'aws-iam-token', 'aws-iam-token-2'),
      projected: fc.constantFrom(
        { sources: null },
        { sources: [{ serviceAccountToken: { path: 'token', audience: 'x' } }] },
        { sources: [{ configMap: { name: 'c' } }, { serviceAccountToken: { path: 'other' } }] },
      ),
    },
    { requiredKeys: ['name'] },
  ),
);

const annotations = fc.dictionary(
  fc.constantFrom(
    'constructor',
    'eks.amazonaws.com/token-expiration',
    'eks.amazonaws.com/skip-containers',
    'example.com/x',
  ),
  fc.oneof(fc.string(), fc.constantFrom('600', '-1', '99999999999999999999', 'app', 'app, sidecar', '"')),
);

const labels = fc.dictionary(
  fc.constantFrom('app', '__proto__', 'eks.amazonaws.com/pod-identity-required'),
  fc.constantFrom('true', 'false', ''),
);

export const pod: fc.Arbitrary<JsonObject> = withForeign(
  fc.record({
    metadata: withForeign(
      fc.record(
        { name: fc.string(), annotations: fc.option(annotations), labels: fc.option(labels) },
        { requiredKeys: [] },
      ),
    ),
    spec: withForeign(
      fc.record(
        {
          containers: listOf(container),
          initContainers: listOf(container),
          volumes: listOf(volume),
          serviceAccountName: fc.constantFrom('', 'app', 'constructor', '__proto__'),
          os: fc.constantFrom({ name: 'windows' }, { name: 'linux' }, null),
        },
        { requiredKeys: [] },
      ),
    ),
  }),
);
