// Replicas of the self-signed mode on a cluster in memory, with time in the test's hand: a Secret and a webhook
// configuration whose resourceVersions decide races as those of an API server do.
import { X509Certificate } from 'node:crypto';
import jsonpatch from 'fast-json-patch';
import type { JsonObject } from '../../src/admission/json.ts';
import { ownField, ownList, ownString } from '../../src/admission/json.ts';
import type { Authority } from '../../src/certificates/authority.ts';
import { createAuthority } from '../../src/certificates/authority.ts';
import type { CaState } from '../../src/certificates/authority-state.ts';
import { contentsFrom } from '../../src/certificates/authority-secret.ts';
import type { CaBundle } from '../../src/certificates/ca-bundle.ts';
import { createCaBundle } from '../../src/certificates/ca-bundle.ts';
import { issueCa, issueLeaf } from '../../src/certificates/issue.ts';
import type { LeafKeeper } from '../../src/certificates/leaf.ts';
import { createLeafKeeper } from '../../src/certificates/leaf.ts';
import type { Operation } from '../../src/certificates/webhook-configuration.ts';
import type { TestLog } from './log.ts';
import { createTestLog } from './log.ts';
import type { TestRecorder } from './recorder.ts';
import { createTestRecorder } from './recorder.ts';

export const SECRET = 'eks/pod-identity-webhook';
export const SERVICE = { namespace: 'eks', name: 'pod-identity-webhook' };
export const NAMES = ['', '.eks', '.eks.svc', '.eks.svc.cluster.local'].map((rest) => `pod-identity-webhook${rest}`);
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const START = Date.UTC(2030, 0, 1);
const signal = new AbortController().signal;

export type Call = 'read-secret' | 'replace-secret' | 'read-configuration' | 'patch-configuration';

/** An object with a resourceVersion; undefined where it does not exist. */
export interface FakeCluster {
  secret: JsonObject | undefined;
  configuration: JsonObject | undefined;
  /** Milliseconds since 1970, for everybody. */
  nowMs: number;
  /** Changes are counted by it. */
  version: number;
  /** What is asked before each call takes place; it may wait, and reject. */
  before: (call: Call, replica: string) => Promise<void>;
  /** The same before each answer is given. */
  after: (call: Call, replica: string) => Promise<void>;
  /** Called after each change of the configuration, and of a leaf. */
  changed: () => void;
}

export interface Replica {
  readonly name: string;
  readonly authority: Authority;
  readonly bundle: CaBundle;
  readonly leaf: LeafKeeper;
  readonly log: TestLog;
  readonly recorder: TestRecorder;
  /** One look, as the loop makes it; the wait that it asks for. */
  look(): Promise<number>;
  /** Looks until one succeeds: what races and faults make the loop do. */
  settle(): Promise<void>;
}

export function createFakeCluster(): FakeCluster {
  return {
    secret: { metadata: { namespace: 'eks', name: 'pod-identity-webhook', resourceVersion: '1' }, type: 'Opaque' },
    configuration: configurationOf(['pods.example.com']),
    nowMs: START,
    version: 1,
    before: async () => {},
    after: async () => {},
    changed: () => {},
  };
}

/** With entries of those names that point at our Service. */
export function configurationOf(names: readonly string[]): JsonObject {
  const webhooks = names.map((name) => ({ name, clientConfig: { service: { ...SERVICE, path: '/mutate' } } }));
  return { metadata: { name: 'ours', resourceVersion: '1' }, webhooks };
}

export interface ReplicaOptions {
  readonly name?: string;
  readonly caLifetimeMs?: number;
  readonly leafLifetimeMs?: number;
  readonly readClientCa?: () => Promise<string>;
}

export function createReplica(cluster: FakeCluster, options: ReplicaOptions = {}): Replica {
  const { name = 'a', caLifetimeMs = 30 * HOUR_MS, leafLifetimeMs = HOUR_MS, readClientCa } = options;
  const log = createTestLog();
  const recorder = createTestRecorder();
  const now = (): number => cluster.nowMs;
  const called = async <T>(call: Call, carryOut: () => T): Promise<T> => {
    await cluster.before(call, name);
    const answer = carryOut();
    await cluster.after(call, name);
    return answer;
  };
  const shared = { now, elapsed: now, log: log.log, recorder };
  const bundle = createCaBundle({
    ...shared,
    name: 'ours',
    service: SERVICE,
    read: async () => called('read-configuration', () => cluster.configuration),
    patch: async (operations) => called('patch-configuration', () => patchConfiguration(cluster, operations)),
  });
  const leaf: LeafKeeper = createLeafKeeper({
    ...shared,
    names: NAMES,
    lifetimeMs: leafLifetimeMs,
    tls: {},
    readClientCa,
    issueLeaf,
    missing: () => authority.problem(),
  });
  leaf.onChange(() => cluster.changed());
  const authority: Authority = createAuthority({
    ...shared,
    object: SECRET,
    read: async () => called('read-secret', () => cluster.secret),
    replace: async (secret) => called('replace-secret', () => replaceSecret(cluster, secret)),
    bundle,
    leaf,
    issueCa,
    caLifetimeMs,
    leafLifetimeMs,
    stepMs: MINUTE_MS,
  });
  const look = async (): Promise<number> => authority.look(signal);
  async function settle(): Promise<void> {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const isDone = await look().then(
        () => true,
        () => false,
      );
      if (isDone) return;
    }
  }
  return { name, authority, bundle, leaf, log, recorder, look, settle };
}

