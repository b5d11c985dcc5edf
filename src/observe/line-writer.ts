// Lines to a file descriptor, asynchronously: a reader that pauses, leaves or has no room never blocks and never ends
// this process. By hand, because sonic-boom, which pino brings for this, registers an exit hook whose flushSync retries
// EPIPE and EIO for ever: a process whose log reader has left would not end.
import { write } from 'node:fs';
import type { LogDestination } from './log.ts';

// About 3,000 decision lines: a second or two of a busy server. Beyond it a reader that does not keep up costs lines
// instead of memory.
const DEFAULT_MAX_QUEUED_BYTES = 1_048_576;
const RETRY_MS = 100;
// Each write is a trip to another thread and back, about 40 µs of CPU: at 2,000 lines a second twenty lines share one.
const GATHER_MS = 10;
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
  readonly schedule?: (run: () => void, delayMs: number) => void;
}

export function createLineWriter(options: LineWriterOptions): Required<LogDestination> {
  const { fd, maxQueuedBytes = DEFAULT_MAX_QUEUED_BYTES, dropped = () => {} } = options;
  const { write: writeBytes = write, schedule = setTimeout } = options;
  let lines: string[] = [];
  let heldBytes = 0;
  let writing = false;
  let gathering = false;
  const idle: (() => void)[] = [];

  function writeLines(): void {
    if (lines.length === 0) {
      for (const tell of idle.splice(0)) tell();
      return;
    }
    writing = true;
    const bytes = Buffer.from(lines.join(''));
    const lineCount = lines.length;
    lines = [];
    writeFrom(bytes, 0, lineCount);
  }

  function writeFrom(bytes: Buffer, offset: number, lineCount: number): void {
    writeBytes(fd, bytes, offset, bytes.length - offset, null, (error, written) => {
      if (error?.code === 'EAGAIN') {
        schedule(() => writeFrom(bytes, offset, lineCount), RETRY_MS);
        return;
      }
      // EPIPE: the reader has left. EIO: the terminal is gone. ENOSPC: the disk is full. There may be a reader or room
      // again for the next line.
      if (error !== null) for (let line = 0; line < lineCount; line += 1) dropped();
      else if (offset + written < bytes.length) {
        writeFrom(bytes, offset + written, lineCount);
        return;
      }
      writing = false;
      heldBytes -= bytes.length;
      if (idle.length > 0) writeLines();
      else if (lines.length > 0) gather();
    });
  }

  function gather(): void {
    if (gathering) return;
    gathering = true;
    schedule(() => {
      gathering = false;
      if (!writing) writeLines();
    }, GATHER_MS);
  }

  return {
    write(line) {
      const size = Buffer.byteLength(line);
      if (heldBytes + size > maxQueuedBytes) {
        dropped();
        return;
      }
      lines.push(line);
      heldBytes += size;
      if (!writing) gather();
    },
    async flush() {
      if (!writing && lines.length === 0) return true;
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, FLUSH_MS, false);
        idle.push(() => {
          clearTimeout(timer);
          resolve(true);
        });
        if (!writing) writeLines();
      });
    },
  };
}
