// What STS itself says to a token of a ServiceAccount: minted for the question, sent unsigned as SDKs do, and the
// credentials of a yes thrown away unread.
import { messageOf } from '../admission/thrown.ts';
import { ownField, ownString } from '../admission/json.ts';
import type { AccountKey } from '../admission/identity.ts';
import { refusalOf } from '../kube/answer.ts';
import type { KubeClient } from '../kube/client.ts';

/** Kubernetes issues none for less. */
const TOKEN_SECONDS = 600;
/** STS gives no session for less. */
const SESSION_SECONDS = 900;
const TIMEOUT_MS = 10_000;

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
  readonly token: string;
}

export type StsVerdict =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'unreachable'; readonly message: string };

export async function stsVerdict({ endpoint, roleArn, token }: StsQuestion): Promise<StsVerdict> {
  try {
    const answer = await fetch(endpoint, {
      method: 'POST',
      body: new URLSearchParams({
        Action: 'AssumeRoleWithWebIdentity',
        Version: '2011-06-15',
        RoleArn: roleArn,
        RoleSessionName: 'diagnose',
        DurationSeconds: String(SESSION_SECONDS),
        WebIdentityToken: token,
      }),
      // A token is for the endpoint that was named, and for no other.
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.ok) {
      await answer.body?.cancel();
      return { kind: 'allowed' };
    }
    const text = await answer.text();
    const element = (name: string): string | undefined => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
    const code = element('Code');
    if (code === undefined) return { kind: 'unreachable', message: `it answers ${answer.status}, and not as STS does` };
    return { kind: 'refused', code, message: element('Message') ?? '' };
  } catch (error) {
    const cause = ownField(error, 'cause') ?? (error instanceof Error ? error.cause : undefined);
    return { kind: 'unreachable', message: messageOf(cause ?? error) };
  }
}
