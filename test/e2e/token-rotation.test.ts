// The shortest token that an annotation can ask for, 600 s, as a running pod sees it: the kubelet writes a new one in
// time, and no read finds an old one, half of one or none. It takes nine minutes: only with E2E_SLOW=1.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isObject, ownField } from '../../src/admission/json.ts';
import { eventually } from '../cluster/support/eventually.ts';
import { roleArnsOf, roleFor, serviceAccount } from '../cluster/support/objects.ts';
import { report } from '../cluster/support/report.ts';
import { nodeInImage } from './image.ts';
import { missingForCluster, openCluster } from './support/cluster.ts';
import type { Cluster } from './support/cluster.ts';
import { manifestsOf } from './support/installation.ts';
import { createRelease } from './support/release.ts';
import type { Release } from './support/release.ts';

const absent = missingForCluster();
const missing = absent === undefined ? undefined : `this machine ${absent}`;
const why = missing ?? (process.env['E2E_SLOW'] === '1' ? undefined : 'it takes nine minutes: E2E_SLOW=1 runs it');
const describeSlowly = why === undefined ? describe : describe.skip;

const namespace = 'patient-shop';
const home = 'pod-identity-webhook';
const name = 'reader';
// A second kubelet period is 90 s at most, and it renews a token with a fifth of its life left, give or take ten seconds.
const LONGEST_MS = 660_000;

// Reads the token every second, as a busy program would, until it has seen two; prints what it saw.
const script = `
const path = process.env.AWS_WEB_IDENTITY_TOKEN_FILE;
const seen = [];
let unusable = 0;
const timer = setInterval(() => {
  const [, payload = ''] = fs.readFileSync(path, 'utf8').split('.');
  const { iat, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  if (exp * 1000 <= Date.now()) unusable += 1;
  if (seen.at(-1)?.iat !== iat) seen.push({ iat, exp, at: Math.round(Date.now() / 1000) });
  if (seen.length < 2) return;
  clearInterval(timer);
  console.log(JSON.stringify({ seen, unusable }));
}, 1000);`;

describeSlowly(`a token of 600 s${why === undefined ? '' : ` (not run: ${why})`}`, () => {
  let cluster: Cluster;
  let release: Release;

  beforeAll(async () => {
    cluster = await openCluster();
    const { kubeconfig, kubectl, image } = cluster;
    const account = serviceAccount({ namespace, name: 'short', roleArn: roleFor('short') });
    const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    await kubectl(['apply', '-f', '-'], manifestsOf([shop, account]));
    await kubectl(['annotate', 'sa', 'short', '-n', namespace, 'eks.amazonaws.com/token-expiration=600']);
    release = createRelease({ helm: 'helm3', kubeconfig, image, name: home, namespace: home });
    await release.install();
  });

  afterAll(async () => {
    await cluster?.kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=60s']);
    await release?.uninstall();
    await cluster?.kubectl(['delete', 'namespace', home, '--ignore-not-found', '--timeout=60s']);
    cluster?.close();
  });

  test(
    'is replaced while a pod runs, before it ends',
    async () => {
      const { kubectl, call, image } = cluster;
      const container = { name: 'app', image, command: [nodeInImage, '--eval', script] };
      const spec = { serviceAccountName: 'short', restartPolicy: 'Never', containers: [container] };
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec };
      const path = `/api/v1/namespaces/${namespace}/pods`;
      await eventually({ what: 'the webhook to be called', timeoutMs: 30_000, intervalMs: 250 }, async () =>
        roleArnsOf((await call('POST', `${path}?dryRun=All`, pod)).body).length > 0 ? true : undefined,
      );
      await kubectl(['create', '-f', '-'], JSON.stringify(pod));
      const ended = '--for=jsonpath={.status.phase}=Succeeded';
      await kubectl(['wait', ended, `pod/${name}`, '-n', namespace, `--timeout=${LONGEST_MS / 1_000}s`]);
      const printed: unknown = JSON.parse(await kubectl(['logs', name, '-n', namespace]));
      const seen = ownField(printed, 'seen');
      const [first, second] = (Array.isArray(seen) ? seen : []).filter(isObject).map(numbersOf);
      if (first === undefined || second === undefined)
        throw new Error(`The pod has printed ${JSON.stringify(printed)}`);
      report(`token of 600 s: replaced ${first.exp - second.at} s before its end`);
      expect([first.exp - first.iat, second.exp - second.iat]).toEqual([600, 600]);
      expect(second.at).toBeLessThan(first.exp);
      expect(ownField(printed, 'unusable')).toBe(0);
    },
    LONGEST_MS + 120_000,
  );
});

function numbersOf(token: object): { readonly iat: number; readonly exp: number; readonly at: number } {
  const seconds = (key: string): number => Number(ownField(token, key));
  return { iat: seconds('iat'), exp: seconds('exp'), at: seconds('at') };
}
