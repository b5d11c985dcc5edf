// Whatever happens, in whatever order: an API server that trusts the live configuration accepts what every replica
// serves. Replicas come, go, lose the API server and race each other; people rotate, break and empty.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject } from '../../src/admission/json.ts';
import type { FakeCluster, Replica } from '../support/self-signed.ts';
import {
  askForRotation,
  breakBundle,
  createFakeCluster,
  createReplica,
  editSecret,
  generationOf,
  isAccepted,
  MINUTE_MS,
  rotationAskedFor,
  stateOf,
  trusted,
} from '../support/self-signed.ts';

const LEAF_MS = 10 * MINUTE_MS;
const CA_MS = 60 * MINUTE_MS;
// A leaf is renewed with a third of its life left: whoever is cut off for less than that never serves one from memory.
const LONGEST_CUT_MS = LEAF_MS / 3 - 5_000;

type Command =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'rotate' | 'break' | 'empty' }
  | { readonly kind: 'restart'; readonly replica: number }
  /** It loses the API server for a while, in which a rotation may be asked for. */
  | { readonly kind: 'cut'; readonly replica: number; readonly ms: number; readonly rotates: boolean }
  /** Nobody may write the configuration for a while. */
  | { readonly kind: 'forbid'; readonly ms: number; readonly rotates: boolean };

const replica = fc.nat({ max: 2 });
const kind = <Kind extends string>(...kinds: Kind[]): fc.Arbitrary<Kind> => fc.constantFrom(...kinds);
const upTo = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1_000, max });
const commands = fc.array(
  fc.oneof<fc.Arbitrary<Command>[]>(
    fc.record({ kind: kind('wait'), ms: upTo(10 * MINUTE_MS) }),
    fc.record({ kind: kind('rotate', 'break', 'empty') }),
    fc.record({ kind: kind('restart'), replica }),
    fc.record({ kind: kind('cut'), replica, ms: fc.constant(LONGEST_CUT_MS), rotates: fc.boolean() }),
    fc.record({ kind: kind('forbid'), ms: upTo(5 * MINUTE_MS), rotates: fc.boolean() }),
  ),
  { minLength: 1, maxLength: 10 },
);

interface World {
  readonly cluster: FakeCluster;
  readonly replicas: Replica[];
  /** Who cannot reach the API server. */
  readonly cut: Set<string>;
  forbidden: boolean;
  /** The configuration as somebody broke it, until it is repaired. */
  broken: JsonObject | undefined;
  problem: string | undefined;
}

function createWorld(scheduler: fc.Scheduler): World {
  const cluster = createFakeCluster();
  const world: World = {
    cluster,
    replicas: [],
    cut: new Set(),
    forbidden: false,
    broken: undefined,
    problem: undefined,
  };
  let generation = 0;
  cluster.before = async (call, name) => {
    await scheduler.schedule(Promise.resolve(), `${name} ${call}`);
    if (world.cut.has(name)) throw new Error('no route');
    if (world.forbidden && call === 'patch-configuration') throw new Error('forbidden');
  };
  cluster.after = async (call, name) => scheduler.schedule(Promise.resolve(), `${name} ${call} answered`);
  cluster.changed = () => {
    const now = Number(generationOf(cluster) ?? 0);
    if (now < generation) world.problem ??= `the live generation went from ${generation} back to ${now}`;
    generation = now;
    check(world);
  };
  for (const name of ['a', 'b', 'c']) world.replicas.push(createIn(world, name));
  return world;
}

function createIn({ cluster }: World, name: string): Replica {
  return createReplica(cluster, { name, caLifetimeMs: CA_MS, leafLifetimeMs: LEAF_MS });
}

function check(world: World): void {
  const { cluster, replicas, broken } = world;
  if (cluster.configuration === broken) return;
  for (const each of replicas) {
    // One that is not ready gets no calls.
    if (each.bundle.problem() !== '' || isAccepted(cluster, each)) continue;
    const state = JSON.stringify({ ...stateOf(cluster), current: 0, next: 0 });
    world.problem ??= `${each.name} serves what ${trusted(cluster).length} CAs do not vouch for, at ${cluster.nowMs}: ${state}`;
  }
}

/** Everybody looks at once, in an order that the scheduler says, and again where the others' changes wake them. */
async function everybodyLooks(world: World, scheduler: fc.Scheduler): Promise<void> {
  const { cluster, replicas } = world;
  const before = cluster.version;
  await scheduler.waitFor(Promise.all(replicas.map((each) => each.settle())));
  if (cluster.version !== before) await scheduler.waitFor(Promise.all(replicas.map((each) => each.settle())));
  check(world);
}

/** No look is later than a minute after the one before. */
async function pass(world: World, ms: number, scheduler: fc.Scheduler): Promise<void> {
  for (let left = ms; left > 0; left -= MINUTE_MS) {
    world.cluster.nowMs += Math.min(left, MINUTE_MS);
    check(world);
    await everybodyLooks(world, scheduler);
  }
}

async function carryOut(command: Command, world: World, scheduler: fc.Scheduler): Promise<void> {
  const { cluster, replicas, cut } = world;
  switch (command.kind) {
    case 'wait':
      return pass(world, command.ms, scheduler);
    case 'rotate':
      askForRotation(cluster, String(cluster.version));
      break;
    case 'break':
      breakBundle(cluster, undefined);
      world.broken = cluster.configuration;
      break;
    case 'empty':
      editSecret(cluster, (secret) => ({ ...secret, data: {} }));
      break;
    case 'restart':
      replicas[command.replica] = createIn(world, `${'abc'.charAt(command.replica)}${cluster.version}`);
      break;
    case 'cut':
      cut.add(replicas[command.replica]?.name ?? '');
      if (command.rotates) askForRotation(cluster, String(cluster.version));
      await pass(world, command.ms, scheduler);
      cut.clear();
      break;
    case 'forbid':
      world.forbidden = true;
      if (command.rotates) askForRotation(cluster, String(cluster.version));
      await pass(world, command.ms, scheduler);
      world.forbidden = false;
  }
  await everybodyLooks(world, scheduler);
}

test('every leaf that a ready replica serves verifies against the live configuration at every moment', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), commands, async (scheduler, story) => {
      const world = createWorld(scheduler);
      await everybodyLooks(world, scheduler);
      for (const each of story) {
        await carryOut(each, world, scheduler);
        if (world.problem !== undefined) throw new Error(world.problem);
      }
      // Left alone, what was asked for is done, after whatever was under way.
      await pass(world, 2 * (LEAF_MS + 4 * MINUTE_MS), scheduler);
      if (world.problem !== undefined) throw new Error(world.problem);
      expect(stateOf(world.cluster)?.rotateCa).toBe(rotationAskedFor(world.cluster));
    }),
    { numRuns: 15, interruptAfterTimeLimit: 10_000 },
  );
}, 60_000);
