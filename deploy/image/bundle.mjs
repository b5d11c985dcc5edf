// Makes the program dist/bundle/main.js and beside it, in chunks/, what it loads only where that is asked for; the
// licences of all that is inside, and a package.json that tells Node that it is a module. The same source and lockfile give the same bytes, on any machine and in any directory.
//
//   npm run bundle -- [--outdir=DIR] [--version=1.2.3] [--commit=HASH]
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const { values: options } = parseArgs({
  options: { outdir: { type: 'string' }, version: { type: 'string' }, commit: { type: 'string' } },
});
const outdir = resolve(options.outdir ?? join(root, 'dist/bundle'));
const { name, version, type } = packageAt(root);
const bakedVersion = options.version || version;

// Chunks have their content's hash in their name: those of an earlier build would stay.
rmSync(join(outdir, 'chunks'), { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outdir,
  // The commands, and what only some modes of the server need, are files of their own: in one file they would be a part
  // of the memory of every server, because a module that is loaded late keeps all that it may call from being dropped.
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // Identifiers stay, so that a stack trace can be read without a source map; a map would double the memory.
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: false,
  legalComments: 'none',
  // The names of CommonJS modules are their paths; a node_modules that is a link must not make other bytes.
  preserveSymlinks: true,
  // CommonJS packages call require() for Node's own modules; an ESM file has none until it makes one.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  define: {
    BAKED_VERSION: JSON.stringify(bakedVersion),
    BAKED_COMMIT: JSON.stringify(options.commit || checkedOutCommit()),
    'process.env.NODE_ENV': '"production"',
  },
  plugins: [withoutSideEffects('@kubernetes/client-node'), withoutUndici()],
  metafile: true,
  logLevel: 'warning',
}).catch(() => process.exit(1)); // esbuild has said why

writeFileSync(join(outdir, 'LICENSES.txt'), licencesOf(Object.keys(metafile.inputs)));
writeFileSync(join(outdir, 'package.json'), `${JSON.stringify({ name, version: bakedVersion, type })}\n`);
const outputs = Object.values(metafile.outputs);
const bytes = outputs.reduce((sum, output) => sum + output.bytes, 0);
console.log(`${join(outdir, 'main.js')} and ${outputs.length - 1} chunks: ${(bytes / 1e6).toFixed(1)} MB`);

// client-node's package.json does not say that its modules may be dropped when unused. Its generated API is two thirds
// of it, and costs 9 MiB of memory although nobody calls it.
function withoutSideEffects(name) {
  const directory = join(root, 'node_modules', name);
  const entry = join(directory, packageAt(directory).main);
  return {
    name: 'without-side-effects',
    setup({ onResolve }) {
      // ESM spells file names out, so a path needs no search.
      onResolve({ filter: /^\.{1,2}\/.*\.js$/ }, ({ path, importer, resolveDir }) =>
        importer.startsWith(`${directory}/`) ? { path: join(resolveDir, path), sideEffects: false } : undefined,
      );
      onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: entry, sideEffects: false }));
    },
  };
}

// client-node's configuration names undici for calls by fetch, which nobody makes: the API server is asked through
// node:https. It would be a third of what the server loads, and 6 MiB of its memory.
function withoutUndici() {
  const message = 'undici is not part of the bundle: the API server is asked through node:https';
  const absent = ['Agent', 'ProxyAgent', 'FormData', 'Headers', 'Request', 'Response', 'fetch'];
  const classes = absent.map((each) => `export class ${each} { constructor() { throw new Error('${message}'); } }`);
  return {
    name: 'without-undici',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'absent', sideEffects: false }));
      onLoad({ filter: /^undici$/, namespace: 'absent' }, () => ({ contents: classes.join('\n') }));
    },
  };
}

function checkedOutCommit() {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}

/** Name, version and licence text of each package whose code is in the bundle: most of their licences ask for that. */
function licencesOf(inputs) {
  const directories = inputs.map((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
  const texts = [...new Set(directories.filter((path) => path !== undefined))].map((path) => {
    const directory = resolve(root, path);
    const { name, version, license } = packageAt(directory);
    const file = readdirSync(directory).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    const text = file === undefined ? '' : `\n${readFileSync(join(directory, file), 'utf8').trim()}\n`;
    return `${name} ${version} (${license})\n${text}`;
  });
  return [...new Set(texts)].toSorted().join(`\n${'-'.repeat(80)}\n\n`);
}

function packageAt(directory) {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
}
