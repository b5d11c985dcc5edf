// The order of resourceVersions. Those of one resource type are decimal integers that grow (KEP-5504); they may pass
// 2^53, so they are compared as strings and never become numbers.

const DECIMAL = /^[1-9]\d*$/;

/** Below 0, 0 or above 0 as `left` is older than, the same as or newer than `right`; undefined where that cannot be said. */
export function compareResourceVersions(left: string, right: string): number | undefined {
  if (!DECIMAL.test(left) || !DECIMAL.test(right)) return undefined;
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Whether `left` is certainly newer than `right`. */
export function isNewer(left: string, right: string): boolean {
  return (compareResourceVersions(left, right) ?? 0) > 0;
}

/** Whether `left` is certainly older than `right`. */
export function isOlder(left: string, right: string): boolean {
  return (compareResourceVersions(left, right) ?? 0) < 0;
}
