// What the server's sources of identities tell of it when they are asked, with manifests in the cluster's place.
import { expect, test } from '@jest/globals';
import { createSources } from '../src/app-sources.ts';
import { parseCommandLine } from '../src/cli.ts';
import { configFrom } from '../src/config.ts';
import { createTestRecorder } from './support/recorder.ts';

const silent = (): void => {};

test('a review whose account is not there is counted, a stored pod’s is not', async () => {
  const line = parseCommandLine(['serve', '--standalone=examples'], {});
  if (line.kind !== 'run') throw new Error('want a run');
  const recorder = createTestRecorder();
  const sources = await createSources({
    config: configFrom(line.flags).config,
    log: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
    recorder,
    now: () => 0,
    sleep: async () => undefined,
    random: () => 1,
  });
  try {
    const stranger = { namespace: 'shop', name: 'stranger' };
    const missing = { kind: 'none', reason: 'service-account-not-found', warnings: [] };
    expect(await sources.identityOfStored(stranger, { timeoutMs: 1_000, live: false })).toEqual(missing);
    expect(recorder.of('accountMissing')).toEqual([]);
    expect(await sources.identityOf(stranger, { timeoutMs: 1_000, live: false })).toEqual(missing);
    expect(recorder.of('accountMissing')).toEqual([[]]);
  } finally {
    await sources.close();
  }
});
