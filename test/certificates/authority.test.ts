// One CA, kept by replicas without a leader: each step of its rotation, each race, and what is refused.
import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createAuthority } from '../support/certificates.ts';
import { failureOf } from '../support/failure.ts';
import type { FakeCluster, Replica } from '../support/self-signed.ts';
import {
  askForRotation,
  breakBundle,
  createFakeCluster,
  createReplica,
  editConfiguration,
  editSecret,
  generationOf,
  HOUR_MS,
  isAccepted,
  MINUTE_MS,
  NAMES,
  stateOf,
  trusted,
} from '../support/self-signed.ts';

/** `generation: what is trusted`, by the names that a test gives to CAs in the order in which it meets them. */
function createNames(): (cluster: FakeCluster) => string {
  const met: string[] = [];
  return (cluster) => {
    const names = trusted(cluster).map((pem) => {
      if (!met.includes(pem)) met.push(pem);
      return String.fromCharCode(65 + met.indexOf(pem));
    });
    return `${generationOf(cluster) ?? 'none'}: ${names.join(' ')}`;
  };
}

function empty(cluster: FakeCluster): void {
  editSecret(cluster, (secret) => ({ ...secret, data: {} }));
}

function issuerOf({ leaf }: Replica, cluster: FakeCluster): number {
  const served = new X509Certificate(leaf.current()?.cert ?? '');
  return trusted(cluster).findIndex((pem) => served.checkIssued(new X509Certificate(pem)));
}

async function run(cluster: FakeCluster, replicas: readonly Replica[], minutes: number): Promise<string[]> {
  const nameOf = createNames();
  const seen = [nameOf(cluster)];
  for (let minute = 0; minute < minutes; minute += 1) {
    cluster.nowMs += MINUTE_MS;
    await Promise.all(replicas.map((replica) => replica.settle()));
    const now = `${minute + 1}m ${nameOf(cluster)}`;
    if (seen.at(-1)?.replace(/^\d+m /, '') !== nameOf(cluster)) seen.push(now);
    expect(replicas.map((replica) => isAccepted(cluster, replica))).toEqual(replicas.map(() => true));
  }
  return seen;
}

describe('a first start', () => {
  test('fills the empty Secret, signs a leaf for every name of the Service, and writes the caBundle', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    expect(replica.leaf.problems()).toEqual(['the Secret "eks/pod-identity-webhook" has not been read yet']);
    await replica.look();
    expect(cluster.secret?.['data']).toEqual({
      'ca.crt': expect.any(String),
      'ca.key': expect.any(String),
      'state.json': expect.any(String),
    });
    expect(stateOf(cluster)).toMatchObject({ generation: 1, rotateCa: '', leafLifetimeMs: HOUR_MS });
    const leaf = new X509Certificate(replica.leaf.current()?.cert ?? '');
    expect([leaf.subjectAltName, leaf.validToDate.getTime() - cluster.nowMs]).toEqual([
      NAMES.map((name) => `DNS:${name}`).join(', '),
      HOUR_MS,
    ]);
    expect([isAccepted(cluster, replica), generationOf(cluster), replica.bundle.problem()]).toEqual([true, '1', '']);
    expect(replica.recorder.of('caBundle')).toEqual([['differs'], ['in-sync']]);
  });

  test('of three replicas at once ends with one CA', async () => {
    const cluster = createFakeCluster();
    const replicas = ['a', 'b', 'c'].map((name) => createReplica(cluster, { name }));
    const first = await Promise.allSettled(replicas.map((replica) => replica.look()));
    expect(first.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected']);
    await Promise.all(replicas.map((replica) => replica.settle()));
    expect(trusted(cluster)).toEqual([stateOf(cluster)?.current.certPem]);
    expect(replicas.map((replica) => isAccepted(cluster, replica))).toEqual([true, true, true]);
    expect(generationOf(cluster)).toBe('1');
    expect(replicas.flatMap(({ log }) => log.messages()).filter((line) => line.startsWith('error'))).toEqual([]);
  });

  test('of a replica that comes later changes nothing', async () => {
    const cluster = createFakeCluster();
    await createReplica(cluster).look();
    const before = [cluster.secret, cluster.configuration];
    const later = createReplica(cluster, { name: 'b' });
    await later.look();
    expect([cluster.secret, cluster.configuration]).toEqual(before);
    expect([isAccepted(cluster, later), later.bundle.problem()]).toEqual([true, '']);
  });
});

