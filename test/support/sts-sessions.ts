// Temporary credentials that were given out, and who signs with them: Signature Version 4, computed anew from the bytes of
// the request. Shared by the STS and the agent, whose credentials are of the same kind.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { RoleArn } from '../../src/aws/arn.ts';
import { signing } from './sts-refusal.ts';
import type { Refusal } from './sts-refusal.ts';

export interface Session {
  /** `arn:aws:sts::111122223333:assumed-role/checkout/session`: the role's path is not in it. */
  readonly arn: string;
  readonly userId: string;
  readonly accountId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresMs: number;
}

export interface NewSession {
  readonly role: RoleArn;
  readonly sessionName: string;
  readonly durationSeconds: number;
}

export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Who has signed, and the region and service that the signature is for. */
export interface Caller {
  readonly session: Session;
  readonly region: string;
}

export interface Sessions {
  open(session: NewSession): Session;
  callerOf(request: SignedRequest): Caller | Refusal;
}

export function createSessions({ now }: { readonly now: () => number }): Sessions {
  const byKey = new Map<string, Session>();

  function open({ role, sessionName, durationSeconds }: NewSession): Session {
    const { partition, accountId, roleName } = role;
    const session = {
      arn: `arn:${partition}:sts::${accountId}:assumed-role/${roleName}/${sessionName}`,
      userId: `AROA${identifier(`${accountId}/${roleName}`)}:${sessionName}`,
      accountId,
      accessKeyId: `ASIA${identifier(randomBytes(16).toString('hex'))}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(240).toString('base64'),
      expiresMs: now() + durationSeconds * 1000,
    };
    byKey.set(session.accessKeyId, session);
    return session;
  }

  function callerOf(request: SignedRequest): Caller | Refusal {
    const credential = partsOf(headerOf(request, 'authorization'));
    if (credential === undefined) return signing.missing;
    const session = byKey.get(credential.accessKeyId);
    if (session?.sessionToken !== headerOf(request, 'x-amz-security-token')) return signing.unknown;
    if (now() >= session.expiresMs) return signing.expired;
    const expected = signatureOf(request, { ...credential, secret: session.secretAccessKey });
    if (!sameText(expected, credential.signature)) return signing.mismatch;
    return { session, region: credential.region };
  }

  return { open, callerOf };
}

interface Credential {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly signedHeaders: string;
  readonly signature: string;
}

function partsOf(authorization: string): Credential | undefined {
  const form =
    /^AWS4-HMAC-SHA256 Credential=(\w+)\/(\d{8})\/([\w-]+)\/sts\/aws4_request, ?SignedHeaders=([\w;-]+), ?Signature=([\da-f]{64})$/;
  const match = form.exec(authorization);
  if (match === null) return undefined;
  const [, accessKeyId = '', date = '', region = '', signedHeaders = '', signature = ''] = match;
  return { accessKeyId, date, region, signedHeaders, signature };
}

function signatureOf(request: SignedRequest, credential: Credential & { readonly secret: string }): string {
  const { date, region, signedHeaders, secret } = credential;
  const headers = signedHeaders.split(';').map((name) => `${name}:${headerOf(request, name).trim()}\n`);
  const canonical = [request.method, request.path, '', headers.join(''), signedHeaders, sha256(request.body)].join(
    '\n',
  );
  const scope = `${date}/${region}/sts/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', headerOf(request, 'x-amz-date'), scope, sha256(canonical)].join('\n');
  const key = [date, region, 'sts', 'aws4_request'].reduce(
    (derived, part) => createHmac('sha256', derived).update(part).digest(),
    Buffer.from(`AWS4${secret}`, 'utf8'),
  );
  return createHmac('sha256', key).update(toSign).digest('hex');
}

function headerOf({ headers }: SignedRequest, name: string): string {
  const value = headers[name] ?? '';
  return typeof value === 'string' ? value : value.join(',');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function sameText(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one, 'utf8'), Buffer.from(other, 'utf8'));
}

// Sixteen of base32's letters, as AWS' identifiers have: of the same text always the same.
function identifier(text: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  return Array.from(bytes, (byte) => letters[byte % 32]).join('');
}
