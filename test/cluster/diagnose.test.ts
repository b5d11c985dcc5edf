// `diagnose pod` on a real API server, with faults planted one after the other into what it has stored.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ownString } from '../../src/admission/json.ts';
import { PROBLEM_IDS } from '../../src/diagnosis/problem.ts';
import { bare, healthy, MOUNT, ROLE_ARN, setVariable, TOKEN_FILE, withoutVariable } from '../diagnosis/manifests.ts';
import type { Entry, Manifests } from '../diagnosis/manifests.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { startControlPlane } from './support/control-plane.ts';
import { diagnose } from './support/diagnose.ts';
import type { PublicIssuer } from './support/public-issuer.ts';
import { startPublicIssuer } from './support/public-issuer.ts';

const issuer = 'https://oidc.example.com/clusters/prod';
const ROLE_KEY = 'eks.amazonaws.com/role-arn';

type Fault = readonly [first: string, what: string, make: () => Manifests, change: (manifests: Manifests) => void];

const role =
  (arn: string) =>
  ({ account }: Manifests): void =>
    void (account.metadata.annotations[ROLE_KEY] = arn);
const unannotated = ({ account }: Manifests): void => void (account.metadata.annotations = {});
const adding =
  (...entries: Entry[]) =>
  ({ main }: Manifests): void =>
    void main.env.push(...entries);
const onPod =
  (key: string, value: string) =>
  ({ pod }: Manifests): void =>
    void (pod.metadata.annotations[key] = value);

/** Planted by what is registered and when: diagnose-webhook.test.ts; and below, by a call of its own. */
const ELSEWHERE = [
  'namespace-excluded',
  'pod-created-before-annotation',
  'pod-not-mutated',
  'ephemeral-container-without-identity',
];

