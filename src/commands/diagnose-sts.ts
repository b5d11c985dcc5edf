// What STS itself says to a token of a ServiceAccount: minted for the question, sent unsigned as SDKs do, and the
// credentials of a yes thrown away.
import { text } from 'node:stream/consumers';
import type { AccountKey } from '../admission/identity.ts';
import { ownField, ownString } from '../admission/json.ts';
import { messageOf } from '../admission/thrown.ts';
import { refusalOf } from '../kube/answer.ts';
import type { KubeClient } from '../kube/client.ts';

/** Kubernetes issues none for less. */
const TOKEN_SECONDS = 600;
/** STS gives no session for less. */
const SESSION_SECONDS = 900;
const TIMEOUT_MS = 10_000;
/** An answer of STS has some kilobytes; what sends more is something else. */
const MAX_BYTES = 65_536;

export interface TokenQuestion {
  readonly client: Pick<KubeClient, 'write'>;
  readonly account: AccountKey;
  readonly audience: string;
}

/** Rejects with KubeError; the caller needs `create` on serviceaccounts/token. */
export async function mintedToken({ client, account, audience }: TokenQuestion): Promise<string> {
  const [namespace, name] = [account.namespace, account.name].map(encodeURIComponent);
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const answer = await client.write(path, {
    method: 'POST',
    contentType: 'application/json',
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: [audience], expirationSeconds: TOKEN_SECONDS },
    },
    signal: new AbortController().signal,
  });
  const token = ownString(ownField(answer.body, 'status'), 'token');
  if (token === undefined) throw refusalOf(path, answer);
  return token;
}

export interface StsQuestion {
  /** `https://sts.eu-west-1.amazonaws.com`. */
  readonly endpoint: string;
  readonly roleArn: string;
  readonly sessionName: string;
  readonly token: string;
}

export type StsVerdict =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** Nobody answers. */
  | { readonly kind: 'unreachable'; readonly message: string }
  /** Whoever answers there says nothing of the token. */
  | { readonly kind: 'none'; readonly message: string };

/** What STS says when it is busy or broken: of any token. */
const PASSING = /^(?:Throttl|RequestLimitExceeded|ServiceUnavailable|InternalFailure|InternalError|SlowDown)/;

export async function stsVerdict(question: StsQuestion): Promise<StsVerdict> {
  const answer = await answerOf(question);
  if ('failure' in answer) return { kind: 'unreachable', message: answer.failure };
  const { status, xml } = answer;
  // Of a yes nothing is read but that it is one.
  if (status === 200 && xml.includes('<AssumeRoleWithWebIdentityResponse')) return { kind: 'allowed' };
  const element = (name: string): string | undefined => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  const code = element('Code');
  if (status < 400 || code === undefined) {
    return { kind: 'none', message: `it answers ${status}, and not as STS does` };
  }
  const message = unescaped(element('Message') ?? '');
  return PASSING.test(code)
    ? { kind: 'none', message: `it answers ${code}: ${message}` }
    : { kind: 'refused', code, message };
}

interface StsAnswer {
  readonly status: number;
  readonly xml: string;
}

async function answerOf({
  endpoint,
  roleArn,
  sessionName,
  token,
}: StsQuestion): Promise<StsAnswer | { readonly failure: string }> {
  try {
    const answer = await fetch(endpoint, {
      method: 'POST',
      body: new URLSearchParams({
        Action: 'AssumeRoleWithWebIdentity',
        Version: '2011-06-15',
        RoleArn: roleArn,
        RoleSessionName: sessionName,
        DurationSeconds: String(SESSION_SECONDS),
        WebIdentityToken: token,
      }),
      // A token is for the endpoint that was named, and for no other.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: answer.status, xml: await text(bounded(answer.body ?? [])) };
  } catch (error) {
    const cause = ownField(error, 'cause') ?? (error instanceof Error ? error.cause : undefined);
    return { failure: messageOf(cause ?? error) };
  }
}

async function* bounded(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) return;
    yield chunk;
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', apos: "'", gt: '>', lt: '<', quot: '"' };

/** XML has an entity for the apostrophe of "Couldn't", and senders differ. */
function unescaped(xml: string): string {
  return xml.replaceAll(/&(?:(amp|apos|gt|lt|quot)|#(39|34));/g, (_, name: string | undefined, number: string) =>
    name === undefined ? String.fromCodePoint(Number(number)) : (ENTITIES[name] ?? ''),
  );
}
