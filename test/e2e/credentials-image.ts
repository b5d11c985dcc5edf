// The image of a user's program that asks AWS who it is: Node, and the official SDK with the few lines that use it in one file.
// Nothing of the webhook is in it.
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bringBase } from '../image/image.ts';
import { sdkScript } from '../support/sts-clients.ts';
import { nodeInImage } from './image.ts';
import { writeArchive } from './node/oci.ts';
import { loadImage } from './support/local-node.ts';

/** Builds the image and brings it into the node; the name by which pods ask for it. */
export async function bringClientImage(images: string): Promise<string> {
  const tag = 'localhost:5000/sts-client:e2e';
  const archive = join(images, 'sts-client.tar');
  const root = mkdtempSync(join(tmpdir(), 'sts-client-'));
  try {
    mkdirSync(join(root, 'app'));
    await build({
      entryPoints: [sdkScript],
      outfile: join(root, 'app', 'client.mjs'),
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      // CommonJS packages call require() for Node's own modules; an ESM file has none until it makes one.
      banner: {
        js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
      },
      logLevel: 'warning',
    });
    bringBase(root);
    execFileSync('chmod', ['-R', 'a+rX,go-w', root]);
    await writeArchive({ tag, root, archive, config: { Entrypoint: [nodeInImage, '/app/client.mjs'] } });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  loadImage(archive);
  return tag;
}
