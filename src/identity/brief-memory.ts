// Names that are remembered for a moment and in bounded number: the oldest goes first. PURE but for the clock.

export interface BriefMemory {
  remember(name: string): void;
  has(name: string): boolean;
  size(): number;
}

export interface BriefMemoryOptions {
  readonly milliseconds: number;
  readonly size: number;
  readonly now: () => number;
}

export function createBriefMemory({ milliseconds, size, now }: BriefMemoryOptions): BriefMemory {
  // In the order of being remembered, because that is the order of a Map.
  const forgottenAt = new Map<string, number>();

  return {
    remember(name) {
      forgottenAt.delete(name);
      forgottenAt.set(name, now() + milliseconds);
      for (const oldest of forgottenAt.keys()) {
        if (forgottenAt.size <= size) break;
        forgottenAt.delete(oldest);
      }
    },
    has(name) {
      const until = forgottenAt.get(name);
      if (until === undefined) return false;
      if (now() < until) return true;
      forgottenAt.delete(name);
      return false;
    },
    size: () => forgottenAt.size,
  };
}
