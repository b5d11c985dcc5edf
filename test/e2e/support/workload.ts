// What a user's pod gets: as the API server has stored it, and as its own process finds it when it runs.
import { isObject, ownField, ownList, ownString } from '../../../src/admission/json.ts';
import { eventually } from '../../cluster/support/eventually.ts';
import type { Kubectl } from '../../cluster/support/kubectl.ts';
import { roleArnsOf } from '../../cluster/support/objects.ts';
import { verifiedToken } from '../../cluster/support/token.ts';
import { nodeInImage } from '../image.ts';

export interface Workload {
  /** Unique among the pods of the namespace. */
  readonly name: string;
  readonly namespace: string;
  readonly account: string;
  /** Of the pod. */
  readonly securityContext?: object;
}

export interface Identity {
  /** Of the container in the stored pod. */
  readonly env: unknown;
  /** Mounts and volumes of the stored pod, but for the API server's own token. */
  readonly volumeMounts: readonly unknown[];
  readonly volumes: readonly unknown[];
  /** Variables that the running process has and whose name begins with AWS_. */
  readonly environment: unknown;
  /** Audience, subject and issuer of the token that it reads, verified by the cluster's published keys. */
  readonly token: { readonly aud: unknown; readonly sub: unknown; readonly iss: unknown };
}

export interface WorkloadsOptions {
  readonly kubectl: Kubectl;
  /** Image with Node in it. */
  readonly image: string;
}

export interface Workloads {
  /** Resolves when pods of that account get that role: a dry run, which stores nothing. */
  get(workload: Workload, roleArn: string): Promise<void>;
  /** Creates the pod and waits for its process to have ended well. */
  run(workload: Workload): Promise<Identity>;
  remove(workload: Pick<Workload, 'name' | 'namespace'>): Promise<void>;
}

// Prints what an AWS SDK would read.
const script = `
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('AWS_')));
const token = fs.readFileSync(environment.AWS_WEB_IDENTITY_TOKEN_FILE, 'utf8');
console.log(JSON.stringify({ environment, token }));`;

export function createWorkloads({ kubectl, image }: WorkloadsOptions): Workloads {
  const podOf = ({ name, namespace, account, securityContext = {} }: Workload): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: {
        serviceAccountName: account,
        restartPolicy: 'Never',
        securityContext,
        containers: [{ name: 'app', image, imagePullPolicy: 'IfNotPresent', command: [nodeInImage, '--eval', script] }],
      },
    });

  return {
    get: async (workload, roleArn) => {
      const what = `pods of ${workload.namespace}/${workload.account} to get ${roleArn}`;
      await eventually({ what, timeoutMs: 60_000, intervalMs: 250 }, async () => {
        const asked = ['create', '--dry-run=server', '-o', 'json', '-f', '-'];
        const [found] = roleArnsOf(JSON.parse(await kubectl(asked, podOf(workload))));
        return found === roleArn ? true : undefined;
      });
    },
    remove: async ({ name, namespace }) => void (await kubectl(['delete', 'pod', name, '-n', namespace, '--now'])),
    run: async (workload) => {
      const { name, namespace } = workload;
      await kubectl(['create', '-f', '-'], podOf(workload));
      const ended = '--for=jsonpath={.status.phase}=Succeeded';
      await kubectl(['wait', ended, `pod/${name}`, '-n', namespace, '--timeout=60s']);
      const stored: unknown = JSON.parse(await kubectl(['get', 'pod', name, '-n', namespace, '-o', 'json']));
      const printed: unknown = JSON.parse(await kubectl(['logs', name, '-n', namespace]));
      const keySet: unknown = JSON.parse(await kubectl(['get', '--raw', '/openid/v1/jwks']));
      const { aud, sub, iss } = verifiedToken(ownString(printed, 'token') ?? '', keySet).claims;
      const spec = ownField(stored, 'spec');
      const [container] = ownList(spec, 'containers');
      return {
        env: ownField(container, 'env'),
        volumeMounts: ownList(container, 'volumeMounts').filter(isNotTheApiServers),
        volumes: ownList(spec, 'volumes').filter(isNotTheApiServers),
        environment: ownField(printed, 'environment'),
        token: { aud, sub, iss },
      };
    },
  };
}

function isNotTheApiServers(volumeOrMount: unknown): boolean {
  return isObject(volumeOrMount) && !(ownString(volumeOrMount, 'name') ?? '').startsWith('kube-api-access-');
}
