// The image without a container engine: the Dockerfile's own COPY lines make a root directory, and its entrypoint runs
// there in a mount namespace, chrooted, read-only, as the image's user. What the base image brings (Node and the shared
// libraries that it needs, at their paths) comes from this machine.
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { argumentsOf, copiesOf, environmentOf, parseDockerfile, textOf } from './dockerfile.ts';
import type { Copy, Stage } from './dockerfile.ts';

const repository = resolve(import.meta.dirname, '../..');

/** The build arguments. */
export interface Build {
  readonly version: string;
  readonly commit: string;
}

export interface Image {
  /** Where its files are on this machine. */
  readonly root: string;
  /** The directory that it was bundled in. */
  readonly buildDirectory: string;
  /** Starts a command as a container would: no environment but the image's, nothing on stdin. */
  start(command: readonly string[]): ChildProcess;
  /** What `start` gives when nobody says a command. */
  readonly entrypoint: readonly string[];
  close(): void;
}

/** Why this machine cannot run the image; undefined where it can. */
export function missingForImage(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root, for a mount namespace and another user';
  try {
    execFileSync('unshare', ['--mount', '/usr/sbin/chroot', '--userspec=65532:65532', '/', 'true'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return 'needs unshare and chroot, and the right to make a mount namespace';
  }
}

/** Builds the image's files in a temporary directory. */
export function createImage(build: Build): Image {
  const directory = mkdtempSync(join(tmpdir(), 'image-'));
  const close = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    return { ...assembled(build, directory), close };
  } catch (error) {
    close();
    throw error;
  }
}

function assembled({ version, commit }: Build, directory: string): Omit<Image, 'close'> {
  const [build, runtime] = parseDockerfile(readFileSync(join(repository, 'Dockerfile'), 'utf8'));
  if (build === undefined || runtime === undefined) throw new Error('Dockerfile: two stages are expected');
  const buildRoot = join(directory, 'build-root');
  const root = join(directory, 'root');
  runBuildStage(build, { root: buildRoot, environment: { VERSION: version, COMMIT: commit } });
  for (const copy of copiesOf(runtime)) {
    copyInto(root, { ...copy, from: copy.stage === build.name ? buildRoot : repository, workdir: '/' });
  }
  bringBase(root);
  execFileSync('chmod', ['-R', 'a+rX,go-w', directory]);
  const user = textOf(runtime, 'USER');
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...environmentOf(runtime) };
  // Each step replaces the process before it, so that a signal to the child reaches the program.
  const words = ['--mount', 'sh', '-euc', enterScript, 'sh', root, user];
  return {
    root,
    buildDirectory: join(buildRoot, textOf(build, 'WORKDIR')),
    entrypoint: [...argumentsOf(runtime, 'ENTRYPOINT'), ...argumentsOf(runtime, 'CMD')],
    start: (command) => spawn('unshare', [...words, ...command], { env, stdio: ['ignore', 'pipe', 'pipe'] }),
  };
}

const enterScript = `
root=$1 user=$2; shift 2
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs /usr/sbin/chroot --userspec="$user" --groups= "$root" "$@"`;

function runBuildStage(
  stage: Stage,
  { root, environment }: { readonly root: string; readonly environment: Readonly<Record<string, string>> },
): void {
  const workdir = textOf(stage, 'WORKDIR');
  const admitted = readFileSync(join(repository, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  for (const copy of copiesOf(stage)) {
    const hidden = copy.sources.filter(
      (source) => !admitted.some((path) => source === path || source.startsWith(`${path}/`)),
    );
    if (hidden.length > 0) throw new Error(`.dockerignore hides ${hidden.join(', ')} from the build`);
    copyInto(root, { ...copy, from: repository, workdir });
  }
  const cwd = join(root, workdir);
  for (const { keyword, text } of stage.instructions) {
    // `npm ci` ran before these tests could.
    if (keyword === 'RUN' && text === 'npm ci')
      symlinkSync(join(repository, 'node_modules'), join(cwd, 'node_modules'));
    else if (keyword === 'RUN') {
      execFileSync('sh', ['-euc', text], { cwd, env: { ...process.env, ...environment }, stdio: 'pipe' });
    }
  }
}

function copyInto(root: string, copy: Copy & { readonly from: string; readonly workdir: string }): void {
  const target = join(root, resolve(copy.workdir, copy.target));
  for (const name of copy.sources) {
    const source = join(copy.from, name);
    // COPY of a directory copies what is in it; of a file, to that name unless the target is a directory.
    const intoDirectory = !statSync(source).isDirectory() && (copy.sources.length > 1 || copy.target.endsWith('/'));
    const path = intoDirectory ? join(target, basename(source)) : target;
    mkdirSync(dirname(path), { recursive: true });
    cpSync(source, path, { recursive: true });
  }
}

/** Node where the base image has it, its loader and shared libraries, and the mount points that a container has. */
export function bringBase(root: string): void {
  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' });
  const paths = [...libraries.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
  for (const [source, target] of [[process.execPath, '/nodejs/bin/node'], ...paths.map((path) => [path, path])]) {
    if (source === undefined || target === undefined) continue;
    mkdirSync(dirname(join(root, target)), { recursive: true });
    copyFileSync(source, join(root, target));
  }
  for (const path of ['dev', 'proc']) mkdirSync(join(root, path));
}
