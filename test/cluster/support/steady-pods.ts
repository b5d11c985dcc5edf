// Pods at a steady pace, whatever else happens, with the moments between which each of them was decided on.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import { pod } from './objects.ts';

export interface SteadyPodsOptions {
  readonly api: ApiClient;
  readonly namespace: string;
  /** In turn, one pod each. */
  readonly accounts: readonly string[];
  readonly everyMs: number;
  readonly until: AbortSignal;
}

export interface SteadyPod {
  readonly name: string;
  readonly account: string;
  /** When it was sent, and when it was accepted: `performance.now()`. */
  readonly beganAt: number;
  readonly acceptedAt: number;
}

/** Rejects where a single one is refused. */
export async function createPodsSteadily(options: SteadyPodsOptions): Promise<SteadyPod[]> {
  const { api, namespace, accounts, everyMs, until } = options;

  async function create(name: string, account: string): Promise<SteadyPod> {
    const beganAt = performance.now();
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const { status, body } = await api.call({ method: 'POST', path, body: pod({ namespace, name, account }) });
    if (status !== 201) throw new Error(`${name} was answered ${status}: ${JSON.stringify(body)}`);
    return { name, account, beganAt, acceptedAt: performance.now() };
  }

  const creating: Promise<SteadyPod>[] = [];
  for (let index = 0; !until.aborted; index += 1) {
    const account = accounts[index % accounts.length] ?? 'default';
    const created = create(`${account}-${String(index).padStart(4, '0')}`, account);
    // Whoever waits for all of them hears of it; before that, it is no fault of the test run.
    created.catch(() => undefined);
    creating.push(created);
    await sleep(everyMs);
  }
  return Promise.all(creating);
}
