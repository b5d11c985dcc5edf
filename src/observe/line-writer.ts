// Lines to a file descriptor, asynchronously: a reader that pauses, leaves or has no room never blocks and never ends
// this process. By hand, because sonic-boom, which pino brings for this, registers an exit hook whose flushSync retries
// EPIPE and EIO for ever: a process whose log reader has left would not end.
import { write } from 'node:fs';
import type { LogDestination } from './log.ts';

// About 3,000 decision lines: a second or two of a busy server. Beyond it a reader that does not keep up costs lines
// instead of memory.
const DEFAULT_MAX_QUEUED_BYTES = 1_048_576;
const RETRY_MS = 100;
// What a stop may wait for a reader of the log; a healthy one needs milliseconds.
const FLUSH_MS = 1_000;

type WriteBytes = (
  fd: number,
  bytes: Buffer,
  offset: number,
  length: number,
  position: null,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void;

export interface LineWriterOptions {
  readonly fd: number;
  readonly maxQueuedBytes?: number;
  /** Called once per line that was thrown away. */
  readonly dropped?: () => void;
  readonly write?: WriteBytes;
}

export function createLineWriter(options: LineWriterOptions): Required<LogDestination> {
  const { fd, maxQueuedBytes = DEFAULT_MAX_QUEUED_BYTES, dropped = () => {}, write: writeBytes = write } = options;
  let lines: string[] = [];
  let queuedBytes = 0;
  let writing = false;
  let idle: (() => void)[] = [];

  function writeNext(): void {
    if (lines.length === 0) {
      writing = false;
      queuedBytes = 0;
      for (const tell of idle.splice(0)) tell();
      return;
    }
    writing = true;
    const batch = lines;
    const bytes = Buffer.from(batch.join(''));
    lines = [];
    queuedBytes = bytes.length;
    writeFrom(bytes, 0, batch.length);
  }

  function writeFrom(bytes: Buffer, offset: number, lineCount: number): void {
    writeBytes(fd, bytes, offset, bytes.length - offset, null, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(writeFrom, RETRY_MS, bytes, offset, lineCount).unref();
        return;
      }
      // EPIPE: the reader has left. EIO: the terminal is gone. ENOSPC: the disk is full. There may be a reader or room
      // again for the next line.
      if (error !== null) for (let line = 0; line < lineCount; line += 1) dropped();
      else if (offset + written < bytes.length) {
        writeFrom(bytes, offset + written, lineCount);
        return;
      }
      writeNext();
    });
  }

  return {
    write(line) {
      const size = Buffer.byteLength(line);
      if (queuedBytes + size > maxQueuedBytes) {
        dropped();
        return;
      }
      lines.push(line);
      queuedBytes += size;
      if (!writing) writeNext();
    },
    async flush() {
      if (!writing) return true;
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, FLUSH_MS, false);
        idle.push(() => {
          clearTimeout(timer);
          resolve(true);
        });
      });
    },
  };
}