describe('a take-over from certificates of another kind', () => {
  test('keeps what was trusted for as long as a leaf lives', async () => {
    const cluster = createFakeCluster();
    const { caPem } = await createAuthority();
    breakBundle(cluster, Buffer.from(`# comment\n${caPem}-----BEGIN CERTIFICATE-----\neA==\n`).toString('base64'));
    const replicas = ['a', 'b'].map((name) => createReplica(cluster, { name }));
    await Promise.all(replicas.map((replica) => replica.settle()));
    expect(trusted(cluster)).toEqual([stateOf(cluster)?.current.certPem, caPem]);
    expect(replicas.map((replica) => isAccepted(cluster, replica))).toEqual([true, true]);
    cluster.nowMs += HOUR_MS + MINUTE_MS;
    await replicas[0]?.settle();
    expect(trusted(cluster)).toEqual([stateOf(cluster)?.current.certPem]);
  });
});

describe('a rotation', () => {
  test('by hand introduces, switches a minute later, and retires after the longest leaf', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    askForRotation(cluster, 'today');
    expect(await run(cluster, [replica], 70)).toEqual(['1: A', '1m 2: A B', '2m 3: B A', '63m 4: B']);
    expect(stateOf(cluster)).toMatchObject({ generation: 4, rotateCa: 'today' });
    expect(replica.recorder.of('caStepped')).toEqual([['fill'], ['introduce'], ['switch'], ['retire']]);
  });

  test('is done once for each value of the annotation', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    askForRotation(cluster, 'one');
    await run(cluster, [replica], 70);
    expect(await run(cluster, [replica], 10)).toEqual(['4: A']);
    askForRotation(cluster, 'two');
    expect(await run(cluster, [replica], 3)).toEqual(['4: A', '1m 5: A B', '2m 6: B A']);
  });

  test('begins by itself with a third of the CA’s life left, and three replicas take each step once', async () => {
    const cluster = createFakeCluster();
    const lifetimes = { caLifetimeMs: 300 * MINUTE_MS };
    const replicas = ['a', 'b', 'c'].map((name) => createReplica(cluster, { name, ...lifetimes }));
    await Promise.all(replicas.map((replica) => replica.settle()));
    expect(await run(cluster, replicas, 270)).toEqual(['1: A', '200m 2: A B', '201m 3: B A', '262m 4: B']);
    const steps = replicas.flatMap(({ recorder }) => recorder.of('caStepped')).map(([step]) => String(step));
    expect(steps.toSorted()).toEqual(['fill', 'introduce', 'retire', 'switch']);
  });

  test('does not go on where the step before it is not in the live configuration', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    askForRotation(cluster, 'today');
    cluster.before = async (call) => {
      if (call === 'patch-configuration') throw Object.assign(new Error('forbidden'), { status: 403 });
    };
    expect(await run(cluster, [replica], 10)).toEqual(['1: A']);
    expect(stateOf(cluster)).toMatchObject({ generation: 2, next: expect.anything() });
    cluster.before = async () => {};
    // The bundle must be seen for a minute, whenever the step was taken.
    expect(await run(cluster, [replica], 3)).toEqual(['1: A', '1m 2: A B', '2m 3: B A']);
  });

  test('counts the minute anew after the bundle was changed by somebody else', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    askForRotation(cluster, 'today');
    cluster.nowMs += MINUTE_MS;
    await replica.look();
    expect(trusted(cluster)).toHaveLength(2);
    cluster.nowMs += MINUTE_MS - 1_000;
    breakBundle(cluster, undefined);
    await replica.look();
    expect(trusted(cluster)).toHaveLength(2);
    cluster.nowMs += MINUTE_MS - 1_000;
    expect(await replica.look()).toBe(1_000);
    expect(stateOf(cluster)?.generation).toBe(2);
    cluster.nowMs += 1_000;
    await replica.look();
    expect(stateOf(cluster)?.generation).toBe(3);
    expect(issuerOf(replica, cluster)).toBe(0);
  });

  test('by hand does not wait for the end of the one before, whose CA is retired in its time', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    askForRotation(cluster, 'one');
    expect(await run(cluster, [replica], 5)).toEqual(['1: A', '1m 2: A B', '2m 3: B A']);
    askForRotation(cluster, 'two');
    expect(await run(cluster, [replica], 70)).toEqual([
      '3: A B',
      '1m 4: A C B',
      '2m 5: C A B',
      '58m 6: C A',
      '63m 7: C',
    ]);
  });

  test('by hand again and again does not fill the configuration', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    for (let time = 0; time < 12; time += 1) {
      askForRotation(cluster, String(time));
      await run(cluster, [replica], 3);
    }
    expect(trusted(cluster)).toHaveLength(9);
  });

  test('counts the minute anew after a time in which the configuration could not be read', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    cluster.nowMs += MINUTE_MS;
    cluster.before = async (call) => {
      if (call === 'read-configuration') throw new Error('no route');
    };
    await failureOf(replica.look());
    cluster.before = async () => {};
    askForRotation(cluster, 'today');
    expect(await replica.look()).toBe(MINUTE_MS);
    expect(stateOf(cluster)?.generation).toBe(1);
  });

  test('waits for the longest leaf of any replica, whose flag may differ', async () => {
    const cluster = createFakeCluster();
    const brief = createReplica(cluster, { name: 'brief', leafLifetimeMs: HOUR_MS });
    await brief.look();
    const long = createReplica(cluster, { name: 'long', leafLifetimeMs: 3 * HOUR_MS });
    await long.look();
    expect(stateOf(cluster)).toMatchObject({ generation: 1, leafLifetimeMs: 3 * HOUR_MS });
    askForRotation(cluster, 'today');
    expect(await run(cluster, [brief], 190)).toEqual(['1: A', '1m 2: A B', '2m 3: B A', '183m 4: B']);
  });

  test('replaces a CA that has expired at once', async () => {
    const cluster = createFakeCluster();
    await createReplica(cluster).look();
    cluster.nowMs += 40 * HOUR_MS;
    const replica = createReplica(cluster);
    await replica.look();
    expect([isAccepted(cluster, replica), generationOf(cluster), trusted(cluster).length]).toEqual([true, '2', 1]);
  });
});

