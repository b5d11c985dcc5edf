// What an audit found, as people read it: by owner, and of any number of pods.
import { expect, jest, test } from '@jest/globals';
import type { FoundPod } from '../../src/commands/audit-report.ts';
import { auditText } from '../../src/commands/audit-report.ts';

function missedPods(count: number): readonly FoundPod[] {
  return Array.from({ length: count }, (_, index) => ({
    fault: 'missed',
    namespace: 'shop',
    pod: `web-${index}`,
    serviceAccount: 'web',
    roleArn: null,
    evidence: 'it lacks a volume',
    owner: { name: 'Deployment/web', restart: 'kubectl rollout restart deployment/web -n shop' },
  }));
}

function textOf(pods: readonly FoundPod[]): string {
  return auditText({ pods, accounts: [], checked: { pods: pods.length, accounts: 0 } });
}

test('the pods of one owner are one group, however many they are', () => {
  expect(textOf(missedPods(1000))).toBe(`missed  Deployment/web in shop, 1000 pods of account web: it lacks a volume
        kubectl rollout restart deployment/web -n shop
1000 pods: 1000 missed, 0 stale; 0 accounts: 0 mistyped
`);
});

test('a command of two lines stays two lines', () => {
  const fix = 'kubectl annotate serviceaccount web -n shop key-\n# then create its pods again';
  const accounts = [{ namespace: 'shop', serviceAccount: 'web', evidence: 'it has a typo', fix }];
  expect(auditText({ pods: [], accounts, checked: { pods: 0, accounts: 1 } }))
    .toBe(`account ServiceAccount/web in shop: it has a typo
        kubectl annotate serviceaccount web -n shop key-
        # then create its pods again
0 pods: 0 missed, 0 stale; 1 account: 1 mistyped
`);
});

// A cluster has a hundred thousand pods, and after an outage all of them may be in it.
test('twice as many pods are twice the work', () => {
  const [few, some, many] = [10, 20, 40].map((count) => elementsRead(missedPods(count)));
  expect(Number(many) - Number(some)).toBe(2 * (Number(some) - Number(few)));
});

/** How many elements the lists have that are iterated over: a copy of a list reads each of them. */
function elementsRead(pods: readonly FoundPod[]): number {
  let read = 0;
  // By its other name it stays what it is while it is being watched.
  const { values } = Array.prototype;
  const iterating = jest.spyOn(Array.prototype, Symbol.iterator).mockImplementation(function (this: unknown[]) {
    read += this.length;
    return values.call(this);
  });
  try {
    textOf(pods);
  } finally {
    iterating.mockRestore();
  }
  return read;
}
