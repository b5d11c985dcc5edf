// docs/how-a-pod-becomes-a-role.md shows one pod on its whole way, and what is shown is what happens.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeProtectedHeader } from 'jose';
import { parse, stringify } from 'yaml';
import { isObject, ownField, ownList, ownString } from '../../src/admission/json.ts';
import { tokenClaims } from '../../src/aws/token.ts';
import { sdk } from '../support/sts-clients.ts';
import { documentPaths } from '../support/sts-issuer.ts';
import { issuer, startAws } from './support/credentials.ts';
import type { Aws, StoredPod } from './support/credentials.ts';
import { fenced, shownOn } from './support/page.ts';
import { logLines } from './support/webhook.ts';

const page = 'how-a-pod-becomes-a-role.md';
const podName = 'checkout-6d4cf56db6-x2xvr';

let aws: Aws;
let pod: StoredPod;
let printed: string;
beforeAll(async () => {
  aws = await startAws();
  pod = await aws.create({ account: 'checkout', name: podName });
  printed = JSON.stringify(await sdk.ask(pod.process()));
});
afterAll(async () => aws?.close());

function yaml(value: unknown): string {
  return fenced('yaml', steady(stringify(value, { lineWidth: 0 })));
}

function json(value: unknown): string {
  return fenced('json', steady(JSON.stringify(value, undefined, 2)));
}

/** Without what differs from run to run. */
function steady(text: string): string {
  return text
    .replaceAll(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g, '…')
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'http://127.0.0.1:PORT')
    .replaceAll(/aws-sdk-js-session-\d{13}/g, 'aws-sdk-js-session-1800000000000')
    .replaceAll(/\b(AROA|ASIA)[A-Z2-7]{16}/g, '$1…')
    .replaceAll(/("(?:kid|n)": )"[\w-]+"/g, '$1"…"')
    .replaceAll(/<(SecretAccessKey|SessionToken)>[^<]*</g, '<$1>…<')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2027-01-15T09:00:00Z')
    .replaceAll(/"ms":[\d.]+/g, '"ms":…')
    .replaceAll(/"time":"?[^,"]+"?/g, '"time":"…"');
}

/** With the time of issue at a round number, and the others as far from it as they are. */
function claims(): unknown {
  const payload = tokenClaims(readFileSync(pod.tokenFile, 'utf8'))?.claims.payload ?? {};
  const shift = 1_800_000_000 - Number(payload['iat']);
  const entries = Object.entries(payload).map(([claim, value]) => [
    claim,
    ['iat', 'nbf', 'exp'].includes(claim) ? Number(value) + shift : value,
  ]);
  return Object.fromEntries(entries) as unknown;
}

const isNotTheApiServers = (named: unknown): boolean =>
  isObject(named) && ownString(named, 'name')?.startsWith('kube-api-access-') === false;

const texts: Readonly<Record<string, () => Promise<string> | string>> = {
  'service-account': () => {
    const manifest = readFileSync(join(import.meta.dirname, 'manifests/credentials.yaml'), 'utf8');
    const accounts = manifest.split('\n---\n').map((document): unknown => parse(document));
    return yaml(accounts.find((each) => ownField(ownField(each, 'metadata'), 'name') === 'checkout'));
  },
  decision: () => {
    const line = logLines(aws.webhook).find((each) => each['pod'] === podName);
    return fenced('json', steady(JSON.stringify(line)));
  },
  stored: () => {
    const spec = ownField(pod.stored, 'spec');
    const [container] = ownList(spec, 'containers');
    return yaml({
      spec: {
        serviceAccountName: ownField(spec, 'serviceAccountName'),
        volumes: ownList(spec, 'volumes').filter(isNotTheApiServers),
        containers: [
          {
            name: ownField(container, 'name'),
            // The first two are the author's.
            env: ownList(container, 'env').slice(2),
            volumeMounts: ownList(container, 'volumeMounts').filter(isNotTheApiServers),
          },
        ],
      },
    });
  },
  token: () => {
    const header = decodeProtectedHeader(readFileSync(pod.tokenFile, 'utf8'));
    return json({ header, claims: claims() });
  },
  discovery: async () => {
    const read = async (path: string): Promise<unknown> => {
      const answer = await aws.published.fetchPage(`https://oidc.example.com${path}`);
      return JSON.parse('text' in answer ? answer.text : 'null');
    };
    const paths = documentPaths(issuer);
    return [json(await read(paths.discovery)), json(await read(paths.keys))].join('\n\n');
  },
  policy: () => json(aws.checkoutTrustPolicy),
  request: () => {
    const form = [...new URLSearchParams(aws.sts.lastAssumed()?.form)].toSorted(([one], [other]) =>
      one.localeCompare(other),
    );
    const lines = form.map(
      ([name, value]) => `${name}=${name === 'WebIdentityToken' ? 'eyJhbGciOiJSUzI1NiIs…' : value}`,
    );
    return fenced(
      'http',
      `POST / HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\n${steady(lines.join('\n&'))}`,
    );
  },
  answer: () => fenced('xml', steady(aws.sts.lastAssumed()?.xml ?? '')),
  printed: () => fenced('json', steady(printed)),
};

test.each(Object.keys(texts))('the page shows what happens: %s', async (name) => {
  const text = (await texts[name]?.()) ?? '';
  expect(shownOn({ page, name, text })).toBe(text);
});
