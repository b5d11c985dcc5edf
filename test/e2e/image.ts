// Our image in the node: the files of the Dockerfile's last stage with Node where the base image has it, started as the
// Dockerfile says, from the node's own registry.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../src/version.ts';
import { environmentOf, parseDockerfile, textOf } from '../image/dockerfile.ts';
import { createImage } from '../image/image.ts';
import { writeArchive } from './node/oci.ts';
import { loadImage } from './support/local-node.ts';

/** Node in it, for pods that use the image to run a script. */
export const nodeInImage = '/nodejs/bin/node';

/** Builds the image and brings it into the node, or into another cluster by `load`; the name by which pods ask for it. */
export async function bringImage(
  images: string,
  load: (archive: string) => void | Promise<void> = loadImage,
): Promise<string> {
  const tag = 'localhost:5000/pod-identity-webhook:e2e';
  const archive = join(images, 'pod-identity-webhook.tar');
  const stage = parseDockerfile(readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8')).at(-1);
  if (stage === undefined) throw new Error('Dockerfile: no stage in it.');
  const image = createImage({ version, commit: 'e2e' });
  try {
    const config = {
      Entrypoint: image.entrypoint,
      Env: Object.entries(environmentOf(stage)).map(([name, value]) => `${name}=${value}`),
      User: textOf(stage, 'USER'),
      WorkingDir: textOf(stage, 'WORKDIR'),
    };
    await writeArchive({ tag, root: image.root, config, archive });
  } finally {
    image.close();
  }
  await load(archive);
  return tag;
}
