// A pod that is created by a dry run only, to see what admission makes of it, and what it means where that fails.

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

/** The entry that the API server could not call, and why, in its own words; undefined where it says something else. */
export function failedCallIn(message: string): { readonly name: string; readonly cause: string } | undefined {
  const [, name = '', cause = ''] = /failed calling webhook "([^"]+)": (.*)/s.exec(message) ?? [];
  return name === '' ? undefined : { name, cause };
}

/** What such a cause means, and what to do. */
export function callProblem(cause: string): string {
  if (/x509|tls: /i.test(cause)) {
    return 'the caBundle does not fit the certificate that the webhook serves; see its log, or wait for a rotation to end';
  }
  if (/service ".*" not found/.test(cause)) return 'the Service of the webhook does not exist; install the chart again';
  if (/no endpoints available|connection refused|no route to host/.test(cause)) {
    return 'no pod of the webhook is ready; kubectl get pods and their log say why';
  }
  if (/deadline exceeded|timeout|i\/o timeout/i.test(cause)) {
    return 'the API server does not reach the pods; open server.port to it in security groups and network policies, or set hostNetwork=true';
  }
  return 'the webhook answers with an error; its log says why';
}
