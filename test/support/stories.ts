// Reads and writes the stories of test/cases: a pod, the ServiceAccounts around it, the flags, and what must come out.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseDocument } from 'yaml';
import { accountFrom } from '../../src/admission/annotations.ts';
import type { Decision } from '../../src/admission/decision.ts';
import type { AccountLookup } from '../../src/admission/identity.ts';
import { keyOf } from '../../src/admission/identity.ts';
import type { JsonObject } from '../../src/admission/json.ts';
import { isObject, ownField, ownString } from '../../src/admission/json.ts';
import type { MutateDeps } from '../../src/admission/mutate.ts';
import { namespacePolicyFrom } from '../../src/admission/namespace-policy.ts';
import type { Settings, Surroundings } from '../../src/admission/settings.ts';
import { parseCommandLine } from '../../src/cli.ts';
import { settingsFrom, surroundingsFrom } from '../../src/settings-from-flags.ts';
import { createEntryIndex, parseEntries } from '../../src/identity/config-map-entries.ts';
import { createResolver } from '../../src/identity/resolve.ts';

const DIRECTORY = join(import.meta.dirname, '../cases');

export interface Story {
  readonly file: string;
  readonly flags: readonly string[];
  readonly serviceAccounts: readonly JsonObject[];
  /** What the API server answers to a live read of an account that the cache has differently. */
  readonly liveServiceAccounts: readonly JsonObject[];
  /** The JSON in the ConfigMap. */
  readonly configMap: unknown;
  /** `namespace/name` of the accounts in the container-credentials file. */
  readonly containerCredentials: readonly string[];
  /** Namespaces, where they have a say. */
  readonly namespaces: readonly JsonObject[];
  /** What the instance metadata says. */
  readonly surroundings: Surroundings;
  readonly review: JsonObject;
  readonly pod: JsonObject;
  readonly want: unknown;
}

export function readStories(): readonly Story[] {
  return readdirSync(DIRECTORY).toSorted().map(readStory);
}

function readStory(file: string): Story {
  const story: unknown = parse(readFileSync(join(DIRECTORY, file), 'utf8'));
  const pod = ownField(story, 'pod');
  if (!isObject(pod)) throw new Error(`${file} has no pod`);
  const namespace = ownString(ownField(pod, 'metadata'), 'namespace') ?? 'default';
  return {
    file,
    flags: strings(ownField(story, 'flags')),
    serviceAccounts: objects(ownField(story, 'serviceAccounts')),
    liveServiceAccounts: objects(ownField(story, 'liveServiceAccounts')),
    configMap: ownField(story, 'configMap') ?? {},
    containerCredentials: strings(ownField(story, 'containerCredentials')),
    namespaces: objects(ownField(story, 'namespaces')),
    surroundings: object(ownField(story, 'surroundings')),
    // The uid tells a server which story it is.
    review: reviewOf({ namespace, uid: file, ...object(ownField(story, 'request')) }, pod),
    pod,
    want: ownField(story, 'want'),
  };
}

/** The review that the API server sends for a new pod; `request` overrides its fields. */
export function reviewOf(request: JsonObject, pod: JsonObject): JsonObject {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      operation: 'CREATE',
      object: pod,
      dryRun: false,
      ...request,
    },
  };
}

export function withPod(review: JsonObject, pod: unknown): JsonObject {
  return { ...review, request: { ...object(ownField(review, 'request')), object: pod } };
}

export interface Told {
  readonly settings: Settings;
  readonly surroundings: Surroundings;
}

/** What the flags of a command say about injection. */
export function toldBy(flags: readonly string[]): Told {
  const commandLine = parseCommandLine(['inject', ...flags], {});
  if (commandLine.kind !== 'run') throw new Error(`not the flags of a run: ${flags.join(' ')}`);
  const problems: string[] = [];
  const settings = settingsFrom(commandLine.flags, problems);
  const surroundings = surroundingsFrom(commandLine.flags, problems);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return { settings, surroundings };
}

export function settingsOf(flags: readonly string[]): Settings {
  return toldBy(flags).settings;
}

/** What mutate() needs, with the accounts and the other sources that the story tells of. */
export function depsOf(story: Story): MutateDeps {
  const told = toldBy(story.flags);
  const { settings } = told;
  const surroundings = () => ({ ...story.surroundings, ...told.surroundings });
  const lookupIn = (accounts: readonly JsonObject[], key: string): AccountLookup => {
    const account = accounts.find((candidate) => accountKey(candidate) === key);
    if (account === undefined) return { kind: 'not-found' };
    return { kind: 'found', account: accountFrom(annotationsOf(account), settings.annotationPrefix) };
  };
  const identityOf = createResolver({
    settings,
    surroundings,
    now: () => 0,
    lookup: async (key, { live }) =>
      lookupIn(live ? [...story.liveServiceAccounts, ...story.serviceAccounts] : story.serviceAccounts, keyOf(key)),
    hasContainerCredentials: (key) => story.containerCredentials.includes(keyOf(key)),
    configMapEntryOf: createEntryIndex(parseEntries(JSON.stringify(story.configMap)).entries),
    namespaceOf: async (name) => {
      const namespace = story.namespaces.find(
        (candidate) => ownString(ownField(candidate, 'metadata'), 'name') === name,
      );
      return { kind: 'found', policy: namespacePolicyFrom(annotationsOf(namespace), settings.annotationPrefix) };
    },
  });
  return { settings, surroundings, identityOf };
}

function annotationsOf(manifest: unknown): unknown {
  return ownField(ownField(manifest, 'metadata'), 'annotations');
}

/** What a story's `want` says of a decision. */
export function outcomeOf(decision: Decision, original: unknown, result: unknown): JsonObject {
  const { kind, reason, method, roleArn, warnings } = decision;
  return {
    decision: kind,
    reason,
    ...(method === undefined ? {} : { method }),
    ...(roleArn === undefined ? {} : { roleArn }),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(decision.kind === 'refuse' ? { message: decision.message } : {}),
    pod: JSON.stringify(result) === JSON.stringify(original) ? 'unchanged' : result,
  };
}

/** Rewrites the `want` of a story and nothing else of its file. */
export function writeWant({ file }: Story, want: unknown): void {
  const path = join(DIRECTORY, file);
  const document = parseDocument(readFileSync(path, 'utf8'));
  document.set('want', document.createNode(want, { aliasDuplicateObjects: false }));
  writeFileSync(path, document.toString({ lineWidth: 0 }));
}

function accountKey(account: JsonObject): string {
  const metadata = ownField(account, 'metadata');
  return keyOf({ namespace: ownString(metadata, 'namespace') ?? 'default', name: ownString(metadata, 'name') ?? '' });
}

function object(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