const FAULTS: readonly Fault[] = [
  ['nothing', 'a healthy pod', healthy, () => {}],
  ['webhook-down', 'no registration', bare, () => {}],
  ['annotation-missing', 'no annotation', bare, unannotated],
  [
    'annotation-key-typo',
    'another domain',
    bare,
    ({ account }) => void (account.metadata.annotations = { 'eks.amazon.com/role-arn': 'x' }),
  ],
  [
    'annotation-on-pod',
    'the role on the pod',
    bare,
    (all) => [unannotated, onPod(ROLE_KEY, ROLE_ARN)].forEach((each) => each(all)),
  ],
  ['role-arn-whitespace', 'a line end', bare, role(`${ROLE_ARN}\n`)],
  ['role-arn-bad-account', 'eleven digits', bare, role('arn:aws:iam::11112222333:role/app')],
  ['role-arn-not-a-role', 'a user', bare, role('arn:aws:iam::111122223333:user/x')],
  ['role-arn-malformed', 'a name alone', bare, role('app')],
  ['role-arn-wrong-partition', 'a region of China', bare, adding({ name: 'AWS_REGION', value: 'cn-north-1' })],
  [
    'wrong-service-account',
    'the default account',
    bare,
    (all) => {
      all.others.push(structuredClone(all.account));
      all.account.metadata.name = 'web';
      unannotated(all);
      all.pod.spec.serviceAccountName = 'web';
    },
  ],
  [
    'opted-out-by-label',
    'the label',
    bare,
    ({ pod }) => void (pod.metadata.labels['eks.amazonaws.com/skip-pod-identity-webhook'] = ''),
  ],
  [
    'node-role-fallback',
    'the network of the node',
    bare,
    (all) => {
      unannotated(all);
      all.pod.spec.hostNetwork = true;
    },
  ],
  ['half-set-variables', 'no token file', healthy, (all) => withoutVariable(all, 'AWS_WEB_IDENTITY_TOKEN_FILE')],
  ['static-keys-win', 'a key', healthy, adding({ name: 'AWS_ACCESS_KEY_ID', value: 'x' })],
  ['profile-env-set', 'a profile', healthy, adding({ name: 'AWS_PROFILE', value: 'prod' })],
  [
    'both-irsa-and-pod-identity',
    'the variables of the agent',
    healthy,
    adding({ name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' }),
  ],
  ['audience-mismatch', 'the audience of Vault', healthy, ({ token }) => void (token.audience = 'vault')],
  ['env-without-volume', 'no mount', healthy, ({ main }) => void (main.volumeMounts = [])],
  [
    'volume-mounted-with-subpath',
    'the file alone',
    healthy,
    ({ main }) => void (main.volumeMounts = [{ ...MOUNT, mountPath: TOKEN_FILE, subPath: 'token' }]),
  ],
  [
    'token-file-permission',
    'a strict mode, and the user of the image',
    healthy,
    ({ pod, volume }) => {
      pod.spec.securityContext = { runAsNonRoot: true };
      volume.projected.defaultMode = 0o600;
    },
  ],
  ['windows-unix-path', 'Windows', healthy, ({ pod }) => void (pod.spec.os = { name: 'windows' })],
  ['container-skipped', 'the only container', bare, onPod('eks.amazonaws.com/skip-containers', 'main')],
  [
    'init-container-without-identity',
    'an init container',
    healthy,
    ({ pod }) => void (pod.spec.initContainers = [{ name: 'migrate', image: 'registry.example.com/migrate:1' }]),
  ],
  [
    'role-arn-differs-from-annotation',
    'an annotation that was changed',
    healthy,
    (all) => setVariable(all, 'AWS_ROLE_ARN', { value: 'arn:aws:iam::111122223333:role/old' }),
  ],
  ['region-missing', 'STS in no region', healthy, (all) => withoutVariable(all, 'AWS_REGION', 'AWS_DEFAULT_REGION')],
  [
    'token-expiration-below-minimum',
    'five minutes',
    healthy,
    ({ account }) => void (account.metadata.annotations['eks.amazonaws.com/token-expiration'] = '300'),
  ],
];

describe('diagnose pod', () => {
  let controlPlane: ControlPlane;
  let published: PublicIssuer;
  let asked: () => Promise<readonly string[]>;

  beforeAll(async () => {
    controlPlane = await startControlPlane({ serviceAccountIssuer: issuer });
    const { kubectl, kubeconfig } = controlPlane;
    await kubectl(['create', 'namespace', 'prod']);
    published = await startPublicIssuer(controlPlane);
    const { args } = published;
    asked = async () => (await diagnose('prod/web', { kubeconfig, args })).ids;
  });

  afterAll(async () => {
    await published?.close();
    await controlPlane?.stop();
  });

  test('has a fault of each kind to find', () => {
    const ids = new Set([...FAULTS.map(([id]) => id), ...ELSEWHERE, 'nothing']);
    expect([...ids].toSorted()).toEqual(['nothing', ...PROBLEM_IDS].toSorted());
  });

  test.each(FAULTS)('finds %s first: %s', async (first, _, make, change) => {
    const manifests = make();
    change(manifests);
    const { account, pod, main, others } = manifests;
    // The API server adds the volume of its own token itself.
    pod.spec.volumes = pod.spec.volumes.filter((volume) => ownString(volume, 'name') !== 'api');
    main.volumeMounts = main.volumeMounts.filter(({ name }) => name !== 'api');
    await controlPlane.kubectl(['delete', 'pod,serviceaccount', '-n', 'prod', '--all', '--force', '--grace-period=0']);
    for (const object of [account, ...others, pod]) {
      await controlPlane.kubectl(['create', '-f', '-'], JSON.stringify(object));
    }
    expect((await asked())[0] ?? 'nothing').toBe(first);
  });

  test('finds a debug container without identity', async () => {
    const { account, pod, main } = healthy();
    pod.spec.volumes = pod.spec.volumes.slice(0, 1);
    main.volumeMounts = main.volumeMounts.slice(0, 1);
    await controlPlane.kubectl(['delete', 'pod,serviceaccount', '-n', 'prod', '--all', '--force', '--grace-period=0']);
    for (const object of [account, pod]) await controlPlane.kubectl(['create', '-f', '-'], JSON.stringify(object));
    const { status } = await controlPlane.api.call({
      method: 'PATCH',
      path: '/api/v1/namespaces/prod/pods/web/ephemeralcontainers',
      body: { spec: { ephemeralContainers: [{ name: 'debugger', image: 'registry.example.com/debug:1' }] } },
    });
    expect(status).toBe(200);
    expect(await asked()).toEqual(['ephemeral-container-without-identity']);
  });
});
