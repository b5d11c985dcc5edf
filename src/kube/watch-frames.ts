// A watch in Kubernetes' binary form, made into what the same watch in JSON says: for metadata only, of which names,
// annotations and resourceVersion are read. An API server needs half the time for it, and what nobody reads (two thirds
// of an object are who has changed which field) is stepped over instead of parsed.
//
// The messages and the numbers of their fields: k8s.io/apimachinery, pkg/apis/meta/v1/generated.proto and
// pkg/runtime/generated.proto; the frames: pkg/util/framer. PURE.
import type { JsonObject } from '../admission/json.ts';
import { KubeError } from './error.ts';
import type { Span } from './protobuf.ts';
import { visitFields } from './protobuf.ts';

export const BINARY = 'application/vnd.kubernetes.protobuf';

const WATCH_EVENT = { type: 1, object: 2 };
const RAW_EXTENSION = { raw: 1 };
const UNKNOWN = { typeMeta: 1, raw: 2 };
const TYPE_META = { kind: 2 };
const PARTIAL_OBJECT_METADATA = { metadata: 1 };
const OBJECT_META = { name: 1, namespace: 3, resourceVersion: 6, annotations: 12 };
const MAP_ENTRY = { key: 1, value: 2 };
const STATUS = { message: 3, reason: 4, code: 6 };

/** Every object begins with "k8s" and a zero. */
const MAGIC = 0x6b387300;
const MAGIC_BYTES = 4;

/** `{type, object}` as a line of JSON has it; throws KubeError `garbage`. */
export function watchLineFrom(frame: Buffer): JsonObject {
  let type = '';
  let object: JsonObject | undefined;
  visitFields(frame, whole(frame), {
    bytes(field, span) {
      if (field === WATCH_EVENT.type) type = text(frame, span);
      else if (field === WATCH_EVENT.object) object = extensionFrom(frame, span);
    },
  });
  return object === undefined ? { type } : { type, object };
}

function extensionFrom(frame: Buffer, extension: Span): JsonObject | undefined {
  let object: JsonObject | undefined;
  visitFields(frame, extension, {
    bytes(field, span) {
      if (field === RAW_EXTENSION.raw) object = objectFrom(frame, span);
    },
  });
  return object;
}

function objectFrom(frame: Buffer, { from, to }: Span): JsonObject {
  const begins = from + MAGIC_BYTES;
  if (begins > to || frame.readUInt32BE(from) !== MAGIC) {
    throw new KubeError('the API server sent an object without the mark of one', { code: 'garbage' });
  }
  let kind = '';
  let raw: Span = { from: to, to };
  visitFields(
    frame,
    { from: begins, to },
    {
      bytes(field, span) {
        if (field === UNKNOWN.typeMeta) kind = textOfField(frame, span, TYPE_META.kind);
        else if (field === UNKNOWN.raw) raw = span;
      },
    },
  );
  return kind === 'Status' ? statusFrom(frame, raw) : partialObjectFrom(frame, raw);
}

function partialObjectFrom(frame: Buffer, object: Span): JsonObject {
  let metadata: JsonObject = {};
  visitFields(frame, object, {
    bytes(field, span) {
      if (field === PARTIAL_OBJECT_METADATA.metadata) metadata = metadataFrom(frame, span);
    },
  });
  return { metadata };
}

function metadataFrom(frame: Buffer, metadata: Span): JsonObject {
  const annotations: [string, string][] = [];
  let name: string | undefined;
  let namespace: string | undefined;
  let resourceVersion: string | undefined;
  visitFields(frame, metadata, {
    bytes(field, span) {
      if (field === OBJECT_META.name) name = presentText(frame, span);
      else if (field === OBJECT_META.namespace) namespace = presentText(frame, span);
      else if (field === OBJECT_META.resourceVersion) resourceVersion = presentText(frame, span);
      else if (field === OBJECT_META.annotations) annotations.push(entryFrom(frame, span));
    },
  });
  // Not an assignment: `__proto__` is a legal key.
  return { name, namespace, resourceVersion, annotations: Object.fromEntries(annotations) };
}

/** An empty text is written where JSON has no field. */
function presentText(frame: Buffer, span: Span): string | undefined {
  return span.to > span.from ? text(frame, span) : undefined;
}

function entryFrom(frame: Buffer, entry: Span): [string, string] {
  return [textOfField(frame, entry, MAP_ENTRY.key), textOfField(frame, entry, MAP_ENTRY.value)];
}

function statusFrom(frame: Buffer, status: Span): JsonObject {
  let code = 0;
  visitFields(frame, status, {
    varint(field, value) {
      if (field === STATUS.code) code = value;
    },
  });
  const message = textOfField(frame, status, STATUS.message);
  return { kind: 'Status', code, message, reason: textOfField(frame, status, STATUS.reason) };
}

function textOfField(frame: Buffer, message: Span, wanted: number): string {
  let found = '';
  visitFields(frame, message, {
    bytes(field, span) {
      if (field === wanted) found = text(frame, span);
    },
  });
  return found;
}

function text(frame: Buffer, { from, to }: Span): string {
  return frame.toString('utf8', from, to);
}

function whole(frame: Buffer): Span {
  return { from: 0, to: frame.length };
}
