// What goes wrong on nodes, done there as root: a process that is killed, and a connection on which nothing arrives.
import { ownField, ownList, ownString } from '../../../src/admission/json.ts';
import type { Cluster } from './cluster.ts';
import type { Replica } from './replicas.ts';

/** SIGKILL to all processes of the replica's container, which their control group tells. */
export async function killContainer({ enter }: Pick<Cluster, 'enter'>, replica: Replica): Promise<void> {
  const script =
    'killed=; for process in /proc/[0-9]*; do ' +
    'grep -qs "$1" "$process/cgroup" && kill -9 "${process#/proc/}" && killed=1; done; [ -n "$killed" ]';
  await enter(replica.node, ['sh', '-c', script, 'sh', replica.containerId]);
}

/** Drops what the replicas send to the API server; nobody is told. Resolves with what mends it again. */
export async function cutFromApiServer(
  { call, enter }: Pick<Cluster, 'call' | 'enter'>,
  replicas: readonly Replica[],
): Promise<() => Promise<void>> {
  const { body } = await call('GET', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes');
  const addresses = ownList(body, 'endpoints').flatMap((endpoint) => ownList(endpoint, 'addresses'));
  const ports = ownList(body, 'ports').map((port) => ownField(port, 'port'));
  const from = replicas.map(({ ip }) => ip).join(', ');
  const rule = `ip saddr { ${from} } ip daddr { ${addresses.join(', ')} } tcp dport { ${ports.join(', ')} } drop`;
  const nodes = [...new Set(replicas.map(({ node }) => node))];
  const everywhere = async (command: string): Promise<void> => {
    for (const node of nodes) await enter(node, ['nft', command]);
  };
  // The API server may be on this node (input) or on another one (forward); both see the address behind the Service.
  const chains = ['input', 'forward'].map(
    (hook) => `chain ${hook} { type filter hook ${hook} priority -150; ${rule}; };`,
  );
  await everywhere(`table ip e2e_cut { ${chains.join(' ')} }`);
  return async () => everywhere('delete table ip e2e_cut');
}

/** Certificates of the bundle in each entry of a webhook configuration, which must be the same in all of them. */
export async function trustedCas({ call }: Pick<Cluster, 'call'>, configuration: string): Promise<readonly string[]> {
  const path = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${configuration}`;
  const entries = ownList((await call('GET', path)).body, 'webhooks');
  const bundles = new Set(entries.map((entry) => ownString(ownField(entry, 'clientConfig'), 'caBundle') ?? ''));
  const [bundle = ''] = bundles;
  if (bundles.size !== 1) return [];
  return Buffer.from(bundle, 'base64')
    .toString('utf8')
    .split(/(?<=-----END CERTIFICATE-----\n)/);
}
