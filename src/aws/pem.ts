// Blocks of PEM in a text (RFC 7468); what stands between them does not count.

export interface PemBlock {
  /** As in CERTIFICATE. */
  readonly label: string;
  /** The whole of it, from BEGIN to END. */
  readonly text: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g;

/** In their order, whether or not they can be read. */
export function pemBlocks(text: string): readonly PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([block, label = '']) => ({ label, text: block }));
}

export function certificateBlocks(text: string): readonly string[] {
  return pemBlocks(text)
    .filter(({ label }) => label === 'CERTIFICATE')
    .map((block) => block.text);
}
