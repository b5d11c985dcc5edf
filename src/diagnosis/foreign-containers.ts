// Containers that a mesh, an agent for secrets or one for tracing has put into the pod: none calls AWS for the program.
import type { JsonObject } from '../admission/json.ts';
import { ownField, ownList, ownString } from '../admission/json.ts';
import { containersOf, podAnnotation } from '../admission/pod.ts';

/** What an injector leaves on the pod, and the containers that it adds then. */
const INJECTORS: readonly (readonly [annotation: string, containers: RegExp])[] = [
  ['linkerd.io/proxy-version', /^linkerd-/],
  ['consul.hashicorp.com/connect-inject-status', /^(?:consul-|envoy-sidecar)/],
  ['kuma.io/sidecar-injected', /^kuma-/],
  ['vault.hashicorp.com/agent-inject-status', /^vault-agent(?:-init)?$/],
  ['vault.security.banzaicloud.io/vault-addr', /^(?:copy-vault-env|vault-agent)$/],
  ['oneagent.dynatrace.com/injected', /^(?:install-oneagent|dynatrace-operator)$/],
];

/** Where annotations were left out, or the injector leaves none: the names that they give. */
const KNOWN_NAME =
  /^(?:istio-(?:proxy|init|validation)|linkerd-(?:proxy|init|network-validator|debug)|kuma-(?:sidecar|init|validation)|consul-(?:dataplane|sidecar|connect-inject-init|connect-envoy-sidecar)(?:-.*)?|opentelemetry-auto-instrumentation(?:-.*)?|datadog-(?:lib-.*|init-.*)|kube-rbac-proxy|daprd|envoy|envoy-sidecar|proxyinit|install-oneagent)$/;

/** Tells by its name whether a container of the pod is one of those. */
export function foreignNamesOf(pod: JsonObject): (name: string) => boolean {
  const byIstio = new Set(namesByIstio(pod));
  const patterns = INJECTORS.filter(([annotation]) => podAnnotation(pod, annotation) !== undefined).map(
    ([, containers]) => containers,
  );
  const callers = new Set(
    containersOf(pod).flatMap(({ container }) => (callsAws(container) ? [ownField(container, 'name')] : [])),
  );
  // Vault's agent may prove who it is by the pod's identity at AWS.
  if (/aws|iam/.test(`${vaultSetting(pod, 'auth-type')} ${vaultSetting(pod, 'auth-config-type')}`)) {
    for (const name of ['vault-agent', 'vault-agent-init']) callers.add(name);
  }
  return (name) =>
    !callers.has(name) &&
    (byIstio.has(name) || KNOWN_NAME.test(name) || patterns.some((containers) => containers.test(name)));
}

/** Istio's injector, and those made of it, say which containers they have added, whatever their names are. */
function namesByIstio(pod: JsonObject): readonly string[] {
  try {
    const status: unknown = JSON.parse(podAnnotation(pod, 'sidecar.istio.io/status') ?? '{}');
    return ['containers', 'initContainers'].flatMap((list) => ownList(status, list).map(String));
  } catch {
    return [];
  }
}

/** A collector or a proxy that was told about AWS calls it. */
function callsAws(container: JsonObject): boolean {
  return ownList(container, 'env').some((entry) => ownString(entry, 'name')?.startsWith('AWS_') === true);
}

function vaultSetting(pod: JsonObject, name: string): string {
  return podAnnotation(pod, `vault.hashicorp.com/${name}`) ?? '';
}
