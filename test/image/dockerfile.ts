// Reads a Dockerfile as far as this project's goes: stages, and of their instructions the words.

export interface Instruction {
  readonly keyword: string;
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile, with build arguments of its head put into their FROM lines. */
export function parseDockerfile(text: string): readonly Stage[] {
  const lines = text.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/\s*\\\n\s*/g, ' ');
  const instructions = [...lines.matchAll(/^([A-Z]+)\s+(.*)$/gm)].map(([, keyword = '', rest = '']) => ({
    keyword,
    text: rest.trim(),
  }));
  const defaults = new Map<string, string>();
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const { keyword, text: rest } of instructions) {
    const current = stages.at(-1);
    if (keyword === 'FROM') {
      const [base = '', , name = ''] = rest.replace(/^--platform=\S+\s+/, '').split(/\s+/);
      stages.push({
        name,
        base: base.replaceAll(/\$\{(\w+)\}/g, (_, key: string) => defaults.get(key) ?? ''),
        instructions: [],
      });
    } else if (current === undefined) {
      const [key = '', value = ''] = rest.split('=');
      defaults.set(key, value);
    } else {
      current.instructions.push({ keyword, text: rest });
    }
  }
  return stages;
}

/** The one argument list of an instruction in its JSON form. */
export function argumentsOf({ instructions }: Stage, keyword: string): readonly string[] {
  const found = instructions.findLast((instruction) => instruction.keyword === keyword);
  if (found === undefined) return [];
  const list: unknown = JSON.parse(found.text);
  if (!Array.isArray(list))
    throw new Error(`${keyword} ${found.text}: write it as a JSON list, the image has no shell`);
  return list.map(String);
}

/** What ENV sets, a variable each. */
export function environmentOf({ instructions }: Stage): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const { text } of instructions.filter(({ keyword }) => keyword === 'ENV')) {
    const [name = '', value = ''] = text.split('=');
    environment[name] = value;
  }
  return environment;
}

export interface Copy {
  readonly stage: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
}

/** The COPY lines, in their order. */
export function copiesOf({ instructions }: Stage): readonly Copy[] {
  return instructions
    .filter(({ keyword }) => keyword === 'COPY')
    .map(({ text }) => {
      const words = text.split(/\s+/);
      const paths = words.filter((word) => !word.startsWith('--'));
      return {
        stage: words.find((word) => word.startsWith('--from='))?.slice('--from='.length),
        sources: paths.slice(0, -1),
        target: paths.at(-1) ?? '',
      };
    });
}

/** What follows the last instruction of that name; empty where there is none. */
export function textOf({ instructions }: Stage, keyword: string): string {
  return instructions.findLast((instruction) => instruction.keyword === keyword)?.text ?? '';
}
