// A ServiceAccount and its pod as a cluster stores them, to plant faults into, and the command that looks for them.
import { parseCommandLine } from '../../src/cli.ts';
import { RUNNERS } from '../../src/command-runners.ts';
import { ownField } from '../../src/admission/json.ts';
import type { Problem } from '../../src/diagnosis/problem.ts';
import { createTestIo } from '../support/command-io.ts';

export interface Entry {
  name: string;
  value?: string;
  valueFrom?: object;
}

export interface Mount {
  name: string;
  readOnly?: boolean;
  mountPath?: string;
  subPath?: string;
  subPathExpr?: string;
}

export interface Container {
  name: string;
  image: string;
  env: Entry[];
  volumeMounts: Mount[];
  envFrom?: object[];
  securityContext?: object;
}

export interface Token {
  audience?: string;
  expirationSeconds: number;
  path: string;
}

export interface Volume {
  name: string;
  projected: { defaultMode: number; sources: { serviceAccountToken: Token }[] };
}

interface Metadata {
  name?: string;
  namespace: string;
  creationTimestamp?: string;
  annotations: Record<string, string>;
  labels: Record<string, string>;
  managedFields?: object[];
}

interface PodSpec {
  serviceAccountName?: string;
  containers: object[];
  initContainers?: object[];
  ephemeralContainers?: unknown[];
  volumes: object[];
  hostNetwork?: boolean;
  nodeSelector?: object;
  os?: object;
  securityContext?: object;
}

export interface Manifests {
  account: { apiVersion: string; kind: string; metadata: Metadata };
  pod: { apiVersion: string; kind: string; metadata: Metadata; spec: PodSpec };
  /** The pod's only container. */
  main: Container;
  /** Its token's volume, and what that holds. */
  volume: Volume;
  token: Token;
  /** Beside account and pod. */
  others: object[];
}

export const ROLE_ARN = 'arn:aws:iam::111122223333:role/app';
export const DIRECTORY = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
export const TOKEN_FILE = `${DIRECTORY}/token`;
export const MOUNT = { name: 'aws-iam-token', readOnly: true, mountPath: DIRECTORY };

export const webIdentity = (): Entry[] => [
  { name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' },
  { name: 'AWS_DEFAULT_REGION', value: 'eu-west-1' },
  { name: 'AWS_REGION', value: 'eu-west-1' },
  { name: 'AWS_ROLE_ARN', value: ROLE_ARN },
  { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: TOKEN_FILE },
];

/** As EKS mutates and stores it. */
export function healthy(): Manifests {
  const token: Token = { audience: 'sts.amazonaws.com', expirationSeconds: 86_400, path: 'token' };
  const volume: Volume = {
    name: 'aws-iam-token',
    projected: { defaultMode: 0o644, sources: [{ serviceAccountToken: token }] },
  };
  const main: Container = {
    name: 'main',
    image: 'registry.example.com/web:1',
    env: [{ name: 'LOG_LEVEL', value: 'info' }, ...webIdentity()],
    volumeMounts: [{ ...MOUNT }, { name: 'api', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
  };
  const api = { defaultMode: 0o644, sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }] };
  return {
    account: {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: {
        name: 'app',
        namespace: 'prod',
        creationTimestamp: '2026-01-01T00:00:00Z',
        annotations: { 'eks.amazonaws.com/role-arn': ROLE_ARN },
        labels: {},
      },
    },
    pod: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'web',
        namespace: 'prod',
        creationTimestamp: '2026-02-01T00:00:00Z',
        annotations: {},
        labels: { app: 'web' },
      },
      spec: {
        serviceAccountName: 'app',
        containers: [main],
        volumes: [volume, { name: 'api', projected: api }],
      },
    },
    main,
    volume,
    token,
    others: [],
  };
}

/** The same before the webhook. */
export function bare(): Manifests {
  const manifests = healthy();
  manifests.main.env.splice(1);
  manifests.main.volumeMounts.shift();
  manifests.pod.spec.volumes.shift();
  return manifests;
}

/** Another container with the same identity. */
export function twin({ main }: Manifests, name: string, more: object = {}): Container {
  return { ...structuredClone(main), name, ...more };
}

export function setVariable({ main }: Manifests, name: string, entry: Omit<Entry, 'name'>): void {
  main.env = main.env.map((each) => (each.name === name ? { name, ...entry } : each));
}

export function withoutVariable({ main }: Manifests, ...names: string[]): void {
  main.env = main.env.filter(({ name }) => !names.includes(name));
}

export interface Outcome {
  readonly problems: readonly Problem[];
  readonly err: string;
  readonly exit: number;
}

export async function diagnose(
  { account, pod, others }: Omit<Manifests, 'pod'> & { readonly pod: object },
  ...args: readonly string[]
): Promise<Outcome> {
  return diagnoseText([account, pod, ...others].map((each) => JSON.stringify(each)).join('\n'), ...args);
}

export async function diagnoseText(text: string, ...args: readonly string[]): Promise<Outcome> {
  const commandLine = parseCommandLine(['diagnose', 'manifests', '-f', 'given.json', '--output=json', ...args], {});
  if (commandLine.kind !== 'run') throw new Error(`want a run, got ${commandLine.kind}`);
  const io = createTestIo({ 'given.json': text });
  const exit = await RUNNERS['diagnose manifests']({ ...commandLine, io });
  const { out, err } = io.written();
  return { problems: exit === 2 ? [] : problemsIn(JSON.parse(out)), err, exit };
}

function problemsIn(report: unknown): readonly Problem[] {
  const problems = ownField(report, 'problems');
  if (!Array.isArray(problems)) throw new Error('want a list of problems');
  return problems as readonly Problem[];
}

export async function idsOf(
  manifests: Omit<Manifests, 'pod'> & { readonly pod: object },
  ...args: readonly string[]
): Promise<readonly string[]> {
  const { problems } = await diagnose(manifests, ...args);
  return problems.map(({ id }) => id);
}
