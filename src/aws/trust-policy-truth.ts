// Three answers, because some of what a policy asks of a request cannot be seen in a token. Kleene's logic: an unknown
// part matters only where the known ones do not settle it.

export type Truth = 'yes' | 'no' | 'unknown';

export function truthOf(value: boolean): Truth {
  return value ? 'yes' : 'no';
}

export function not(truth: Truth): Truth {
  if (truth === 'unknown') return truth;
  return truth === 'yes' ? 'no' : 'yes';
}

/** Of none, yes. */
export function every(truths: readonly Truth[]): Truth {
  if (truths.includes('no')) return 'no';
  return truths.includes('unknown') ? 'unknown' : 'yes';
}

/** Of none, no. */
export function some(truths: readonly Truth[]): Truth {
  return not(every(truths.map(not)));
}
