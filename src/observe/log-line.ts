// The last step of a log line: what makes one record for every reader of it, and the form for people.

// Container runtimes cut a line at 16 KiB, and half a JSON object is none (containerd's default max_container_log_line_size).
const MAX_BYTES = 16 * 1_024;
const MAX_CHARACTERS_WHEN_CUT = 128;

// JSON allows these unescaped in strings. Some readers end a line at U+0085, U+2028 and U+2029; terminals obey the C1
// controls; the marks of direction make a name look like another one.
const UNSAFE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The line as it is, or with all values cut short where a container runtime would cut it in the middle. */
export function boundedLine(line: string): string {
  const safe = escaped(line);
  // A UTF-16 code unit is at most three bytes of UTF-8, so short lines need no counting.
  if (safe.length * 3 <= MAX_BYTES || Buffer.byteLength(safe) <= MAX_BYTES) return safe;
  const cut = Object.entries(fieldsOf(line)).map(([key, value]) => [key, cutShort(value)]);
  return `${escaped(JSON.stringify({ ...Object.fromEntries(cut), cut: true }))}\n`;
}

/** `time LEVEL message key=value …` from a line of JSON. */
export function textLineFrom(line: string): string {
  const { time, level, msg, ...fields } = fieldsOf(boundedLine(line));
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${shown(value)}`);
  return `${String(time)} ${String(level).toUpperCase().padEnd(5)} ${shown(msg, / /)}${pairs.join('')}\n`;
}

function fieldsOf(line: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(line);
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

function cutShort(value: unknown): unknown {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= MAX_CHARACTERS_WHEN_CUT ? value : `${text.slice(0, MAX_CHARACTERS_WHEN_CUT - 1)}…`;
}

/** Bare where nobody can mistake it for something else, else as JSON. */
function shown(value: unknown, allowed = /$^/): string {
  if (typeof value !== 'string') return escaped(JSON.stringify(value));
  const bare = value.replace(new RegExp(allowed, 'g'), '');
  return /^[\w./:@*+,-]+$/.test(bare) ? value : escaped(JSON.stringify(value));
}

function escaped(json: string): string {
  return json.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
