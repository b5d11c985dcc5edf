import { describe, expect, it } from '@jest/globals';
import { createConfigMapSource } from '../../src/identity/config-map.ts';
import { createTestLog } from '../support/log.ts';
import { createTestRecorder } from '../support/recorder.ts';

function source() {
  const { log, lines, messages } = createTestLog();
  const recorder = createTestRecorder();
  const configMap = createConfigMapSource({ object: 'eks/pod-identity-webhook', log, recorder });
  return {
    configMap,
    lines,
    messages,
    recorder,
    role: (name: string) => configMap.entryOf({ namespace: 'a', name })?.role,
  };
}

describe('createConfigMapSource', () => {
  it('is empty before the ConfigMap was read, and again when it is deleted', () => {
    const { configMap, role } = source();
    expect(role('b')).toBeUndefined();
    configMap.apply('{"a/b": {"RoleARN": "x"}}');
    expect(role('b')).toBe('x');
    configMap.apply(undefined);
    expect(role('b')).toBeUndefined();
    expect(configMap.entries()).toEqual([]);
    configMap.apply('{"a/b": {"RoleARN": "x"}}');
    configMap.apply(' ');
    expect(role('b')).toBeUndefined();
  });

  it('applies removals also after a version that could not be read', () => {
    const { configMap, role, messages, recorder } = source();
    configMap.apply('{"a/b": {"RoleARN": "x"}, "a/c": {"RoleARN": "y"}}');
    configMap.apply('{"a/b": ');
    expect([role('b'), role('c')]).toEqual(['x', 'y']);
    configMap.apply('{"a/c": {"RoleARN": "z"}}');
    expect([role('b'), role('c')]).toEqual([undefined, 'z']);
    expect(messages()).toEqual([
      'info ConfigMap read',
      'error ConfigMap kept as it was last readable',
      'info ConfigMap read',
    ]);
    expect(recorder.of('reloadFailed')).toEqual([['config-map']]);
  });

  it('names each entry that it refuses, up to twenty, and counts all', () => {
    const { configMap, lines, recorder } = source();
    const bad = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`key-${index}`, {}]));
    configMap.apply(JSON.stringify({ ...bad, 'a/b': { RoleARN: 'x' } }));
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(20);
    expect(lines[0]).toEqual({
      level: 'error',
      message: 'entry of the ConfigMap refused',
      fields: {
        object: 'eks/pod-identity-webhook',
        key: 'key-0',
        problem: 'want a key "namespace/name"; either half may hold *',
      },
    });
    expect(recorder.of('configMapRead')).toEqual([[{ entries: 1, refused: 1_000 }]]);
  });
});
