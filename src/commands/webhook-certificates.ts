// Whether what a webhook serves is what its registration lets the API server believe: the half of a broken caBundle that no
// object of the cluster shows.
import type { Duplex } from 'node:stream';
import type { JsonObject } from '../admission/json.ts';
import { ownField, ownList, ownString } from '../admission/json.ts';
import { messageOf } from '../admission/thrown.ts';
import type { IdentityWebhook, ServiceReference } from '../diagnosis/registration.ts';
import { caBundleOf, readyEndpoints, serviceOf } from '../diagnosis/registration.ts';
import type { PodPort } from '../kube/port-forward.ts';
import type { Reader } from './cluster-reader.ts';
import { pathIn } from './cluster-reader.ts';
import { certificateProblem } from './served-certificate.ts';
import { hostOf } from './url-host.ts';

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

export interface CertificateProblem {
  readonly webhook: IdentityWebhook;
  readonly problem: string;
}

/** What cannot be looked at is a hint. */
export async function certificateProblems(
  webhooks: readonly IdentityWebhook[],
  question: CertificateQuestion,
): Promise<readonly CertificateProblem[]> {
  const found: CertificateProblem[] = [];
  for (const registered of webhooks) {
    const { webhook } = registered;
    const caBundle = caBundleOf(webhook);
    // One by URL may have none; the API server then takes the authorities of its own machine, which are not known here.
    if (caBundle === '') continue;
    const note = (problem: string): void => {
      // Replicas have the same certificate.
      if (!found.some((each) => each.webhook === registered && each.problem === problem)) {
        found.push({ webhook: registered, problem });
      }
    };
    for (const { host, open } of await placesOf(webhook, question, note)) {
      try {
        const problem = await certificateProblem({ socket: await open(), host, caBundle });
        if (problem !== undefined) note(problem);
      } catch (error) {
        question.hint(`not checked: the certificate of ${host}: ${messageOf(error)}`);
      }
    }
  }
  return found;
}

/** admissionregistration.k8s.io: of ServiceReference unless given. */
const HTTPS_PORT = 443;
/** Each may take its ten seconds where nothing answers; replicas have one certificate, or two for a moment. */
const MAX_PLACES = 3;

interface Place {
  readonly host: string;
  readonly open: () => Promise<Duplex>;
}

async function placesOf(
  webhook: JsonObject,
  question: CertificateQuestion,
  note: (problem: string) => void,
): Promise<readonly Place[]> {
  const { dial, hint } = question;
  const address = ownString(ownField(webhook, 'clientConfig'), 'url');
  if (address !== undefined && URL.canParse(address)) {
    const url = new URL(address);
    const open = dial.url(url);
    if (open !== undefined) return [{ host: hostOf(url), open }];
    hint(`not checked: the certificate at ${url.origin}, which is an address of the API server's own machine`);
    return [];
  }
  const service = serviceOf(webhook);
  return service === undefined ? [] : placesBehind(webhook, { ...question, ...service }, note);
}

async function placesBehind(
  webhook: JsonObject,
  { cluster, endpointSlices, dial, hint, namespace, name }: CertificateQuestion & ServiceReference,
  note: (problem: string) => void,
): Promise<readonly Place[]> {
  const service = `Service ${namespace}/${name}`;
  const number = ownField(ownField(ownField(webhook, 'clientConfig'), 'service'), 'port') ?? HTTPS_PORT;
  try {
    const stored = await cluster.object(pathIn(namespace, 'services', name));
    const port = ownList(ownField(stored, 'spec'), 'ports').find((each) => ownField(each, 'port') === number);
    if (port === undefined) {
      note(
        stored === undefined ? `its ${service} does not exist` : `its ${service} has no port ${JSON.stringify(number)}`,
      );
      return [];
    }
    const endpoints = readyEndpoints({ namespace, name }, endpointSlices);
    const places = endpoints.flatMap(({ endpoint, ports }): Place[] => {
      const pod = ownString(ownField(endpoint, 'targetRef'), 'name');
      const target = ownField(
        ports.find((each) => (ownString(each, 'name') ?? '') === (ownString(port, 'name') ?? '')),
        'port',
      );
      if (pod === undefined || typeof target !== 'number') return [];
      return [{ host: `${name}.${namespace}.svc`, open: () => dial.pod({ namespace, pod, port: target }) }];
    });
    if (places.length === 0) hint(`not checked: the certificate of ${service}, behind which no pod is known`);
    return places.slice(0, MAX_PLACES);
  } catch (error) {
    hint(`not checked: the certificate of ${service}: ${messageOf(error)}`);
    return [];
  }
}
