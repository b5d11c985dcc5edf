// Values as Go's standard library reads them, because annotations, flags and URLs of this program are written for
// programs in Go: strconv.ParseInt and ParseBool, time.ParseDuration, encoding/csv.

const INT64_MAX = 2n ** 63n - 1n;

/** `strconv.ParseInt(text, 10, 64)`: an optional sign and digits; undefined for anything else and beyond 64 bits. */
export function parseGoInt(text: string): bigint | undefined {
  // 64 bits are 19 digits; the bound keeps BigInt from reading a megabyte of digits, leading zeros included.
  if (text.length > 64 || !/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text.replace('+', ''));
  return value > INT64_MAX || value < -INT64_MAX - 1n ? undefined : value;
}

/** `strconv.ParseBool`. */
export function parseGoBool(text: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  return undefined;
}

const MILLISECONDS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** `time.ParseDuration` in milliseconds: `100ms`, `1m30s`, `-1.5h`, and a bare `0`. */
export function parseGoDuration(text: string): number | undefined {
  const unsigned = text.replace(/^[+-]/, '');
  if (unsigned === '0') return 0;
  if (!/^(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(unsigned)) return undefined;
  let total = 0;
  for (const [, amount, unit] of unsigned.matchAll(/([0-9.]+)([a-zµμ]+)/g)) {
    total += Number(amount) * Number(MILLISECONDS[String(unit)]);
  }
  // Go counts nanoseconds in 64 bits: about 292 years.
  if (total > 9.223372036854775e12) return undefined;
  return text.startsWith('-') ? -total : total;
}

/** The first record that encoding/csv's Reader returns with its default settings; undefined where it reports an error. */
export function parseGoCsvRecord(text: string): readonly string[] | undefined {
  const lines = text.replaceAll('\r\n', '\n').replace(/\r$/, '');
  const record = lines.replace(/^\n+/, '');
  if (record === '') return undefined;
  const fields: string[] = [];
  let position = 0;
  do {
    const field = record[position] === '"' ? quotedField(record, position) : plainField(record, position);
    if (field === undefined) return undefined;
    fields.push(field.value);
    position = field.end + 1;
  } while (record[position - 1] === ',');
  return fields;
}

interface Field {
  readonly value: string;
  /** Index of the comma or line end behind the field. */
  readonly end: number;
}

function plainField(record: string, start: number): Field | undefined {
  const end = start + record.slice(start).search(/[,\n]|$/);
  const value = record.slice(start, end);
  return value.includes('"') ? undefined : { value, end };
}

function quotedField(record: string, start: number): Field | undefined {
  const pattern = /"([^"]*(?:""[^"]*)*)"(?=[,\n]|$)/y;
  pattern.lastIndex = start;
  const match = pattern.exec(record);
  if (match === null) return undefined;
  return { value: String(match[1]).replaceAll('""', '"'), end: pattern.lastIndex };
}
