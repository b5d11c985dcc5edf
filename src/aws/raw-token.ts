// A token where a word or the name of a file is wanted. It is as good as the role that it stands for: it must not come into
// a log by being repeated in a complaint.

// Beginning of every JSON Web Token: a header, which begins with {" in base64url and names an algorithm, and its first dot.
const TOKEN = /(?<!\w)eyJ[\w-]{8,}\./;

export function isRawToken(text: string): boolean {
  return TOKEN.test(text);
}

/** What is said instead of it. */
export const RAW_TOKEN = 'this is a token itself, which everybody sees in the list of processes';
