// What a call needs to be trusted and to trust: CA, client certificate, token. Read anew for each call, so that a
// rotated file is taken without a restart.
import { messageOf } from '../admission/thrown.ts';
import type { RequestOptions } from 'node:https';
import type { OutgoingHttpHeaders } from 'node:http';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeError } from './error.ts';

/** For https.request. */
export interface Trust {
  readonly options: RequestOptions;
  readonly headers: OutgoingHttpHeaders;
}

export interface Credentials {
  /** `fresh` passes over everything remembered, after the API server has refused it. */
  trustFor(call: { readonly fresh: boolean }): Promise<Trust>;
}

export function createCredentials(config: KubeConfig): Credentials {
  let current = config;

  async function trustFor({ fresh }: { readonly fresh: boolean }): Promise<Trust> {
    if (fresh) current = withoutMemory(current);
    const options: RequestOptions & { headers: OutgoingHttpHeaders } = { headers: {} };
    try {
      await current.applyToHTTPSOptions(options);
    } catch (cause) {
      throw new KubeError(`credentials for the API server cannot be read: ${messageOf(cause)}`, {
        code: 'credentials',
        cause,
      });
    }
    return { options, headers: withTrimmedToken(options.headers) };
  }

  return { trustFor };
}

/** KubeConfig's authenticators remember a token file for 60 s and an exec plugin's answer until it says it expires. */
function withoutMemory(config: KubeConfig): KubeConfig {
  const copy = new KubeConfig();
  const { clusters, users, contexts, currentContext } = config;
  copy.loadFromOptions({ clusters, users, contexts, currentContext });
  return copy;
}

/** A token file may end in a newline, which no HTTP header may hold. */
function withTrimmedToken(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const { Authorization: authorization, ...others } = headers;
  if (typeof authorization !== 'string') return headers;
  return { ...others, Authorization: authorization.replace(/^Bearer\s+/, 'Bearer ').trimEnd() };
}
