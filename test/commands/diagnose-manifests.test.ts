// `diagnose manifests` as its users see it: what it reads, stdout, stderr and exit code.
import { describe, expect, test } from '@jest/globals';
import { parseCommandLine } from '../../src/cli.ts';
import { RUNNERS } from '../../src/command-runners.ts';
import { createTestIo } from '../support/command-io.ts';

const ACCOUNT = `
apiVersion: v1
kind: ServiceAccount
metadata: { name: app, namespace: prod, annotations: { eks.amazonaws.com/role-arn: "arn:aws:iam::111122223333:role/app" } }
`;
const POD = `
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: prod }
spec: { serviceAccountName: app, containers: [ { name: main, image: "registry.example.com/web:1" } ] }
`;
const NO_WEBHOOKS = 'apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfigurationList\nitems: []\n';
const EMPTY =
  'no pods and no ServiceAccounts in the manifests: nothing was checked; give what kubectl get pods,serviceaccounts -A -o yaml prints';
const NOTHING = 'nothing is wrong with the identity of these pods\n';

describe('diagnose manifests', () => {
  test('prints a report for people', async () => {
    expect(await diagnose({ 'account.yaml': ACCOUNT, 'pod.yaml': POD, 'webhooks.yaml': NO_WEBHOOKS })).toEqual({
      out: [
        'error webhook-down: Pod prod/web',
        '   evidence: no MutatingWebhookConfiguration registers a webhook for pod identity',
        '   in logs:  no STS error: "Unable to locate credentials", or AccessDenied of a service for the role of the node',
        '   fix:      install the webhook, or repair its registration, certificate and Service, then delete the pod and create it again from its manifest',
        '',
      ].join('\n'),
      err: '',
      exit: 1,
    });
  });

  test('keeps what others wrote out of commands, and off the terminal', async () => {
    const account = ACCOUNT.replace(/, annotations: .*/, ' }');
    const role = String.raw`"$(reboot); arn:aws:iam::111122223333:role/app\u001b[2J"`;
    const pod = POD.replace('name: web,', `name: web, annotations: { eks.amazonaws.com/role-arn: ${role} },`);
    const { out } = await diagnose({ 'account.yaml': account, 'pod.yaml': pod });
    expect(out.split('\n').slice(-3)).toEqual([
      '   fix:      kubectl annotate serviceaccount app -n prod eks.amazonaws.com/role-arn=arn:aws:iam::ACCOUNT_ID:role/NAME',
      '             # then delete the pod and create it again from its manifest, as identity is given at creation',
      '',
    ]);
  });

  test('reads lists of every form', async () => {
    const items = (text: string): string => text.trim().replace(/^/gm, '    ').replace('    ', '  - ');
    const list = `apiVersion: v1\nkind: List\nitems:\n${items(ACCOUNT)}\n${items(POD)}\n`;
    const podList = `apiVersion: v1\nkind: PodList\nitems:\n${items(POD.replace(/^(?:apiVersion|kind).*\n/gm, ''))}\n`;
    const whole = await diagnose({ '-': `${ACCOUNT}---${POD}` }, ['--output=json']);
    expect(await diagnose({ 'list.yaml': list }, ['--output=json'])).toEqual(whole);
    expect(await diagnose({ 'a.yaml': ACCOUNT, 'pods.yaml': podList }, ['--output=json'])).toEqual(whole);
    expect(whole).toEqual({ out: expect.stringContaining('"id": "pod-not-mutated"'), err: '', exit: 1 });
  });

  test('takes an object whose kind only looks like a list for itself', async () => {
    const wishList = 'apiVersion: example.com/v1\nkind: WishList\nitems: many\n';
    expect(await diagnose({ 'w.yaml': wishList })).toEqual({
      out: '',
      err: `${EMPTY}\n`,
      exit: 2,
    });
  });

  test('takes nothing for an answer only where a list says that there is none', async () => {
    const empty = (kind: string): string => `apiVersion: v1\nkind: ${kind}\nitems: []\n`;
    const results = ['List', 'ConfigMapList', 'PodList'].map((kind) => diagnose({ 'a.yaml': empty(kind) }));
    expect(await Promise.all(results)).toEqual([
      { out: '', err: `${EMPTY}\n`, exit: 2 },
      { out: '', err: `${EMPTY}\n`, exit: 2 },
      { out: '', err: `${EMPTY}\n`, exit: 0 },
    ]);
  });

  test('refuses what only calls itself a pod', async () => {
    expect(await diagnose({ 'a.yaml': ACCOUNT, 'p.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: 5\n' })).toEqual({
      out: '',
      err: 'p.yaml:1: this is no Pod: its metadata is a number; correct it\n',
      exit: 2,
    });
  });

  test('checks ServiceAccounts also without pods', async () => {
    expect(await diagnose({ 'a.yaml': ACCOUNT })).toEqual({
      out: NOTHING,
      err: 'no pods in the manifests: only the ServiceAccounts were checked\n',
      exit: 0,
    });
    const { out, exit } = await diagnose({ 'a.yaml': ACCOUNT.replace('role/app', 'user/app') });
    expect([out.split('\n')[0], exit]).toEqual(['error role-arn-not-a-role: ServiceAccount prod/app', 1]);
  });

  test('leaves templates alone, which nobody has mutated yet', async () => {
    const deployment = `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: prod }\nspec: { template: { spec: { serviceAccountName: app, containers: [ { name: main } ] } } }\n`;
    expect((await diagnose({ 'a.yaml': ACCOUNT, 'd.yaml': deployment })).out).toBe(NOTHING);
  });

  test('is used wrongly with what cannot be read', async () => {
    expect(await diagnose({})).toEqual({
      out: '',
      err: 'no manifests given; name them with -f FILE, or pipe them in with -f -\n',
      exit: 2,
    });
    expect(await diagnose({ 'broken.yaml': 'a: [' }, ['-f', 'absent.yaml'])).toEqual({
      out: '',
      err: expect.stringMatching(/^broken\.yaml:1: .*\nabsent\.yaml: there is no such file; correct the path\n$/),
      exit: 2,
    });
  });

  test('paints what was found where stdout is a terminal', async () => {
    const { out } = await diagnose({ 'a.yaml': ACCOUNT.replace('role/app', 'user/app') }, [], true);
    expect(out.split('\n')[0]).toBe('\u001B[1merror role-arn-not-a-role\u001B[0m: ServiceAccount prod/app');
  });
});

async function diagnose(files: Readonly<Record<string, string>>, args: readonly string[] = [], colour = false) {
  const given = Object.keys(files).map((file) => `--filename=${file}`);
  const commandLine = parseCommandLine(['diagnose', 'manifests', ...given, ...args], {});
  if (commandLine.kind !== 'run') throw new Error(`want a run, got ${commandLine.kind}`);
  const io = createTestIo(files, colour);
  const exit = await RUNNERS['diagnose manifests']({ ...commandLine, io });
  return { ...io.written(), exit };
}
