// What a user's program does, and no more: it asks AWS who it is, with the credentials that the official SDK finds by itself
// in the environment. Prints one line of JSON. `--serve` asks again for each line on stdin, which is the time in milliseconds:
// a process that lives for hours. `--again=SECONDS` asks once more after that time, with what is in the environment then.
import { createInterface } from 'node:readline';
import { mock } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromNodeProviderChain } from '@aws-sdk/credential-providers';

const { values: options } = parseArgs({ options: { serve: { type: 'boolean' }, again: { type: 'string' } } });

function newClient(): STSClient {
  return new STSClient({ credentials: fromNodeProviderChain() });
}

async function ask(client: STSClient): Promise<void> {
  process.stdout.write(`${JSON.stringify(await answerTo(client))}\n`);
}

async function answerTo(client: STSClient): Promise<object> {
  try {
    const { Arn } = await client.send(new GetCallerIdentityCommand({}));
    return { arn: Arn };
  } catch (error) {
    return { error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

const first = newClient();
if (options.serve === true) {
  mock.timers.enable({ apis: ['Date'], now: Date.now() });
  for await (const line of createInterface({ input: process.stdin })) {
    mock.timers.setTime(Number(line));
    await ask(first);
  }
} else {
  await ask(first);
}
if (options.again !== undefined) {
  await setTimeout(Number(options.again) * 1000);
  await ask(newClient());
}
