import { expect, test } from '@jest/globals';
import { orWrongUse } from '../../src/commands/issuer-options.ts';
import { loadKubeConfig } from '../../src/kube/kubeconfig.ts';
import { failureOf } from '../support/failure.ts';

test('what cannot be read is wrong use, in one sentence that names flags which the command has', async () => {
  const nowhere = async (): Promise<unknown> => loadKubeConfig({ root: '/nowhere' });
  expect([
    await orWrongUse(Promise.resolve(1), 'a number'),
    (await failureOf(orWrongUse(nowhere(), 'the cluster')))['message'],
    (await failureOf(orWrongUse(Promise.reject(new Error('it is gone')), '--token="t"')))['message'],
  ]).toEqual([
    1,
    'the cluster: neither a kubeconfig nor the token of a pod was found; give --kubeconfig=FILE',
    '--token="t": it is gone',
  ]);
});
