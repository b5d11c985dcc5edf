// registry.ts PORT DIRECTORY: the node's own image registry, on its loopback, to be read only. Serves the image layouts
// that are subdirectories of DIRECTORY, so that pods with `imagePullPolicy: Always` start as published.
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { ownField, ownList, ownString } from '../../../src/admission/json.ts';

const [port = '', directory = ''] = process.argv.slice(2);

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const [, name = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(pathname) ?? [];
  if (pathname === '/v2/') response.end();
  else if (kind === 'manifests') sendManifest(response, `localhost:${port}/${name}`, reference);
  else if (kind === 'blobs') sendBlob(response, reference, 'application/octet-stream');
  else response.writeHead(404).end();
});
server.listen({ port: Number(port), host: '127.0.0.1' });

function sendManifest(response: ServerResponse, image: string, reference: string): void {
  const entry = layouts()
    .flatMap((layout) => ownList(JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')), 'manifests'))
    .find(
      (manifest) =>
        ownString(manifest, 'digest') === reference ||
        ownString(ownField(manifest, 'annotations'), 'io.containerd.image.name') === `${image}:${reference}`,
    );
  sendBlob(response, ownString(entry, 'digest') ?? '', ownString(entry, 'mediaType') ?? '');
}

function sendBlob(response: ServerResponse, digest: string, mediaType: string): void {
  // A digest becomes a path: nothing but one may.
  const hex = /^sha256:([\da-f]{64})$/.exec(digest)?.[1];
  const path = layouts()
    .map((layout) => join(layout, 'blobs', 'sha256', hex ?? ''))
    .find((candidate) => hex !== undefined && existsSync(candidate));
  if (path === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.setHeader('Content-Type', mediaType);
  response.setHeader('Content-Length', statSync(path).size);
  response.setHeader('Docker-Content-Digest', digest);
  if (response.req.method === 'HEAD') response.end();
  else createReadStream(path).pipe(response);
}

function layouts(): readonly string[] {
  if (!existsSync(directory)) return [];
  const paths = readdirSync(directory).map((entry) => join(directory, entry));
  // `load` writes index.json among others: a layout without it is half there.
  return paths.filter((path) => existsSync(join(path, 'index.json')));
}
