// Cuts the body of a watch into its documents as it comes: lines of JSON, or frames of the binary form. PURE.
import { StringDecoder } from 'node:string_decoder';
import { KubeError } from './error.ts';
import { watchLineFrom } from './watch-frames.ts';

/** An object is at most about 3 MiB in etcd, and six times that where every character is escaped. */
const MAX_DOCUMENT = 32 * 1024 * 1024;

export interface Splitter {
  /** The documents that end in this chunk; throws KubeError `garbage`. */
  documentsIn(chunk: Buffer): Iterable<unknown>;
  /** Whether all that came was whole. */
  isEmpty(): boolean;
}

export function createLineSplitter(): Splitter {
  // A character may lie in two chunks.
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return {
    *documentsIn(bytes) {
      const chunk = decoder.write(bytes);
      let start = 0;
      for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
        // Joined only at its newline: a line of many chunks would otherwise be copied once for each of them.
        const line = rest + chunk.slice(start, end);
        rest = '';
        start = end + 1;
        yield parsed(line);
      }
      rest += chunk.slice(start);
      if (rest.length > MAX_DOCUMENT) throw garbage(`a line of more than ${MAX_DOCUMENT} characters`);
    },
    isEmpty: () => rest === '' && decoder.end() === '',
  };
}

/** A frame begins with its length: four bytes, the highest first. */
const LENGTH_BYTES = 4;

export function createFrameSplitter(): Splitter {
  // Joined only where a frame is complete, like the lines.
  let held: Buffer[] = [];
  let heldBytes = 0;
  let wanted = LENGTH_BYTES;

  function joined(): Buffer {
    const [only] = held;
    const bytes = held.length === 1 && only !== undefined ? only : Buffer.concat(held);
    held = [bytes];
    return bytes;
  }

  return {
    *documentsIn(chunk) {
      held.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes < wanted) return;
      const bytes = joined();
      let at = 0;
      while (bytes.length - at >= LENGTH_BYTES) {
        const length = bytes.readUInt32BE(at);
        if (length > MAX_DOCUMENT) throw garbage(`a frame of more than ${MAX_DOCUMENT} bytes`);
        wanted = LENGTH_BYTES + length;
        if (bytes.length - at < wanted) break;
        yield watchLineFrom(bytes.subarray(at + LENGTH_BYTES, at + wanted));
        at += wanted;
        wanted = LENGTH_BYTES;
      }
      held = at === bytes.length ? [] : [bytes.subarray(at)];
      heldBytes = bytes.length - at;
    },
    isEmpty: () => heldBytes === 0,
  };
}

/** The parsed text. What it holds stays out of the error: it may be a Secret. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw garbage(`${text.length} characters that are not JSON`);
  }
}

function garbage(what: string): KubeError {
  return new KubeError(`the API server sent ${what}`, { code: 'garbage' });
}
