// Makes bad bodies of good ones: on the bytes, where JSON breaks, and on the parsed tree, where JSON stays whole and the
// shapes and words in it are wrong.
import { ownField } from '../../src/admission/json.ts';
import type { Random } from './random.ts';

type Step = (body: Buffer, other: Buffer, random: Random) => Buffer;

/** Words that this program, JavaScript, Go or JSON take for something special. */
const WORDS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'length',
  '',
  ' ',
  '0',
  '-',
  '~0~1/',
  '\u0000',
  '\ud800',
  '😀',
  'aws-iam-token',
  'token',
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_REGION',
  '/var/run/secrets/eks.amazonaws.com/serviceaccount',
  '/var/run/secrets/eks.amazonaws.com/serviceaccount/token',
  'eks.amazonaws.com/role-arn',
  'eks.amazonaws.com/token-expiration',
  'eks.amazonaws.com/skip-containers',
  'eks.amazonaws.com/skip-pod-identity-webhook',
  'eks.amazonaws.com/pod-identity-required',
  'kubernetes.io/config.mirror',
  'true',
  'windows',
  'a,"b\nc",d',
  '99999999999999999999',
  'x'.repeat(70_000),
] as const;

const VALUES = [
  null,
  true,
  0,
  -1,
  1e21,
  2 ** 53 + 2,
  [],
  {},
  [null],
  [[]],
  [{}],
  { name: null },
  { name: 'aws-iam-token' },
  { name: 'aws-iam-token', projected: { sources: [null, { serviceAccountToken: { path: 'token' } }] } },
  { name: 'AWS_ROLE_ARN', valueFrom: null },
] as const;

/** Pieces of JSON, whole or not, to put into the bytes. */
const PIECES = ['{', '}', '[', ']', ',', ':', '"', '\\', '\\u0000', '\\ud800', 'null', '1e999', '-0', '"__proto__":{"a":1},', '\ufeff', '\u0000'] as const; // prettier-ignore

const BYTE_STEPS: readonly [Step, ...Step[]] = [
  (body, _, random) => {
    const copy = Buffer.from(body);
    if (copy.length > 0) copy.writeUInt8(random.below(256), random.below(copy.length));
    return copy;
  },
  (body, _, random) => {
    const copy = Buffer.from(body);
    const at = random.below(copy.length);
    if (copy.length > 0) copy.writeUInt8(copy.readUInt8(at) ^ (1 << random.below(8)), at);
    return copy;
  },
  (body, _, random) => spliced(body, random.below(body.length + 1), 0, Buffer.from(random.pick(PIECES))),
  (body, _, random) => spliced(body, random.below(body.length), random.below(40), Buffer.alloc(0)),
  (body, _, random) => body.subarray(0, random.below(body.length + 1)),
  (body, other, random) => {
    const from = random.below(other.length);
    return spliced(body, random.below(body.length), random.below(200), other.subarray(from, from + random.below(200)));
  },
  (body, _, random) => spliced(body, 0, 0, Buffer.from('['.repeat(random.below(20_000)))),
];

/** A good body and what it says. */
export interface Seed {
  readonly body: Buffer;
  readonly tree: unknown;
}

/** One to four mutations, most of them on the tree, then the others on its bytes. `other` lends pieces. */
export function mutated(seed: Seed, other: Seed, random: Random): Buffer {
  const steps = Array.from({ length: 1 + random.below(4) }, () => random.below(8) > 0);
  const treeSteps = steps.filter(Boolean).length;
  const tree = copyOf(seed.tree);
  for (let step = 0; step < treeSteps; step += 1) changeTree(tree, other.tree, random);
  let body = treeSteps === 0 ? seed.body : Buffer.from(JSON.stringify(tree));
  for (let step = treeSteps; step < steps.length; step += 1) body = random.pick(BYTE_STEPS)(body, other.body, random);
  return body;
}

interface Place {
  readonly parent: object;
  readonly key: string;
}

/** A field or item somewhere in the tree; most are deep inside, and in the pod: a bad envelope is refused at the door. */
function placeIn(tree: unknown, random: Random): Place | undefined {
  const pod = ownField(ownField(tree, 'request'), 'object');
  let parent = isTree(pod) && random.below(8) > 0 ? pod : tree;
  for (;;) {
    if (!isTree(parent)) return undefined;
    const keys = Object.keys(parent);
    const key = keys[random.below(keys.length)];
    if (key === undefined) return undefined;
    const child: unknown = Reflect.get(parent, key);
    if (!isTree(child) || Object.keys(child).length === 0 || random.below(8) === 0) return { parent, key };
    parent = child;
  }
}

function changeTree(tree: unknown, other: unknown, random: Random): void {
  const place = placeIn(tree, random);
  if (place === undefined) return;
  const { parent, key } = place;
  const pieceOf = (donor: unknown): unknown => {
    const from = placeIn(donor, random);
    return from === undefined ? null : copyOf(valueAt(from));
  };
  const changes = [
    () => set(parent, key, random.pick(WORDS)),
    () => set(parent, key, copyOf(random.pick(VALUES))),
    () => set(parent, key, pieceOf(other)),
    () => set(parent, key, pieceOf(tree)),
    () => (Array.isArray(parent) ? parent.splice(Number(key), 1) : Reflect.deleteProperty(parent, key)),
    () => (Array.isArray(parent) ? parent.push(pieceOf(tree)) : set(parent, random.pick(WORDS), pieceOf(tree))),
    () =>
      set(
        parent,
        key,
        Array.from({ length: random.below(20) }, () => valueAt(place)),
      ),
    () => set(parent, key, nested(random.below(500))),
  ] as const;
  random.pick(changes)();
}

function valueAt({ parent, key }: Place): unknown {
  return Reflect.get(parent, key);
}

/** Defines an own field, also where its name is `__proto__`. */
function set(parent: object, key: string, value: unknown): void {
  Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}

function nested(depth: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Three times as fast as structuredClone, and all trees are JSON. */
function copyOf(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function isTree(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function spliced(body: Buffer, at: number, deleted: number, inserted: Buffer): Buffer {
  return Buffer.concat([body.subarray(0, at), inserted, body.subarray(at + deleted)]);
}
