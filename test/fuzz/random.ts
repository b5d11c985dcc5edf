// Random numbers that a seed repeats, so that a failure can be had again.

export interface Random {
  /** 0 to 2^32 - 1. */
  next(): number;
  /** 0 to limit - 1. */
  below(limit: number): number;
  pick<T>(items: readonly [T, ...T[]]): T;
}

/** Mulberry32: one multiplication a number, good enough to choose mutations by. */
export function createRandom(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit);
  return { next, below, pick: (items) => items[below(items.length)] ?? items[0] };
}
