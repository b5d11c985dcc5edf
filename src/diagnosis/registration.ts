// Whether the API server would ask a webhook about a pod, by what is registered.
import { X509Certificate } from 'node:crypto';
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField, ownList, ownString } from '../admission/json.ts';
import { certificateBlocks } from '../aws/pem.ts';
import type { PodFacts } from './facts.ts';
import type { Labels } from './selector.ts';
import { unmetRequirement } from './selector.ts';

export type Reach =
  /** The webhook would be asked, or nothing says that it would not. */
  | { readonly kind: 'asked' }
  | { readonly kind: 'down' | 'namespace' | 'opted-out'; readonly evidence: string; readonly isOptIn: boolean };

/** Names of upstream, EKS, kOps and of this project's own charts. */
export const IDENTITY_WEBHOOK: RegExp = /pod-?identity|iam-for-pods|\birsa\b/i;

export function reachOf(facts: PodFacts): Reach {
  const { webhookConfigurations, pod, namespace, namespaces, now, endpointSlices } = facts;
  if (webhookConfigurations === undefined) return { kind: 'asked' };
  const entries = identityWebhooks(webhookConfigurations);
  if (entries.length === 0) {
    const evidence = 'no MutatingWebhookConfiguration registers a webhook for pod identity';
    return { kind: 'down', evidence, isOptIn: false };
  }
  const object = namespaces.find((candidate) => ownString(ownField(candidate, 'metadata'), 'name') === namespace);
  // The API server sets this label on every namespace.
  const labels = { ...labelsOf(object), 'kubernetes.io/metadata.name': namespace };
  const known = {
    namespace: { labels, complete: object !== undefined },
    pod: { labels: labelsOf(pod), complete: true },
    now,
    endpointSlices,
  };
  const reaches = entries.map((entry) => reachOfEntry(entry, known));
  return reaches.reduce((one, other) => (rank(other) < rank(one) ? other : one));
}

/** Of several entries the one that comes nearest to the pod; those for chosen pods or namespaces say least. */
function rank(reach: Reach): number {
  const kinds = ['asked', 'down', 'namespace', 'opted-out'];
  return kinds.indexOf(reach.kind) + (reach.kind !== 'asked' && reach.isOptIn ? kinds.length : 0);
}

/** One entry of a MutatingWebhookConfiguration. */
export interface IdentityWebhook {
  /** For people: configuration and entry. */
  readonly name: string;
  readonly configuration: string;
  readonly entryName: string;
  /** Of the entry in its configuration. */
  readonly index: number;
  readonly webhook: JsonObject;
}

/** Those that give pods their identity: this one, EKS's, amazon-eks-pod-identity-webhook, by their names. */
export function identityWebhooks(webhookConfigurations: readonly JsonObject[]): readonly IdentityWebhook[] {
  return webhookConfigurations.flatMap(webhooksOf).filter(({ isOurs }) => isOurs);
}

function webhooksOf(configuration: JsonObject): (IdentityWebhook & { readonly isOurs: boolean })[] {
  const configurationName = ownString(ownField(configuration, 'metadata'), 'name') ?? '';
  return ownList(configuration, 'webhooks')
    .filter(isObject)
    .map((webhook, index) => {
      const name = ownString(webhook, 'name') ?? '';
      const service = ownString(ownField(ownField(webhook, 'clientConfig'), 'service'), 'name') ?? '';
      const isOurs = [configurationName, name, service].some((text) => IDENTITY_WEBHOOK.test(text));
      const label = `${configurationName}, webhook ${name}`;
      return { name: label, configuration: configurationName, entryName: name, index, webhook, isOurs };
    });
}

interface Known {
  readonly namespace: Labels;
  readonly pod: Labels;
  readonly now: number;
  readonly endpointSlices: PodFacts['endpointSlices'];
}

function reachOfEntry({ name, webhook }: IdentityWebhook, known: Known): Reach {
  const byNamespace = unmetRequirement(ownField(webhook, 'namespaceSelector'), known.namespace);
  if (byNamespace !== undefined) {
    const evidence = `MutatingWebhookConfiguration ${name}: its namespaceSelector wants ${byNamespace.text}`;
    return { kind: 'namespace', evidence, isOptIn: byNamespace.isOptIn };
  }
  const byPod = unmetRequirement(ownField(webhook, 'objectSelector'), known.pod);
  if (byPod !== undefined) {
    const evidence = `MutatingWebhookConfiguration ${name}: its objectSelector wants ${byPod.text}`;
    return { kind: 'opted-out', evidence, isOptIn: byPod.isOptIn };
  }
  const fault = faultOf(webhook, known.now) ?? unreadyService(webhook, known.endpointSlices);
  if (fault === undefined) return { kind: 'asked' };
  return { kind: 'down', evidence: `MutatingWebhookConfiguration ${name}: ${fault}`, isOptIn: false };
}

