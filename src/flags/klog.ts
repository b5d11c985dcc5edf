// Flags of klog, Kubernetes' logger for Go, which published manifests of amazon-eks-pod-identity-webhook set. They are
// accepted; only -v has an effect.

const BOOLEAN_FLAGS = [
  'add-dir-header',
  'alsologtostderr',
  'legacy-stderr-threshold-behavior',
  'logtostderr',
  'one-output',
  'skip-headers',
  'skip-log-headers',
];

const VALUE_FLAGS = [
  'alsologtostderrthreshold',
  'log-backtrace-at',
  'log-dir',
  'log-file',
  'log-file-max-size',
  'stderrthreshold',
  'v',
  'vmodule',
];

/** Whether klog has such a flag; `value` where it takes one. Names may be written with _ or -. */
export function klogFlag(name: string): 'boolean' | 'value' | undefined {
  const dashed = name.replaceAll('_', '-');
  if (BOOLEAN_FLAGS.includes(dashed)) return 'boolean';
  return VALUE_FLAGS.includes(dashed) ? 'value' : undefined;
}

/** What klog's verbosity means for our log: 4 and above debug, 6 and above trace (klog's own conventions). */
export function levelOfVerbosity(text: string): 'debug' | 'trace' | undefined {
  const verbosity = Number(text);
  if (verbosity >= 6) return 'trace';
  return verbosity >= 4 ? 'debug' : undefined;
}
