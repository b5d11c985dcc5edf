// What a command wrote, and files for it to read that are strings.
import type { CommandIo } from '../../src/commands/io.ts';

export interface TestIo extends CommandIo {
  /** All of stdout and stderr so far. */
  written(): { readonly out: string; readonly err: string };
}

/** `files` by name, `-` is standard input; a name ending in a slash is a directory. */
export function createTestIo(files: Readonly<Record<string, string>>, colour = false): TestIo {
  let out = '';
  let err = '';
  const read = async (name: string): Promise<string> => {
    const text = files[name];
    if (text !== undefined) return text;
    const isDirectory = Object.keys(files).some((file) => file.startsWith(`${name}/`));
    throw Object.assign(new Error(`cannot read ${name}`), { code: isDirectory ? 'EISDIR' : 'ENOENT' });
  };
  return {
    readFile: read,
    readStdin: () => read('-'),
    listManifests: async (directory) => Object.keys(files).filter((name) => name.startsWith(`${directory}/`)),
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
    colour,
    written: () => ({ out, err }),
  };
}
