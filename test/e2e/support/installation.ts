// A webhook installed from manifests that somebody has published: nothing in them is changed but the image, and what
// cert-manager or OpenShift's service-ca would bring is there: a Secret with a certificate, and its CA as caBundle.
import jsonpatch from 'fast-json-patch';
import type { Operation } from 'fast-json-patch';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { isObject, ownField, ownList, ownString } from '../../../src/admission/json.ts';
import type { JsonObject } from '../../../src/admission/json.ts';
import { eventually } from '../../cluster/support/eventually.ts';
import type { Kubectl } from '../../cluster/support/kubectl.ts';
import { createAuthority } from '../../support/certificates.ts';

/** What an administrator changes in the published manifests: JSON Patch operations by kind. */
export type Change = Readonly<Partial<Record<'Deployment' | 'Service', readonly Operation[]>>>;

export interface InstallationOptions {
  readonly kubectl: Kubectl;
  /** Of YAML files with the published manifests. */
  readonly directory: string;
  readonly namespace: string;
  /** The Secret that the Deployment mounts. */
  readonly secretName: string;
  readonly image: string;
}

export interface Exit {
  readonly exitCode: unknown;
  /** The container's last line. */
  readonly lastLine: string | undefined;
}

export interface Installation {
  /** Applies the manifests with this change and no other; returns at once. */
  apply(change?: Change): Promise<void>;
  /** Resolves when the Deployment is wholly rolled out and available. */
  available(): Promise<void>;
  /** How the webhook's container has ended, once it has. */
  exit(): Promise<Exit>;
  /** Resolves when nothing of it is left. */
  uninstall(): Promise<void>;
}

const name = 'pod-identity-webhook';

export async function createInstallation(options: InstallationOptions): Promise<Installation> {
  const { kubectl, directory, namespace, secretName, image } = options;
  const authority = await createAuthority();
  const service = `${name}.${namespace}`;
  const pair = await authority.issue({ names: [`${service}.svc`, name, service, `${service}.svc.local`] });
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: secretName, namespace },
    stringData: { 'tls.crt': pair.certPem, 'tls.key': pair.keyPem, 'ca.crt': authority.caPem },
  };
  const given: Readonly<Record<string, readonly Operation[]>> = {
    Deployment: [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: image }],
    MutatingWebhookConfiguration: [
      {
        op: 'add',
        path: '/webhooks/0/clientConfig/caBundle',
        value: Buffer.from(authority.caPem, 'utf8').toString('base64'),
      },
    ],
  };
  const published = publishedIn(directory);
  const pods = async (): Promise<readonly unknown[]> =>
    ownList(JSON.parse(await kubectl(['get', 'pods', '-n', namespace, '-l', `app=${name}`, '-o', 'json'])), 'items');

  return {
    apply: async (change = {}) => {
      const items = published.map((document) =>
        [given, change].reduce((changed, operations) => withChange(changed, operations), document),
      );
      // A namespace comes before what is in it, and the certificate before the pods that mount it.
      const ordered = [...items.filter(isNamespace), secret, ...items.filter((item) => !isNamespace(item))];
      await kubectl(['apply', '-f', '-'], manifestsOf(ordered));
    },
    available: async () => {
      await kubectl(['rollout', 'status', `deployment/${name}`, '-n', namespace, '--timeout=90s']);
    },
    exit: () =>
      eventually({ what: 'the container to end', timeoutMs: 60_000, intervalMs: 500 }, async () => {
        const [pod] = await pods();
        const [status] = ownList(ownField(pod, 'status'), 'containerStatuses');
        const ended = [ownField(status, 'state'), ownField(status, 'lastState')]
          .map((state) => ownField(state, 'terminated'))
          .find(isObject);
        if (ended === undefined) return undefined;
        const podName = ownString(ownField(pod, 'metadata'), 'name') ?? '';
        const running = isObject(ownField(ownField(status, 'state'), 'running'));
        const log = await kubectl(['logs', podName, '-n', namespace, ...(running ? ['--previous'] : [])]);
        const lastLine = log.trimEnd().split('\n').at(-1);
        // A container that has just been started again has no line yet.
        return lastLine === '' ? undefined : { exitCode: ownField(ended, 'exitCode'), lastLine };
      }),
    uninstall: async () => {
      const remove = async (items: readonly object[]): Promise<unknown> =>
        items.length === 0 ? undefined : kubectl(['delete', '--ignore-not-found', '-f', '-'], manifestsOf(items));
      // Owners first and by themselves: whatever deletes pods for them gives each its ten seconds of drain, of which
      // nobody has any use here. Pods left over would be called by the next installation's Service.
      const labelled = ['-n', namespace, '-l', `app=${name}`];
      await kubectl(['delete', 'deployment', name, '-n', namespace, '--cascade=orphan', '--ignore-not-found']);
      await kubectl(['delete', 'replicasets', ...labelled, '--cascade=orphan']);
      await kubectl(['delete', 'pods', ...labelled, '--now']);
      await remove([secret, ...published.filter((item) => !isNamespace(item))]);
      await remove(published.filter(isNamespace));
    },
  };
}

/** One stream of YAML documents, each in JSON. */
export function manifestsOf(items: readonly object[]): string {
  return items.map((item) => JSON.stringify(item)).join('\n---\n');
}

function publishedIn(directory: string): readonly JsonObject[] {
  return readdirSync(directory)
    .flatMap((file) => parseAllDocuments(readFileSync(join(directory, file), 'utf8')))
    .map((document): unknown => document.toJS())
    .filter(isObject);
}

function withChange(document: JsonObject, change: Readonly<Record<string, readonly Operation[]>> | Change): JsonObject {
  const operations = ownField(change, ownString(document, 'kind') ?? '');
  if (!Array.isArray(operations)) return document;
  const changed: unknown = jsonpatch.applyPatch(structuredClone(document), operations, true).newDocument;
  return isObject(changed) ? changed : document;
}

function isNamespace(document: JsonObject): boolean {
  return ownField(document, 'kind') === 'Namespace';
}
