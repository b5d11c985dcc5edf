// What a user's program does, and no more: it asks AWS who it is, with the credentials that the official SDK finds by itself
// in the environment. Prints one line of JSON. `--serve` asks again for each line on stdin, which is the time in milliseconds:
// a process that lives for hours.
import { createInterface } from 'node:readline';
import { mock } from 'node:test';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromNodeProviderChain } from '@aws-sdk/credential-providers';

const client = new STSClient({ credentials: fromNodeProviderChain() });

async function ask(): Promise<void> {
  process.stdout.write(`${JSON.stringify(await answer())}\n`);
}

async function answer(): Promise<object> {
  try {
    const { Arn } = await client.send(new GetCallerIdentityCommand({}));
    return { arn: Arn };
  } catch (error) {
    return { error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

if (process.argv.includes('--serve')) {
  mock.timers.enable({ apis: ['Date'], now: Date.now() });
  for await (const line of createInterface({ input: process.stdin })) {
    mock.timers.setTime(Number(line));
    await ask();
  }
} else {
  await ask();
}
