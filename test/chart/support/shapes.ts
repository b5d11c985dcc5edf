// The main shapes of an installation: each file of ../shapes/ is what a user would put into values, ../golden/ has what
// the chart makes of it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { isObject } from '../../../src/admission/json.ts';
import type { JsonObject } from '../../../src/admission/json.ts';

export interface Shape {
  readonly name: string;
  /** One sentence: whom it is for. */
  readonly about: string;
  readonly values: JsonObject;
}

const SHAPES = join(import.meta.dirname, '..', 'shapes');
const GOLDEN = join(import.meta.dirname, '..', 'golden');

export const shapes: readonly Shape[] = namesIn(SHAPES).map((name) => {
  const file = `${name}.yaml`;
  const text = readFileSync(join(SHAPES, file), 'utf8');
  const values: unknown = parse(text);
  const about = /^# (.*)\n/.exec(text)?.[1];
  if (about === undefined || !isObject(values)) throw new Error(`${file}: want a sentence, and values below it.`);
  return { name, about, values };
});

/** What is wanted, after it was rewritten where UPDATE_CASES is set. */
export function goldenOf(name: string, got: string): string {
  const path = join(GOLDEN, `${name}.yaml`);
  if (process.env['UPDATE_CASES'] !== undefined) writeFileSync(path, got);
  return readFileSync(path, 'utf8');
}

export function goldenNames(): readonly string[] {
  return namesIn(GOLDEN);
}

function namesIn(directory: string): readonly string[] {
  return readdirSync(directory)
    .map((file) => file.replace('.yaml', ''))
    .toSorted();
}
