// `diagnose pod` on a real API server, with faults planted one after the other into what it has stored.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseCommandLine } from '../../src/cli.ts';
import { RUNNERS } from '../../src/command-runners.ts';
import { bare, healthy, MOUNT, setVariable, TOKEN_FILE } from '../diagnosis/manifests.ts';
import type { Manifests } from '../diagnosis/manifests.ts';
import { createTestIo } from '../support/command-io.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { startControlPlane } from './support/control-plane.ts';

const ROLE_KEY = 'eks.amazonaws.com/role-arn';

describe('diagnose pod', () => {
  let controlPlane: ControlPlane;

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    await controlPlane.kubectl(['create', 'namespace', 'prod']);
  });

  afterAll(() => controlPlane?.stop());

  const faults: readonly (readonly [first: string, make: () => Manifests, change: (manifests: Manifests) => void])[] = [
    ['nothing', healthy, () => {}],
    ['webhook-down', bare, () => {}],
    ['annotation-missing', bare, ({ account }) => void (account.metadata.annotations = {})],
    [
      'annotation-key-typo',
      bare,
      ({ account }) => void (account.metadata.annotations = { 'eks.amazon.com/role-arn': 'x' }),
    ],
    [
      'role-arn-not-a-role',
      bare,
      ({ account }) => void (account.metadata.annotations[ROLE_KEY] = 'arn:aws:iam::111122223333:user/x'),
    ],
    [
      'opted-out-by-label',
      bare,
      ({ pod }) => void (pod.metadata.labels['eks.amazonaws.com/skip-pod-identity-webhook'] = ''),
    ],
    ['static-keys-win', healthy, ({ main }) => void main.env.push({ name: 'AWS_ACCESS_KEY_ID', value: 'x' })],
    ['audience-mismatch', healthy, ({ token }) => void (token.audience = 'vault')],
    ['env-without-volume', healthy, ({ main }) => void (main.volumeMounts = [])],
    [
      'volume-mounted-with-subpath',
      healthy,
      ({ main }) => void (main.volumeMounts = [{ ...MOUNT, mountPath: TOKEN_FILE, subPath: 'token' }]),
    ],
    [
      'both-irsa-and-pod-identity',
      healthy,
      ({ main }) =>
        void main.env.push({
          name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI',
          value: 'http://169.254.170.23/v1/credentials',
        }),
    ],
    [
      'node-role-fallback',
      bare,
      ({ account, pod }) => {
        account.metadata.annotations = {};
        pod.spec.hostNetwork = true;
      },
    ],
    ['windows-unix-path', healthy, ({ pod }) => void (pod.spec.os = { name: 'windows' })],
    [
      'role-arn-differs-from-annotation',
      healthy,
      (all) => setVariable(all, 'AWS_ROLE_ARN', { value: 'arn:aws:iam::111122223333:role/old' }),
    ],
  ];

  test.each(faults)('finds %s first', async (first, make, change) => {
    const manifests = make();
    change(manifests);
    const { account, pod, main } = manifests;
    // The API server adds the volume of its own token itself.
    pod.spec.volumes = pod.spec.volumes.slice(0, -1);
    main.volumeMounts = main.volumeMounts.filter(({ name }) => name !== 'api');
    await controlPlane.kubectl(['delete', 'pod,serviceaccount', '-n', 'prod', '--all', '--force', '--grace-period=0']);
    for (const object of [account, pod]) await controlPlane.kubectl(['create', '-f', '-'], JSON.stringify(object));
    expect((await diagnose(controlPlane.kubeconfig))[0] ?? 'nothing').toBe(first);
  });
});

async function diagnose(kubeconfig: string): Promise<readonly (string | undefined)[]> {
  const args = ['diagnose', 'pod', 'prod/web', `--kubeconfig=${kubeconfig}`, '--output=json'];
  const commandLine = parseCommandLine(args, {});
  if (commandLine.kind !== 'run') throw new Error(`want a run, got ${commandLine.kind}`);
  const io = createTestIo({});
  await RUNNERS['diagnose pod']({ ...commandLine, io });
  return [...io.written().out.matchAll(/"id": "([^"]*)"/g)].map(([, id]) => id);
}