function replaceSecret(cluster: FakeCluster, secret: JsonObject) {
  if (versionOf(cluster.secret) !== versionOf(secret)) return { kind: 'conflict' as const, message: 'modified' };
  cluster.secret = withVersion(secret, cluster);
  return { kind: 'changed' as const };
}

function patchConfiguration(cluster: FakeCluster, operations: readonly Operation[]) {
  try {
    const { newDocument } = jsonpatch.applyPatch(structuredClone(cluster.configuration), [...operations], true);
    if (newDocument === undefined) throw new Error('there is none');
    cluster.configuration = withVersion(newDocument, cluster);
    cluster.changed();
    return { kind: 'changed' as const, object: cluster.configuration };
  } catch {
    return { kind: 'conflict' as const, message: 'a test did not hold' };
  }
}

/** A copy with the next resourceVersion. */
export function withVersion(object: JsonObject, cluster: FakeCluster): JsonObject {
  cluster.version += 1;
  const metadata = ownField(object, 'metadata');
  return {
    ...object,
    metadata: { ...(typeof metadata === 'object' ? metadata : {}), resourceVersion: String(cluster.version) },
  };
}

function versionOf(object: JsonObject | undefined): string | undefined {
  return ownString(ownField(object, 'metadata'), 'resourceVersion');
}

/** What anybody but us does to the Secret. */
export function editSecret(cluster: FakeCluster, change: (secret: JsonObject) => JsonObject): void {
  cluster.secret = withVersion(change(cluster.secret ?? {}), cluster);
}

export function editConfiguration(cluster: FakeCluster, change: (configuration: JsonObject) => JsonObject): void {
  cluster.configuration = withVersion(change(cluster.configuration ?? {}), cluster);
}

/** Asks for a rotation, as `kubectl annotate` does. */
export function askForRotation(cluster: FakeCluster, value: string): void {
  editSecret(cluster, (secret) => ({
    ...secret,
    metadata: { ...objectOf(secret, 'metadata'), annotations: { 'pod-identity-webhook/rotate-ca': value } },
  }));
}

function objectOf(object: JsonObject, key: string): object {
  const value = ownField(object, key);
  return typeof value === 'object' && value !== null ? value : {};
}

/** The value of the annotation that asks for one; empty where there is none. */
export function rotationAskedFor(cluster: FakeCluster): string {
  return cluster.secret === undefined ? '' : contentsFrom(cluster.secret, SECRET).rotateCa;
}

/** Every caBundle becomes this. */
export function breakBundle(cluster: FakeCluster, caBundle: string | undefined): void {
  editConfiguration(cluster, (configuration) => ({
    ...configuration,
    webhooks: ownList(configuration, 'webhooks').map((webhook) => ({
      ...(typeof webhook === 'object' ? webhook : {}),
      clientConfig: { service: SERVICE, ...(caBundle === undefined ? {} : { caBundle }) },
    })),
  }));
}

export function stateOf(cluster: FakeCluster): CaState | undefined {
  return cluster.secret === undefined ? undefined : contentsFrom(cluster.secret, SECRET).state;
}

/** The certificates of the first caBundle, in their order. */
export function trusted(cluster: FakeCluster): string[] {
  const caBundle = ownString(ownField(ownList(cluster.configuration, 'webhooks')[0], 'clientConfig'), 'caBundle') ?? '';
  const pem = Buffer.from(caBundle, 'base64').toString('utf8');
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n/g) ?? [];
}

export function generationOf(cluster: FakeCluster): string | undefined {
  const annotations = ownField(ownField(cluster.configuration, 'metadata'), 'annotations');
  return ownString(annotations, 'pod-identity-webhook/ca-generation');
}

/** Whether an API server that read the configuration now would take what the replica serves now. */
export function isAccepted(cluster: FakeCluster, { leaf }: Pick<Replica, 'leaf'>): boolean {
  const served = leaf.current();
  if (served === undefined) return false;
  const times = trusted(cluster).map((pem) => commonSpan(served.cert, pem));
  return times.some(([from, until]) => from <= cluster.nowMs && cluster.nowMs <= until);
}

const spans = new Map<string, readonly [number, number]>();

/** When a certificate and the CA that signed it are both valid; never where it did not. Remembered: tests ask often. */
function commonSpan(certPem: string, caPem: string): readonly [number, number] {
  const known = spans.get(certPem + caPem);
  if (known !== undefined) return known;
  const [certificate, ca] = [new X509Certificate(certPem), new X509Certificate(caPem)];
  const span: [number, number] =
    certificate.checkIssued(ca) && certificate.verify(ca.publicKey)
      ? [
          Math.max(certificate.validFromDate.getTime(), ca.validFromDate.getTime()),
          Math.min(certificate.validToDate.getTime(), ca.validToDate.getTime()),
        ]
      : [Infinity, -Infinity];
  spans.set(certPem + caPem, span);
  return span;
}
