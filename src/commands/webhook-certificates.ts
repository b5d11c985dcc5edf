// Whether what a webhook serves is what its registration lets the API server believe: the half of a broken caBundle that no
// object of the cluster shows.
import type { Duplex } from 'node:stream';
import type { JsonObject } from '../admission/json.ts';
import { ownField, ownList, ownString } from '../admission/json.ts';
import { messageOf } from '../admission/thrown.ts';
import type { IdentityWebhook } from '../diagnosis/registration.ts';
import { caBundleOf, readyEndpoints, serviceOf } from '../diagnosis/registration.ts';
import type { PodPort } from '../kube/port-forward.ts';
import type { Reader } from './diagnose-reading.ts';
import { pathIn } from './diagnose-reading.ts';
import { certificateProblem } from './served-certificate.ts';

/** How a webhook is reached from here. */
export interface Dial {
  readonly pod: (port: PodPort) => Promise<Duplex>;
  /** Undefined for an address that means another machine here than at the API server. */
  readonly url: (url: URL) => (() => Promise<Duplex>) | undefined;
}

export interface CertificateQuestion {
  readonly endpointSlices: readonly JsonObject[];
  readonly cluster: Pick<Reader, 'object'>;
  readonly dial: Dial;
  readonly hint: (sentence: string) => void;
}

/** What cannot be looked at is a hint. */
export async function certificateProblems(
  webhooks: readonly IdentityWebhook[],
  question: CertificateQuestion,
): Promise<readonly string[]> {
  const problems = new Set<string>();
  for (const { name, webhook } of webhooks) {
    const caBundle = caBundleOf(webhook);
    // One by URL may have none; the API server then takes the authorities of its own machine, which are not known here.
    if (caBundle === '') continue;
    const note = (problem: string): void => void problems.add(`MutatingWebhookConfiguration ${name}: ${problem}`);
    for (const { host, open } of await placesOf(webhook, question, note)) {
      try {
        const problem = await certificateProblem({ socket: await open(), host, caBundle });
        if (problem !== undefined) note(problem);
      } catch (error) {
        question.hint(`not checked: the certificate of ${host}: ${messageOf(error)}`);
      }
    }
  }
  return [...problems];
}

interface Place {
  readonly host: string;
  readonly open: () => Promise<Duplex>;
}

async function placesOf(
  webhook: JsonObject,
  { cluster, endpointSlices, dial }: CertificateQuestion,
  note: (problem: string) => void,
): Promise<readonly Place[]> {
  const address = ownString(ownField(webhook, 'clientConfig'), 'url');
  if (address !== undefined && URL.canParse(address)) {
    const url = new URL(address);
    const open = dial.url(url);
    return open === undefined ? [] : [{ host: url.hostname.replace(/^\[|\]$/g, ''), open }];
  }
  const service = serviceOf(webhook);
  if (service === undefined) return [];
  const { namespace, name } = service;
  const stored = await cluster.object(pathIn(namespace, 'services', name)).catch(() => ({}));
  if (stored === undefined) {
    note(`its Service ${namespace}/${name} does not exist`);
    return [];
  }
  const number = Number(ownField(ownField(ownField(webhook, 'clientConfig'), 'service'), 'port') ?? 443);
  const port = ownList(ownField(stored, 'spec'), 'ports').find((each) => ownField(each, 'port') === number);
  const portName = ownString(port, 'name') ?? '';
  return readyEndpoints(service, endpointSlices).flatMap(({ endpoint, ports }) => {
    const pod = ownString(ownField(endpoint, 'targetRef'), 'name');
    const target = ownField(
      ports.find((each) => (ownString(each, 'name') ?? '') === portName),
      'port',
    );
    if (pod === undefined || typeof target !== 'number') return [];
    return [{ host: `${name}.${namespace}.svc`, open: () => dial.pod({ namespace, pod, port: target }) }];
  });
}
