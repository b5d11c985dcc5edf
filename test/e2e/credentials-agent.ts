// The agent's address on the node: link-local, as EKS' own agent has it on each of its nodes, so that pods reach it with the
// webhook's default. What comes there goes on to the agent's stand-in on this machine.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Change } from './support/installation.ts';

/** The address of --container-credentials-full-uri unless told otherwise. */
export const agentAddress = '169.254.170.23';

export interface AgentAddress {
  close(): Promise<void>;
}

// Ends with its input, so also when the tests die.
const script = `
ip addr add "$1/32" dev lo
socat "TCP-LISTEN:80,bind=$1,fork,reuseaddr" "TCP:$2" &
echo ready
cat >/dev/null
kill $!
ip addr del "$1/32" dev lo`;

/** `agentUrl`: where the agent listens on this machine. */
export async function openAgentAddress(agentUrl: string): Promise<AgentAddress> {
  const enter = join(import.meta.dirname, 'node', 'enter');
  const words = ['sh', '-c', script, 'sh', agentAddress, new URL(agentUrl).host];
  const child = spawn(enter, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ready = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  child.stdout.once('data', () => ready.resolve());
  child.once('close', () => {
    ready.reject(new Error(`The node has no address ${agentAddress}.`));
    gone.resolve();
  });
  await ready.promise;
  return {
    close: async () => {
      child.stdin.end();
      await gone.promise;
    },
  };
}

/** Mounts a ConfigMap of this name, whose key identities.json is the file of --watch-container-credentials-config. */
export function watchingIdentities(configMap: string): Change {
  const pod = '/spec/template/spec';
  const file = '/etc/identities/identities.json';
  return {
    Deployment: [
      { op: 'add', path: `${pod}/volumes/-`, value: { name: 'identities', configMap: { name: configMap } } },
      {
        op: 'add',
        path: `${pod}/containers/0/volumeMounts/-`,
        value: { name: 'identities', mountPath: '/etc/identities', readOnly: true },
      },
      { op: 'add', path: `${pod}/containers/0/command/-`, value: `--watch-container-credentials-config=${file}` },
    ],
  };
}
