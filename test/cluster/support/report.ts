// Figures that a test has measured, on a line of their own: console.log would add a stack trace to each under Jest.
export function report(line: string): void {
  process.stdout.write(`  ${line}\n`);
}
