import { describe, expect, it } from '@jest/globals';
import type { Environment } from '../src/cli.ts';
import { parseCommandLine } from '../src/cli.ts';
import { COMMANDS } from '../src/flags/commands.ts';
import { helpText } from '../src/flags/help.ts';
import { FLAGS } from '../src/flags/table.ts';

function serve(args: readonly string[], environment: Environment = {}) {
  const commandLine = parseCommandLine(args, environment);
  if (commandLine.kind !== 'run') throw new Error(`want a run, got ${commandLine.kind}`);
  return commandLine;
}

function problemsOf(args: readonly string[], environment: Environment = {}): unknown {
  try {
    parseCommandLine(args, environment);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('parseCommandLine', () => {
  it('serves where no command is named, and drops the program names of published manifests', () => {
    expect(serve([]).command).toBe('serve');
    expect(serve(['serve', '--port=1']).flags.number('port')).toBe(1);
    expect(serve(['/webhook', '--port=1']).flags.number('port')).toBe(1);
    expect(serve(['/usr/bin/aws-pod-identity-webhook', 'serve', '--port=1']).flags.number('port')).toBe(1);
    expect(serve(['inject', '-f', 'a']).command).toBe('inject');
  });

  it('reads --name=value, --name value, and booleans in all of Go’s spellings', () => {
    expect(serve(['--token-audience=a', '--namespace', 'b']).flags.text('token-audience')).toBe('a');
    expect(serve(['--token-audience=a', '--namespace', 'b']).flags.text('namespace')).toBe('b');
    expect(serve(['--aws-default-region=a=b']).flags.text('aws-default-region')).toBe('a=b');
    expect(serve(['--shadow']).flags.isOn('shadow')).toBe(true);
    expect(serve(['--shadow=T']).flags.isOn('shadow')).toBe(true);
    expect(serve(['--shadow', '--shadow=0']).flags.isOn('shadow')).toBe(false);
    expect(serve(['--shutdown-delay=1m30s']).flags.number('shutdown-delay')).toBe(90_000);
  });

  it('knows which values are given and which are defaults', () => {
    const { flags } = serve(['--port=8443'], { POD_IDENTITY_WEBHOOK_METRICS_PORT: '1' });
    expect([flags.isGiven('port'), flags.isGiven('metrics-port'), flags.isGiven('namespace')]).toEqual([
      true,
      true,
      false,
    ]);
    expect([flags.number('port'), flags.number('metrics-port'), flags.text('namespace')]).toEqual([8443, 1, 'eks']);
    expect(flags.text('kubeconfig')).toBeUndefined();
  });

  it('takes flags from the environment, and the command line before it', () => {
    const environment = { POD_IDENTITY_WEBHOOK_TOKEN_AUDIENCE: 'from-environment' };
    expect(serve([], environment).flags.text('token-audience')).toBe('from-environment');
    expect(serve(['--token-audience=given'], environment).flags.text('token-audience')).toBe('given');
    expect(serve(['--log-level=warn'], { POD_IDENTITY_WEBHOOK_LOG_LEVEL: 'bad' }).flags.text('log-level')).toBe('warn');
    const files = parseCommandLine(['inject', '-f', 'a', '--filename=b'], { POD_IDENTITY_WEBHOOK_FILENAME: 'c' });
    expect(files.kind === 'run' && files.flags.all('filename')).toEqual(['a', 'b']);
  });

  it('ignores the variables that the kubelet sets for a Service of the webhook’s name', () => {
    const environment = {
      POD_IDENTITY_WEBHOOK_PORT: 'tcp://10.0.0.1:443',
      POD_IDENTITY_WEBHOOK_SERVICE_HOST: '10.0.0.1',
      POD_IDENTITY_WEBHOOK_PORT_443_TCP_ADDR: '10.0.0.1',
    };
    expect(serve([], environment).flags.number('port')).toBe(443);
  });

  it('narrows no person’s command by the namespace of the server', () => {
    const environment = { POD_IDENTITY_WEBHOOK_NAMESPACE: 'iam', POD_IDENTITY_WEBHOOK_TOKEN_AUDIENCE: 'other' };
    const read = (args: readonly string[], more: Environment = {}) => {
      const { flags } = serve(args, { ...environment, ...more });
      return ['namespace', 'config-map-namespace', 'token-audience'].map((name) => flags.text(name));
    };
    expect([
      read(['serve']),
      read(['audit']),
      read(['audit'], { POD_IDENTITY_WEBHOOK_CONFIG_MAP_NAMESPACE: 'roles' }),
      read(['check-install']),
    ]).toEqual([
      ['iam', undefined, 'other'],
      [undefined, 'iam', 'other'],
      [undefined, 'roles', 'other'],
      ['pod-identity-webhook', undefined, undefined],
    ]);
  });

  it('accepts klog’s flags in both spellings, of which only -v has an effect', () => {
    const klog = [
      '--logtostderr',
      '--alsologtostderr=true',
      '--log_backtrace_at=:0',
      '--vmodule',
      'a=1',
      '--stderrthreshold=2',
    ];
    expect(serve([...klog, '--skip_headers', '--add-dir-header']).flags.text('log-level')).toBe('info');
    expect(serve(['-v=4']).flags.text('log-level')).toBe('debug');
    expect(serve(['--v', '6']).flags.text('log-level')).toBe('trace');
    expect(serve(['-v', '2']).flags.text('log-level')).toBe('info');
    expect(serve(['-v=9', '--log-level=warn']).flags.text('log-level')).toBe('warn');
  });

  it('reports every problem at once, each with flag, value and what is allowed', () => {
    const args = [
      '--port=70000',
      '--shadow=maybe',
      '--nonsense',
      '--log-level=loud',
      '--shutdown-delay=10',
      'extra',
      '--kubeconfig',
    ];
    expect(problemsOf(args, { POD_IDENTITY_WEBHOOK_TOKEN_EXPIRATION: '1h' })).toMatchObject({
      name: 'ConfigError',
      code: 'usage',
      problems: [
        'unknown flag --nonsense: see --help',
        '--kubeconfig: want a value, as in --kubeconfig=FILE',
        '--port="70000": want a whole number from 0 to 65535',
        'POD_IDENTITY_WEBHOOK_TOKEN_EXPIRATION="1h": want a whole number',
        '--shadow="maybe": want true or false',
        '--shutdown-delay="10": want a duration such as 500ms, 10s or 1m30s',
        '--log-level="loud": want one of trace, debug, info, warn, error',
        'unexpected argument "extra": flags are written --name=value',
      ],
    });
  });

  it('lists its commands to whoever asks for one that it does not have', () => {
    const names = COMMANDS.map(({ name }) => name).join('\n');
    expect(problemsOf(['webhook'])).toMatchObject({
      problems: [`unknown command "webhook": want one of these, and see --help\n${names}`],
    });
  });

  it('takes the first word of a command for half of it', () => {
    const all = 'want one of these, and see --help\ntrust-policy generate\ntrust-policy check';
    expect(
      [['trust-policy'], ['trust-policy', '--role=x'], ['trust-policy', 'list']].map((args) => problemsOf(args)),
    ).toMatchObject([
      { problems: [`half a command "trust-policy": ${all}`] },
      { problems: [`half a command "trust-policy": ${all}`] },
      { problems: [`unknown command "trust-policy list": ${all}`] },
    ]);
  });

  it.each([
    [['server'], 'unknown command "server": did you mean serve? see --help'],
    [['ijnect', '-f', 'x'], 'unknown command "ijnect": did you mean inject? see --help'],
    [['injct', 'x.yaml'], 'unknown command "injct": did you mean inject? see --help'],
    [['trust-policy', 'chekc'], 'unknown command "trust-policy chekc": did you mean trust-policy check? see --help'],
    [['trustpolicy', 'check'], 'unknown command "trustpolicy check": did you mean trust-policy check? see --help'],
    [['trustpolicy', 'file'], 'unknown command "trustpolicy": did you mean trust-policy? see --help'],
    [['Diagnos'], 'unknown command "Diagnos": did you mean diagnose? see --help'],
    [['--prot=1'], 'unknown flag --prot: did you mean --port? see --help'],
    [['--tls_min_version=1.2'], 'unknown flag --tls_min_version: did you mean --tls-min-version? see --help'],
    [['inject', '--dif'], 'unknown flag --dif: did you mean --diff? see --help'],
  ])('guesses what %j means', (args, problem) => {
    expect(problemsOf(args)).toMatchObject({ problems: [problem] });
  });

  it.each([
    // Of another command.
    [['serve', '--diff'], 'unknown flag --diff: see --help'],
    // Two letters from --port, and one letter that is right.
    [['serve', '--rot'], 'unknown flag --rot: see --help'],
    // As near to tls-key as to tls-cert.
    [['serve', '--tls-kext'], 'unknown flag --tls-kext: see --help'],
    [['serve', '-p'], 'unknown flag -p: see --help'],
  ])('does not guess what %j means', (args, problem) => {
    expect(problemsOf(args)).toMatchObject({ problems: [problem] });
  });

  const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';
  const itself = 'this is a token itself, which everybody sees in the list of processes';
  const noCommand = `unknown command: ${itself}; token inspect wants a file with it, or - for standard input`;
  it.each([
    [['token', TOKEN], noCommand],
    [[TOKEN], noCommand],
    [[`token=${TOKEN}`], noCommand],
    [['tokn', 'inspect', TOKEN], 'unknown command "tokn inspect": did you mean token inspect? see --help'],
    [['token', 'inspect', 'token.jwt', TOKEN], `unexpected argument: ${itself}; want FILE`],
    [[`--${TOKEN}`], `unknown flag: ${itself}; see --help`],
    [[`--port=${TOKEN}`], `--port: ${itself}; want a whole number from 0 to 65535`],
  ])('repeats no token: %j', (args, problem) => {
    expect(problemsOf(args)).toMatchObject({ problems: [problem] });
  });

  it('helps with the commands of one word', () => {
    expect(helpText(COMMANDS, 'oidc')).toBe(`Usage: pod-identity-webhook oidc COMMAND [flags]

Commands:
  oidc publish  Write what a self-hosted cluster’s issuer must publish, ready to upload.
  oidc verify   Check as STS would what an issuer publishes, against cluster and token.

--help after one of them tells its flags.
`);
  });

  it('takes operands only where the command has a place for them', () => {
    expect(problemsOf(['inject', 'pod.yaml', '-f', '-'])).toMatchObject({
      problems: ['unexpected argument "pod.yaml": flags are written --name=value'],
    });
    expect(problemsOf(['serve', '--', '--port=1'])).toMatchObject({
      problems: ['unexpected argument "--port=1": flags are written --name=value'],
    });
  });

  it('takes the cluster that kubectl would, but for a server', () => {
    const kubeconfigOf = (args: readonly string[], environment: Environment): string | undefined =>
      serve(args, environment).flags.text('kubeconfig');
    expect(kubeconfigOf(['audit'], { KUBECONFIG: '/home/me/.kube/config' })).toBe('/home/me/.kube/config');
    expect(kubeconfigOf(['audit', '--kubeconfig=given'], { KUBECONFIG: 'mine' })).toBe('given');
    expect(kubeconfigOf(['serve'], { KUBECONFIG: 'mine' })).toBeUndefined();
  });

  it('answers for help and version before anything else', () => {
    expect(parseCommandLine(['--nonsense', '--help'], {})).toEqual({ kind: 'help', command: undefined });
    expect(parseCommandLine(['inject', '-h'], {})).toEqual({ kind: 'help', command: 'inject' });
    expect(parseCommandLine(['help'], {})).toEqual({ kind: 'help', command: undefined });
    expect(parseCommandLine(['/webhook', '--version'], {})).toEqual({ kind: 'version' });
  });
});

describe('the table of flags', () => {
  it('has no name twice and a default that its own type takes', () => {
    for (const { name, operands } of COMMANDS) {
      const names = FLAGS.filter(({ commands }) => commands.includes(name)).map((flag) => flag.name);
      expect([...new Set(names)]).toEqual(names);
      const wanted = Array.from({ length: operands?.count[0] ?? 0 }, () => 'operand');
      expect(problemsOf([...name.split(' '), ...wanted])).toBeUndefined();
    }
  });

  it('makes a help text in which no line is wider than a terminal', () => {
    for (const command of [undefined, ...COMMANDS.map(({ name }) => name)]) {
      const lines = helpText(COMMANDS, command).split('\n');
      expect(lines.filter((line) => line.length > 100)).toEqual([]);
      expect(lines[0]).toMatch(
        new RegExp(`^Usage: pod-identity-webhook ${command ?? '.command.'} .*\\[flags\\]$`, 'u'),
      );
    }
  });
});
