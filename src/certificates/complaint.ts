// What is wrong now, in a sentence, said once for as long as it is the same. A lost race is not wrong, unless there is
// nothing but lost races.

/** More in a row than replicas that take the same step at once can cause. */
const RACES = 8;

export interface Complaint {
  /** Empty where nothing is wrong. */
  current(): string;
  complain(problem: string): void;
  /** Somebody else was faster. */
  raced(problem: string): void;
  clear(): void;
}

export function createComplaint(first: string, say: (problem: string) => void): Complaint {
  let current = first;
  let races = 0;

  function complain(problem: string): void {
    if (problem !== current) say(problem);
    current = problem;
  }

  return {
    current: () => current,
    complain,
    raced(problem) {
      races += 1;
      if (races > RACES) complain(`${problem}; look for who else writes it, and for policies that deny the change`);
    },
    clear() {
      races = 0;
      current = '';
    },
  };
}
