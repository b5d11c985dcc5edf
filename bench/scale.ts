// npm run bench -- --scale: 100,000 ServiceAccounts on a real kube-apiserver and etcd, and a start of the server on them.
import { startControlPlane } from '../test/cluster/support/control-plane.ts';
import type { ControlPlane } from '../test/cluster/support/control-plane.ts';
import type { Workspace } from '../test/cluster/support/workspace.ts';
import { accountName, roleArnOf } from './review.ts';
import { median } from './report.ts';
import type { Row } from './report.ts';
import { memoryMiB, startSubject } from './subject.ts';
import type { KeyFiles } from './subject.ts';

const ACCOUNTS = 100_000;
const NAMESPACES = 200;
// Calls that are on their way at once; more make an API server on two cores no faster.
const WRITERS = 16;
const STARTS = 5;

export async function measureScale(workspace: Workspace, keys: KeyFiles): Promise<readonly Row[]> {
  const controlPlane = await startControlPlane();
  try {
    await createAccounts(controlPlane);
    const ready: number[] = [];
    const stalls: number[] = [];
    const peaks: number[] = [];
    for (let start = 0; start < STARTS; start += 1) {
      const subject = await startSubject(workspace, { keys, kubeconfig: controlPlane.kubeconfig });
      ready.push(subject.readyMs);
      stalls.push(await subject.longestStallMs());
      peaks.push(memoryMiB(subject.child).peak);
      await subject.child.stop();
    }
    const of = `with ${ACCOUNTS} ServiceAccounts`;
    return [
      { metric: `start to ready ${of}`, value: median(ready), unit: 'ms', limit: 3_000 },
      { metric: `RSS ${of}, peak`, value: median(peaks), unit: 'MiB', limit: 140 },
      { metric: `longest stall of the event loop ${of}`, value: median(stalls), unit: 'ms', limit: 100 },
    ];
  } finally {
    await controlPlane.stop();
  }
}

async function createAccounts({ api }: ControlPlane): Promise<void> {
  for (let index = 0; index < NAMESPACES; index += 1) {
    await created(api, '/api/v1/namespaces', { metadata: { name: `team-${index}` } });
  }
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < ACCOUNTS) {
      const index = next;
      next += 1;
      const annotations = { 'eks.amazonaws.com/role-arn': roleArnOf(index) };
      await created(api, `/api/v1/namespaces/team-${index % NAMESPACES}/serviceaccounts`, {
        metadata: { name: accountName(index), annotations },
      });
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
}

async function created(api: ControlPlane['api'], path: string, body: object): Promise<void> {
  const { status } = await api.call({ method: 'POST', path, body });
  if (status !== 201) throw new Error(`POST ${path} answered ${status}`);
}
