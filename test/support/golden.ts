// Golden files of commands: arguments, files in, and the whole of what comes out. UPDATE_CASES=1 writes what came out.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Golden {
  readonly name: string;
  /** One sentence: what the file is there for. */
  readonly about: string;
  readonly args: readonly string[];
  /** In their order. */
  readonly files: Readonly<Record<string, string>>;
  readonly want: Outcome;
}

export interface Outcome {
  readonly out: string;
  readonly err: string;
  readonly exit: number;
}

const SECTION = /^===== (.*) =====\n/m;

export function readGoldens(directory: string): Golden[] {
  return readdirSync(directory)
    .toSorted()
    .map((file) => {
      const [about = '', ...parts] = readFileSync(join(directory, file), 'utf8').split(SECTION);
      const sections = new Map(parts.flatMap((title, at) => (at % 2 === 0 ? [[title, parts[at + 1] ?? '']] : [])));
      const files = [...sections].filter(([title]) => title.startsWith('in '));
      return {
        name: file,
        about: about.trim(),
        args: (sections.get('args') ?? '').split('\n').filter((line) => line !== ''),
        files: Object.fromEntries(files.map(([title, text]) => [title.slice('in '.length), text])),
        want: {
          out: sections.get('out') ?? '',
          err: sections.get('err') ?? '',
          exit: Number(sections.get('exit') ?? 'NaN'),
        },
      };
    });
}

/** What is wanted, after it was rewritten where UPDATE_CASES is set. */
export function wantedOf(directory: string, golden: Golden, got: Outcome): Outcome {
  if (process.env['UPDATE_CASES'] === undefined) return golden.want;
  const inputs = Object.entries(golden.files).map(([name, text]): [string, string] => [`in ${name}`, text]);
  const sections: [string, string][] = [
    ['args', golden.args.map((line) => `${line}\n`).join('')],
    ...inputs,
    ['out', got.out],
    ['err', got.err],
    ['exit', `${got.exit}\n`],
  ];
  const text = sections.map(([title, content]) => `===== ${title} =====\n${content}`).join('');
  writeFileSync(join(directory, golden.name), `${golden.about}\n${text}`);
  return got;
}
