// The wire format of Protocol Buffers, read without a schema: which field of a message lies where. What a reader does not
// know is stepped over by its length. PURE. (protobuf.dev/programming-guides/encoding)
import { KubeError } from './error.ts';

/** A part of a buffer: from the first byte to before the last. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Called with the number of each field: its bytes, or its number where it is a varint. */
export interface Visitor {
  bytes?(field: number, span: Span): void;
  varint?(field: number, value: number): void;
}

// Ten groups of seven bits hold 64.
const MAX_VARINT_BYTES = 10;

/** Visits the fields of the message in their order; throws KubeError `garbage` where it is none. */
export function visitFields(message: Buffer, { from, to }: Span, visitor: Visitor): void {
  let at = from;

  function varint(): number {
    let value = 0;
    for (let index = 0; index < MAX_VARINT_BYTES && at < to; index += 1) {
      const byte = message[at] ?? 0;
      at += 1;
      // Not a shift, which ends at 32 bits. Of a negative number the upper bits are not exact: nobody asks for one.
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw garbage('a number that does not end');
  }

  function take(length: number): Span {
    const span = { from: at, to: at + length };
    if (span.to > to) throw garbage('a field that is longer than its message');
    at = span.to;
    return span;
  }

  while (at < to) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const wireType = tag % 8;
    // Read before they are told of: an optional call that has nobody to call would not read them.
    if (wireType === 0) {
      const value = varint();
      visitor.varint?.(field, value);
    } else if (wireType === 1) take(8);
    else if (wireType === 2) {
      const span = take(varint());
      visitor.bytes?.(field, span);
    } else if (wireType === 5) take(4);
    else throw garbage(`a field of wire type ${wireType}`);
  }
}

function garbage(what: string): KubeError {
  return new KubeError(`the API server sent ${what}`, { code: 'garbage' });
}