describe('a CA that has expired', () => {
  test('gives way at once to the next one, where there is one', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    cluster.before = async (call) => {
      if (call === 'patch-configuration') throw new Error('forbidden');
    };
    cluster.nowMs += 25 * HOUR_MS;
    await replica.settle();
    const next = stateOf(cluster)?.next?.certPem;
    cluster.before = async () => {};
    cluster.nowMs += 6 * HOUR_MS;
    await replica.settle();
    expect([stateOf(cluster)?.current.certPem, isAccepted(cluster, replica)]).toEqual([next, true]);
  });
});

describe('the leaf', () => {
  test('is renewed with a third of its life left, and not before', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    const first = replica.leaf.current()?.fingerprint256;
    cluster.nowMs += 40 * MINUTE_MS;
    await replica.look();
    expect(replica.leaf.current()?.fingerprint256).toBe(first);
    cluster.nowMs += 1_000;
    await replica.look();
    expect(replica.leaf.current()?.fingerprint256).not.toBe(first);
    expect(replica.leaf.current()?.notAfter.getTime()).toBe(cluster.nowMs + HOUR_MS);
  });

  test('lives from when its CA was known to be the signing one, however long the signing took', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    const readAt = cluster.nowMs;
    cluster.after = async (call) => {
      if (call === 'read-secret') cluster.nowMs += 20_000;
    };
    await replica.look();
    expect(replica.leaf.current()?.notAfter.getTime()).toBe(readAt + HOUR_MS);
  });

  test('never outlives its CA', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster, { caLifetimeMs: 4 * HOUR_MS });
    cluster.configuration = undefined;
    await replica.look();
    const end = cluster.nowMs + 4 * HOUR_MS;
    // Without a configuration there is no rotation.
    cluster.nowMs = end - 20 * MINUTE_MS;
    await replica.look();
    expect(replica.leaf.current()?.notAfter.getTime()).toBe(end);
  });

  test('is signed anew after the clock was set back to before it', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    cluster.nowMs += HOUR_MS;
    await replica.look();
    cluster.nowMs -= 10 * MINUTE_MS;
    expect(replica.leaf.problems()).toEqual([expect.stringContaining('the certificate is not valid before')]);
    await replica.look();
    expect([isAccepted(cluster, replica), replica.leaf.problems()]).toEqual([true, []]);
  });

  test('goes on while the Secret cannot be read, is not renewed from memory, and is at the very end', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    const first = replica.leaf.current()?.fingerprint256;
    cluster.before = async () => {
      throw Object.assign(new Error('the API server answered 403'), { status: 403 });
    };
    cluster.nowMs += 50 * MINUTE_MS;
    expect(await failureOf(replica.look())).toMatchObject({ status: 403 });
    expect([replica.leaf.current()?.fingerprint256, replica.leaf.problems()]).toEqual([first, []]);
    expect(replica.authority.problem()).toBe(
      'the Secret "eks/pod-identity-webhook": the API server answered 403; ' +
        'grant get, list, watch and update on it by name',
    );
    cluster.nowMs += 8 * MINUTE_MS;
    await failureOf(replica.look());
    expect(replica.leaf.current()?.fingerprint256).not.toBe(first);
    expect(isAccepted(cluster, replica)).toBe(true);
  });

  test('has the authorities of clients, and keeps the last good ones', async () => {
    const cluster = createFakeCluster();
    await createReplica(cluster).look();
    const [one, two] = [trusted(cluster)[0] ?? '', `${trusted(cluster)[0] ?? ''}\n`];
    let file: string | undefined = one;
    const readClientCa = async (): Promise<string> => {
      if (file === undefined) throw new Error('ENOENT');
      return file;
    };
    const replica = createReplica(cluster, { readClientCa });
    await replica.look();
    const { fingerprint256 } = replica.leaf.current() ?? {};
    file = undefined;
    await replica.look();
    expect(replica.leaf.current()).toMatchObject({ fingerprint256, clientCa: one });
    file = two;
    await replica.look();
    expect(replica.leaf.current()).toMatchObject({ fingerprint256, clientCa: two });
    expect(replica.log.messages()).toEqual([
      'info certificate signed by our own CA',
      'error client CA file refused, the last good one stays',
      'info client CA file read anew',
    ]);
  });

  test('is renewed also while the file of the authorities of clients is none', async () => {
    const cluster = createFakeCluster();
    await createReplica(cluster).look();
    const [good = ''] = trusted(cluster);
    let file = good;
    const replica = createReplica(cluster, { readClientCa: async () => file });
    await replica.look();
    const { fingerprint256 } = replica.leaf.current() ?? {};
    file = 'half written';
    cluster.nowMs += 50 * MINUTE_MS;
    await replica.look();
    expect(replica.leaf.current()?.fingerprint256).not.toBe(fingerprint256);
    expect(replica.leaf.current()?.clientCa).toBe(good);
    expect(isAccepted(cluster, replica)).toBe(true);
    expect(replica.recorder.of('reloadFailed')).toEqual([['client-ca']]);
  });

  test('waits for the authorities of clients, and names the option', async () => {
    const cluster = createFakeCluster();
    const readClientCa = async (): Promise<string> => {
      throw new Error('ENOENT: no such file or directory, open /clients/ca.crt');
    };
    const replica = createReplica(cluster, { readClientCa });
    const message =
      '--client-ca-file: ENOENT: no such file or directory, open /clients/ca.crt; give a file of certificates in PEM';
    expect(await failureOf(replica.look())).toMatchObject({ code: 'client-ca', message });
    expect(replica.leaf.problems()).toEqual([message]);
  });
});

