// Colours of a terminal (ECMA-48), as git's diff uses them; plain text where there is no terminal.

export interface Paint {
  bold(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
}

export function paintWith(colour: boolean): Paint {
  const painter =
    (code: number) =>
    (text: string): string =>
      colour ? `\u001B[${code}m${text}\u001B[0m` : text;
  return { bold: painter(1), green: painter(32), cyan: painter(36) };
}
