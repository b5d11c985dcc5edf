// A number of places, and a line before them: first come, first served. PURE.

export interface Places {
  /** Undefined where a place is free, and then it is taken; else a promise of the next free one. */
  take(): Promise<void> | undefined;
  /** Gives the place to the next in line. */
  leave(): void;
}

export function createPlaces(count: number): Places {
  const line: (() => void)[] = [];
  let free = count;

  return {
    take() {
      if (free === 0) return new Promise((resolve) => line.push(resolve));
      free -= 1;
      return undefined;
    },
    leave() {
      const next = line.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
