// Makes the program one file, dist/bundle/main.js; beside it the licences of all that is inside, and a package.json that
// tells Node that it is a module. The same source and lockfile give the same bytes, on any machine and in any directory.
//
//   npm run bundle -- [--outdir=DIR] [--version=1.2.3] [--commit=HASH]
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
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

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outfile: join(outdir, 'main.js'),
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
  plugins: [withoutSideEffects('@kubernetes/client-node')],
  metafile: true,
  logLevel: 'warning',
}).catch(() => process.exit(1)); // esbuild has said why

writeFileSync(join(outdir, 'LICENSES.txt'), licencesOf(Object.keys(metafile.inputs)));
writeFileSync(join(outdir, 'package.json'), `${JSON.stringify({ name, version: bakedVersion, type })}\n`);
const [[outfile, output]] = Object.entries(metafile.outputs);
console.log(`${outfile}: ${(output.bytes / 1e6).toFixed(1)} MB`);

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