/** Why a webhook that is registered cannot be asked about new pods. */
function faultOf(webhook: JsonObject, now: number): string | undefined {
  if (!ownList(webhook, 'rules').some(coversPods)) return 'no rule covers CREATE of pods';
  const versions = ownList(webhook, 'admissionReviewVersions');
  if (versions.length > 0 && !['v1', 'v1beta1'].some((version) => versions.includes(version))) {
    return `admissionReviewVersions ${versions.join(', ')} has no version that webhooks answer`;
  }
  const client = ownField(webhook, 'clientConfig');
  const caBundle = caBundleOf(webhook);
  // A URL may have a certificate of a public CA; the name of a Service cannot.
  if (caBundle === '') return ownField(client, 'service') === undefined ? undefined : 'its caBundle is empty';
  const ends = validUntil(caBundle);
  return ends === undefined || ends > now ? undefined : `its caBundle has expired on ${new Date(ends).toISOString()}`;
}

/** PEM; empty where there is none. */
export function caBundleOf(webhook: JsonObject): string {
  const encoded = ownString(ownField(webhook, 'clientConfig'), 'caBundle') ?? '';
  return Buffer.from(encoded, 'base64').toString().trim();
}

/** Why nobody answers at the Service of a webhook; undefined where somebody does, or its endpoints were not given. */
function unreadyService(webhook: JsonObject, endpointSlices: readonly JsonObject[] | undefined): string | undefined {
  const service = serviceOf(webhook);
  if (service === undefined || endpointSlices === undefined) return undefined;
  const endpoints = readyEndpoints(service, endpointSlices);
  return endpoints.length > 0
    ? undefined
    : `the Service ${service.namespace}/${service.name} that it calls has no ready endpoint`;
}

export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
}

export interface Endpoint {
  readonly endpoint: JsonObject;
  /** Of its slice. */
  readonly ports: readonly JsonObject[];
}

/** Who answers at a Service. */
export function readyEndpoints(service: ServiceReference, endpointSlices: readonly JsonObject[]): readonly Endpoint[] {
  return (
    endpointSlices
      .filter((slice) => isOf(slice, service))
      .flatMap((slice) => {
        const ports = ownList(slice, 'ports').filter(isObject);
        return ownList(slice, 'endpoints')
          .filter(isObject)
          .map((endpoint) => ({ endpoint, ports }));
      })
      // The EndpointSlice API takes an unknown readiness for ready.
      .filter(({ endpoint }) => ownField(ownField(endpoint, 'conditions'), 'ready') !== false)
  );
}

function isOf(slice: JsonObject, { namespace, name }: ServiceReference): boolean {
  const isThere = ownString(ownField(slice, 'metadata'), 'namespace') === namespace;
  return isThere && labelsOf(slice)['kubernetes.io/service-name'] === name;
}

export function serviceOf(webhook: JsonObject): ServiceReference | undefined {
  const service = ownField(ownField(webhook, 'clientConfig'), 'service');
  const [namespace, name] = [ownString(service, 'namespace'), ownString(service, 'name')];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/** The Services that webhooks for pod identity are called by, each once. */
export function servicesOf(webhookConfigurations: readonly JsonObject[]): readonly ServiceReference[] {
  const services = identityWebhooks(webhookConfigurations).flatMap(({ webhook }) => serviceOf(webhook) ?? []);
  return [...new Map(services.map((service) => [`${service.namespace}/${service.name}`, service])).values()];
}

function coversPods(rule: unknown): boolean {
  const has = (field: string, ...wanted: readonly string[]): boolean =>
    ownList(rule, field).some((value) => wanted.includes(String(value)));
  return has('operations', 'CREATE', '*') && has('resources', 'pods', '*', '*/*') && has('apiGroups', '', '*');
}

/** When the last certificate of a bundle ends; undefined where it cannot be read. */
function validUntil(pem: string): number | undefined {
  const blocks = certificateBlocks(pem);
  try {
    const ends = blocks.map((block) => Date.parse(new X509Certificate(block).validTo));
    return ends.length === 0 ? undefined : Math.max(...ends);
  } catch {
    return undefined;
  }
}

export function labelsOf(object: unknown): JsonObject {
  const labels = ownField(ownField(object, 'metadata'), 'labels');
  return isObject(labels) ? labels : {};
}
