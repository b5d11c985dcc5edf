// The CA of a cluster and its leaves, judged by openssl, and by who loads the library that makes them.
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { bundleOf } from '../../src/certificates/authority-state.ts';
import { failureOf } from '../support/failure.ts';
import { askForRotation, createFakeCluster, createReplica, MINUTE_MS, NAMES, stateOf } from '../support/self-signed.ts';

const openssl = async (args: readonly string[]) => promisify(execFile)('openssl', args);

test('openssl agrees with chain and names in every stage of a rotation', async () => {
  if (spawnSync('openssl', ['version']).status !== 0) {
    process.stderr.write('not judged by openssl: openssl is not installed\n');
    return;
  }
  const cluster = createFakeCluster();
  const replica = createReplica(cluster);
  await replica.look();
  askForRotation(cluster, 'today');
  const directory = await mkdtemp(join(tmpdir(), 'issued-'));
  const [caFile, certFile] = [join(directory, 'ca.pem'), join(directory, 'leaf.pem')];
  const verify = async (name: string): Promise<string> => {
    const at = String(Math.floor(cluster.nowMs / 1_000));
    const how = ['-x509_strict', '-purpose', 'sslserver', '-attime', at, '-verify_hostname', name];
    return (await openssl(['verify', ...how, '-CAfile', caFile, certFile])).stdout;
  };
  try {
    const leaves: string[] = [];
    for (let stage = 1; stage <= 4; stage += 1) {
      const state = stateOf(cluster);
      if (state === undefined) throw new Error('the Secret is empty');
      const cert = replica.leaf.current()?.cert ?? '';
      leaves.push(cert);
      await writeFile(caFile, bundleOf(state));
      await writeFile(certFile, cert);
      expect(await Promise.all(NAMES.map(verify))).toEqual(NAMES.map(() => `${certFile}: OK\n`));
      expect(await failureOf(verify('other.eks.svc'))).toMatchObject({ code: 2 });
      cluster.nowMs += stage === 3 ? 61 * MINUTE_MS : MINUTE_MS;
      await replica.look();
    }
    expect(stateOf(cluster)?.generation).toBe(4);
    // The first leaf is that of a CA which is trusted no more.
    await writeFile(certFile, leaves[0] ?? '');
    cluster.nowMs -= 62 * MINUTE_MS;
    expect(await failureOf(verify(NAMES[0] ?? ''))).toMatchObject({ code: 2 });
  } finally {
    await rm(directory, { recursive: true });
  }
});

/** Packages that the file loads by itself, before anybody asks for more. */
function loadedBy(file: string, seen: Map<string, readonly string[]> = new Map()): Set<string> {
  if (!seen.has(file)) {
    const source = readFileSync(file, 'utf8');
    const imports = [...source.matchAll(/^(?:import|export) (?!type )(?:[^;']*? from )?'([^']+)';/gm)];
    seen.set(
      file,
      imports.map(([, specifier = '']) => specifier),
    );
    for (const specifier of seen.get(file) ?? []) {
      if (specifier.startsWith('.')) loadedBy(resolve(dirname(file), specifier), seen);
    }
  }
  return new Set([...seen.values()].flat().filter((specifier) => !specifier.startsWith('.')));
}

test('a server with certificate files does not load what issues certificates', () => {
  const heavy = ['reflect-metadata', '@peculiar/x509'];
  const source = join(import.meta.dirname, '../../src');
  const loaded = loadedBy(join(source, 'commands/serve.ts'));
  expect([loaded.has('pino'), ...heavy.map((name) => loaded.has(name))]).toEqual([true, false, false]);
  const issuing = loadedBy(join(source, 'certificates/issue.ts'));
  expect(heavy.map((name) => issuing.has(name))).toEqual([true, true]);
});