describe('the Secret', () => {
  test('that does not exist is named, never created, and taken when it comes', async () => {
    const cluster = createFakeCluster();
    const { secret } = cluster;
    cluster.secret = undefined;
    const replica = createReplica(cluster);
    const message =
      'the Secret "eks/pod-identity-webhook" does not exist; ' +
      'apply the chart or the manifests, which make it without data: the program never creates it';
    expect(await failureOf(replica.look())).toMatchObject({ code: 'secret', message });
    expect([cluster.secret, replica.leaf.problems()]).toEqual([undefined, [message]]);
    cluster.secret = secret;
    await replica.look();
    expect([isAccepted(cluster, replica), replica.leaf.problems()]).toEqual([true, []]);
  });

  test('that was emptied is filled again by a replica that holds the CA, and not by one that has just come', async () => {
    const cluster = createFakeCluster();
    const old = createReplica(cluster);
    await old.look();
    const state = stateOf(cluster);
    empty(cluster);
    const young = createReplica(cluster, { name: 'young' });
    expect(await young.look()).toBe(MINUTE_MS);
    expect([stateOf(cluster), young.leaf.current()]).toEqual([undefined, undefined]);
    await old.look();
    expect(stateOf(cluster)).toEqual(state);
    await young.look();
    expect(isAccepted(cluster, young)).toBe(true);
  });

  test('that stays empty for a minute gets a new CA, of a generation after the live one', async () => {
    const cluster = createFakeCluster();
    await createReplica(cluster).look();
    const before = trusted(cluster);
    empty(cluster);
    const replica = createReplica(cluster);
    await replica.look();
    expect(trusted(cluster)).toEqual(before);
    cluster.nowMs += MINUTE_MS;
    await replica.look();
    expect([isAccepted(cluster, replica), generationOf(cluster)]).toEqual([true, '2']);
    expect(trusted(cluster)).not.toEqual(before);
  });

  test('that is emptied while no replica runs ends the trust in every CA before, even amid a rotation', async () => {
    const cluster = createFakeCluster();
    const gone = createReplica(cluster);
    await gone.look();
    askForRotation(cluster, 'today');
    await run(cluster, [gone], 2);
    const stolen = trusted(cluster);
    expect([stolen.length, generationOf(cluster)]).toEqual([2, '3']);
    empty(cluster);
    const replicas = [createReplica(cluster), createReplica(cluster, { name: 'b' })];
    await Promise.all(replicas.map((replica) => replica.settle()));
    // Whoever still held the CA would have a minute to bring it back.
    expect([trusted(cluster), isAccepted(cluster, gone)]).toEqual([stolen, true]);
    expect(replicas.map(({ leaf }) => leaf.current())).toEqual([undefined, undefined]);
    cluster.nowMs += MINUTE_MS;
    await Promise.all(replicas.map((replica) => replica.settle()));
    expect([trusted(cluster).length, generationOf(cluster), isAccepted(cluster, gone)]).toEqual([1, '4', false]);
    expect(trusted(cluster).filter((pem) => stolen.includes(pem))).toEqual([]);
    // The annotation that asked for the rotation asks for no other, and nothing brings back what was thrown away.
    expect(await run(cluster, replicas, 90)).toEqual(['4: A']);
  });

  test('that went back to an older state is put right by whoever knows the newer one', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    const backup = cluster.secret ?? {};
    askForRotation(cluster, 'today');
    for (let minute = 0; minute < 2; minute += 1) {
      cluster.nowMs += MINUTE_MS;
      await replica.look();
    }
    const state = stateOf(cluster);
    editSecret(cluster, () => backup);
    const young = createReplica(cluster, { name: 'young' });
    await young.look();
    expect([generationOf(cluster), young.bundle.problem()]).toEqual(['3', '']);
    await replica.look();
    await young.look();
    expect([stateOf(cluster), generationOf(cluster), state?.generation]).toEqual([state, '3', 3]);
    expect([isAccepted(cluster, replica), isAccepted(cluster, young)]).toEqual([true, true]);
  });

  test('that went back while nobody knew better is raised above the live generation after a minute', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    const backup = cluster.secret ?? {};
    askForRotation(cluster, 'today');
    cluster.nowMs += MINUTE_MS;
    await replica.look();
    editSecret(cluster, () => backup);
    const young = createReplica(cluster, { name: 'young' });
    await young.look();
    expect([generationOf(cluster), stateOf(cluster)?.generation]).toEqual(['2', 1]);
    cluster.nowMs += MINUTE_MS;
    await young.look();
    expect([generationOf(cluster), stateOf(cluster)?.generation, trusted(cluster).length]).toEqual(['3', 3, 1]);
    expect(isAccepted(cluster, young)).toBe(true);
  });

  test.each(['999999999999999', '99999999999999999999', '-1', 'x'])(
    'outlives a live generation of %s',
    async (text) => {
      const cluster = createFakeCluster();
      const replica = createReplica(cluster);
      await replica.look();
      editConfiguration(cluster, (object) => ({
        ...object,
        metadata: { name: 'ours', annotations: { 'pod-identity-webhook/ca-generation': text } },
      }));
      breakBundle(cluster, undefined);
      for (let minute = 0; minute < 3; minute += 1) {
        await replica.look();
        cluster.nowMs += MINUTE_MS;
      }
      expect([isAccepted(cluster, replica), generationOf(cluster)]).toEqual([
        true,
        String(stateOf(cluster)?.generation),
      ]);
      askForRotation(cluster, 'today');
      expect(await run(cluster, [replica], 3)).toHaveLength(3);
    },
  );

  test('is right also where the answer to our own change was lost', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    cluster.after = async (call) => {
      if (call === 'replace-secret') throw new Error('connection reset');
    };
    expect(await failureOf(replica.look())).toMatchObject({ message: 'connection reset' });
    const state = stateOf(cluster);
    await replica.look();
    expect([stateOf(cluster), isAccepted(cluster, replica)]).toEqual([state, true]);
  });
});
