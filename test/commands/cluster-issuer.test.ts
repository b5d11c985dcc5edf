// What is said to a caller whom the API server does not let read its issuer's documents.
import { expect, test } from '@jest/globals';
import { readIssuerDocument } from '../../src/commands/cluster-issuer.ts';
import { failureOf } from '../support/failure.ts';

test('tells credentials that are not known from a right that is lacking', async () => {
  const messageFor = async (status: number): Promise<unknown> => {
    const client = { get: async () => ({ status, body: { message: 'no' }, retryAfterSeconds: undefined }) };
    const { signal } = new AbortController();
    return (await failureOf(readIssuerDocument(client, { path: '/openid/v1/jwks', signal })))['message'];
  };
  expect(await Promise.all([401, 403, 500].map(messageFor))).toEqual([
    'the API server answered 401 to /openid/v1/jwks: no; its credentials are not known or have expired: correct those of the kubeconfig',
    'the API server answered 403 to /openid/v1/jwks: no; the caller needs the ClusterRole system:service-account-issuer-discovery',
    'the API server answered 500 to /openid/v1/jwks: no',
  ]);
});
