import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { watchEventFrom } from '../../src/kube/events.ts';
import { createFrameSplitter } from '../../src/kube/split.ts';
import { watchLineFrom } from '../../src/kube/watch-frames.ts';

// What kube-apiserver 1.35 sent for a watch of ServiceAccounts as PartialObjectMetadata, byte by byte.
const ADDED = Buffer.from(
  '000001540a05414444454412ca020ac7026b3873000a270a0e6d6574612e6b38732e696f2f763112155061727469616c4f626a6563744d65' +
    '7461646174611293020a90020a056170702d3112001a067465616d2d3122002a2461303030666533372d393134362d343435352d61316466' +
    '2d3130313638646635343462663203343031380042080885cf8cd806100062470a1a656b732e616d617a6f6e6177732e636f6d2f726f6c65' +
    '2d61726e122961726e3a6177733a69616d3a3a3131313132323232333333333a726f6c652f73686f702f6170702d318a017a0a07756e6b6e' +
    '6f776e12065570646174651a02763122080885cf8cd806100032084669656c647356313a4d0a4b7b22663a6d65746164617461223a7b2266' +
    '3a616e6e6f746174696f6e73223a7b222e223a7b7d2c22663a656b732e616d617a6f6e6177732e636f6d2f726f6c652d61726e223a7b7d7d' +
    '7d7d42001a002200',
  'hex',
);
const BOOKMARK = Buffer.from(
  '0000007c0a08424f4f4b4d41524b12700a6e6b3873000a270a0e6d6574612e6b38732e696f2f763112155061727469616c4f626a6563744d' +
    '65746164617461123b0a390a0012001a0022002a0032063130303434353800420062210a196b38732e696f2f696e697469616c2d6576656e' +
    '74732d656e641204747275651a002200',
  'hex',
);
const ERROR = Buffer.from(
  '000000650a054552524f52125c0a5a6b3873000a0c0a027631120653746174757312420a060a0012001a0012074661696c7572651a23746f' +
    '6f206f6c64207265736f757263652076657273696f6e3a20312028373438323229220745787069726564309a031a002200',
  'hex',
);

const role = 'arn:aws:iam::111122223333:role/shop/app-1';
const added = {
  type: 'ADDED',
  object: {
    metadata: {
      name: 'app-1',
      namespace: 'team-1',
      resourceVersion: '401',
      annotations: { 'eks.amazonaws.com/role-arn': role },
    },
  },
};
const bookmark = {
  type: 'BOOKMARK',
  object: {
    metadata: {
      name: undefined,
      namespace: undefined,
      resourceVersion: '100445',
      annotations: { 'k8s.io/initial-events-end': 'true' },
    },
  },
};
const error = {
  type: 'ERROR',
  object: { kind: 'Status', code: 410, message: 'too old resource version: 1 (74822)', reason: 'Expired' },
};

function documentsOf(...chunks: readonly Buffer[]): readonly unknown[] {
  const splitter = createFrameSplitter();
  return [...chunks.flatMap((chunk) => [...splitter.documentsIn(chunk)]), splitter.isEmpty() ? 'whole' : 'cut off'];
}

function outcomeOf(read: () => unknown): unknown {
  try {
    read();
  } catch (thrown) {
    return thrown;
  }
  return 'read';
}

/** A field of bytes. */
function field(number: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from([number * 8 + 2]), lengthOf(bytes), bytes]);
}

function lengthOf(bytes: Buffer): Buffer {
  return Buffer.from(
    bytes.length < 128 ? [bytes.length] : [(bytes.length % 128) + 128, Math.floor(bytes.length / 128)],
  );
}

function eventWith(metadata: Buffer): Buffer {
  return Buffer.concat([field(1, 'ADDED'), field(2, field(1, 'k8s\0', field(2, field(1, metadata))))]);
}

describe('frames of a watch', () => {
  it('say what the same watch says in JSON', () => {
    expect(documentsOf(Buffer.concat([ADDED, BOOKMARK, ERROR]))).toEqual([added, bookmark, error, 'whole']);
  });

  it('are events of every kind', () => {
    expect(watchEventFrom(watchLineFrom(ADDED.subarray(4)))).toEqual(added);
    expect(watchEventFrom(watchLineFrom(BOOKMARK.subarray(4)))).toEqual({
      type: 'BOOKMARK',
      resourceVersion: '100445',
      endsInitialEvents: true,
    });
    expect(outcomeOf(() => watchEventFrom(watchLineFrom(ERROR.subarray(4))))).toMatchObject({
      code: 'error-event',
      status: 410,
    });
  });

  it('are put together from chunks that end anywhere', () => {
    const bytes = Buffer.concat([ADDED, BOOKMARK, ADDED, ERROR]);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        const ends = [...cuts, bytes.length].toSorted((a, b) => a - b);
        const chunks = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
        expect(documentsOf(...chunks)).toEqual([added, bookmark, added, error, 'whole']);
      }),
    );
    expect(documentsOf(ADDED.subarray(0, 200))).toEqual(['cut off']);
  });

  it('keep keys of annotations that mean something to JavaScript', () => {
    const entries = ['__proto__', 'constructor'].map((key) => field(12, field(1, key), field(2, 'value')));
    const line = watchLineFrom(eventWith(Buffer.concat([field(1, 'app'), field(6, '7'), ...entries])));
    expect(JSON.stringify(line)).toBe(
      '{"type":"ADDED","object":{"metadata":{"name":"app","resourceVersion":"7",' +
        '"annotations":{"__proto__":"value","constructor":"value"}}}}',
    );
  });

  it('may have fields of any kind that nobody reads', () => {
    const fixed64 = Buffer.from([9, 1, 2, 3, 4, 5, 6, 7, 8]);
    const fixed32 = Buffer.from([13, 1, 2, 3, 4]);
    const longNumber = Buffer.from([56, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
    const metadata = Buffer.concat([fixed64, field(1, 'app'), fixed32, longNumber, field(6, '7')]);
    expect(watchLineFrom(eventWith(metadata))).toEqual({
      type: 'ADDED',
      object: { metadata: { name: 'app', namespace: undefined, resourceVersion: '7', annotations: {} } },
    });
  });

  it.each([
    ['a field that is longer than its message', Buffer.from([10, 200, 1, 65])],
    ['a number that does not end', Buffer.from([8, 0x80])],
    ['a field of wire type 3', Buffer.from([11])],
    ['an object without the mark of one', Buffer.concat([field(1, 'ADDED'), field(2, field(1, '{"metadata":{}}'))])],
  ])('are refused with %s', (what, frame) => {
    expect(outcomeOf(() => watchLineFrom(frame))).toMatchObject({
      code: 'garbage',
      message: `the API server sent ${what}`,
    });
  });

  it('are refused by length before they are waited for', () => {
    const splitter = createFrameSplitter();
    expect(outcomeOf(() => [...splitter.documentsIn(Buffer.from([0x7f, 0, 0, 0]))])).toMatchObject({ code: 'garbage' });
  });

  it('never end the process, whatever their bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(ADDED.length - 5), (noise, at) => {
        const frame = Buffer.concat([
          ADDED.subarray(4, 4 + at),
          Buffer.from(noise),
          ADDED.subarray(4 + at + noise.length),
        ]);
        const outcome = outcomeOf(() => watchLineFrom(frame));
        expect(outcome === 'read' || outcomeCode(outcome) === 'garbage').toBe(true);
      }),
    );
  });
});

function outcomeCode(outcome: unknown): unknown {
  return typeof outcome === 'object' && outcome !== null && 'code' in outcome ? outcome.code : undefined;
}
