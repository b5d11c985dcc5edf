// A directory as an OCI image archive, without a container engine: one layer, written by tar in a fixed order with fixed
// times and owners, so that the same files give the same digest.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface ArchiveOptions {
  /** With registry and tag: `localhost:5000/app:dev`. */
  readonly tag: string;
  /** The image's root directory. Modes are kept; everything belongs to root. */
  readonly root: string;
  /** `config` of the OCI image configuration: Entrypoint, Env, User, WorkingDir. */
  readonly config: object;
  /** Path of the archive; replaced as a whole or not at all. */
  readonly archive: string;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const deterministic = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];

export async function writeArchive({ tag, root, config, archive }: ArchiveOptions): Promise<void> {
  const tagName = tag.split('/').at(-1)?.split(':')[1];
  if (tagName === undefined) throw new Error(`"${tag}" has no tag: say localhost:5000/app:dev.`);
  mkdirSync(dirname(archive), { recursive: true });
  // Beside the archive: a rename does not cross file systems.
  const directory = mkdtempSync(`${archive}-`);
  try {
    const layout = join(directory, 'layout');
    const blobs = join(layout, 'blobs', 'sha256');
    mkdirSync(blobs, { recursive: true });
    const packed = join(directory, 'layer.tar');
    execFileSync('tar', [...deterministic, '-C', root, '-cf', packed, '.']);
    const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...(await measured(packed)) };
    renameSync(packed, join(blobs, layer.digest.slice('sha256:'.length)));
    const platform = { architecture: process.arch === 'x64' ? 'amd64' : process.arch, os: 'linux' };
    const image = { ...platform, config, rootfs: { type: 'layers', diff_ids: [layer.digest] } };
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: writeBlob(blobs, 'application/vnd.oci.image.config.v1+json', image),
      layers: [layer],
    };
    const annotations = { 'io.containerd.image.name': tag, 'org.opencontainers.image.ref.name': tagName };
    const entry = { ...writeBlob(blobs, manifest.mediaType, manifest), platform, annotations };
    writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
    const whole = join(directory, 'archive.tar');
    execFileSync('tar', [...deterministic, '-C', layout, '-cf', whole, 'oci-layout', 'index.json', 'blobs']);
    renameSync(whole, archive);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function writeBlob(blobs: string, mediaType: string, content: object): Descriptor {
  const text = JSON.stringify(content);
  const hex = createHash('sha256').update(text).digest('hex');
  writeFileSync(join(blobs, hex), text);
  return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
}

async function measured(path: string): Promise<{ digest: string; size: number }> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return { digest: `sha256:${hash.digest('hex')}`, size: statSync(path).size };
}
