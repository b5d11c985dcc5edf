// How a fix is written: commands that a shell takes as they are on one line, and what is to be read below it. Of what
// manifests say, nothing becomes more than one word of a command.
import { shellWord } from '../aws/shell-word.ts';

/**
 * Each command runs where the one before it has succeeded. The remark is a comment, but zsh takes none where people type:
 * there its words must mean nothing more, and on the line of the command they would be arguments.
 */
export function fixText(commands: readonly string[], remark: string): string {
  return `${commands.join(' && ')}\n# ${remark}`;
}

/** A name or key as Kubernetes stores them. What is none could be an option, and what is in a file may be anything. */
export function nameWord(text: string, placeholder: string): string {
  return /^[A-Za-z0-9](?:[\w./-]*[A-Za-z0-9])?$/.test(text) ? text : placeholder;
}

/** Any other text; one that would break the line, or show in another order than it has, is for the reader to fill in. */
export function valueWord(text: string, placeholder: string): string {
  return /^[^\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+$/u.test(text) ? shellWord(text) : placeholder;
}
