// A pod that is created by a dry run only, to see what admission makes of it, and what it means where that fails.

import type { KubeAnswer } from '../kube/answer.ts';
import type { KubeClient } from '../kube/client.ts';
import { pathIn } from './cluster-reader.ts';

export interface ProbeContainer {
  readonly name: string;
  readonly image: string;
}

export interface Probe {
  /** Of its name. */
  readonly prefix: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly labels?: Readonly<Record<string, unknown>> | undefined;
  readonly annotations?: Readonly<Record<string, unknown>> | undefined;
  readonly containers: readonly ProbeContainer[];
}

/** It satisfies the restricted Pod Security Standard, and never runs. */
export function probePod({ prefix, namespace, serviceAccount, labels, annotations, containers }: Probe): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: prefix,
      namespace,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      serviceAccountName: serviceAccount,
      securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: containers.map(({ name, image }) => ({
        name,
        image,
        resources: { requests: { cpu: '1m', memory: '8Mi' }, limits: { cpu: '1m', memory: '8Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      })),
    },
  };
}

/** The API server calls every webhook, and stores nothing. Rejects with KubeError where it cannot be asked. */
export async function createdByDryRun(
  client: Pick<KubeClient, 'write'>,
  { namespace, probe, signal }: { readonly namespace: string; readonly probe: object; readonly signal: AbortSignal },
): Promise<KubeAnswer> {
  return client.write(`${pathIn(namespace, 'pods')}?dryRun=All`, {
    method: 'POST',
    contentType: 'application/json',
    body: probe,
    signal,
  });
}

/** The webhook that was called and refused the pod; undefined where the API server says something else. */
export function refuserIn(message: string): string | undefined {
  return /^admission webhook "([^"]+)"/.exec(message)?.[1];
}

/** The entry that the API server could not call, and why, in its own words; undefined where it says something else. */
export function failedCallIn(message: string): { readonly name: string; readonly cause: string } | undefined {
  const [, name = '', cause = ''] = /failed calling webhook "([^"]+)": (.*)/s.exec(message) ?? [];
  return name === '' ? undefined : { name, cause };
}

/** What such a cause means, and what to do. */
export function callProblem(cause: string): string {
  // The address that was asked holds the timeout of the call and names that others chose.
  const said = cause.replaceAll(/"https?:[^"]*"/g, '');
  return (
    CALL_PROBLEMS.find(([words]) => words.test(said))?.[1] ?? 'the webhook answers with an error; its log says why'
  );
}

/** In the words of Go's net and TLS packages and of the API server. The first counts. */
const CALL_PROBLEMS: readonly (readonly [words: RegExp, problem: string])[] = [
  [
    /x509|tls: /i,
    'the caBundle does not fit the certificate that the webhook serves; see its log, or wait for a rotation to end',
  ],
  [/service ".*" not found/, 'the Service of the webhook does not exist; install the chart again'],
  [
    /no such host|server misbehaving|failure in name resolution/i,
    'the name of the webhook does not resolve where the API server is; register it by its Service, or mend the DNS of the control plane',
  ],
  [
    /no endpoints available|connection refused|no route to host/,
    'no pod of the webhook is ready; kubectl get pods and their log say why',
  ],
  [
    /\bEOF\b|connection reset|broken pipe|server closed/i,
    'the webhook, or a proxy before it, ended the connection without an answer; the log of its pods says why, and kubectl get pods whether they restart',
  ],
  [
    /service unavailable|unable to handle the request/i,
    'the webhook, or a proxy before it, answers that it cannot serve now; its log and /readyz?verbose say why',
  ],
  [
    /deadline exceeded|timeout|network is unreachable/i,
    'the API server does not reach the pods; open server.port to it in security groups and network policies, or set hostNetwork=true',
  ],
];
