// What the script mkimage runs.
import { isObject } from '../../../src/admission/json.ts';
import { writeArchive } from './oci.ts';

const [tag, archive, root, config = '{}'] = process.argv.slice(2);
if (tag === undefined || archive === undefined || root === undefined) {
  process.stderr.write('mkimage TAG ARCHIVE ROOT [CONFIG], CONFIG as \'{"Entrypoint": ["/app"], "User": "65532"}\'\n');
  process.exitCode = 2;
} else {
  const parsed: unknown = JSON.parse(config);
  if (!isObject(parsed)) throw new Error(`CONFIG is no JSON object: ${config}`);
  await writeArchive({ tag, archive, root, config: parsed });
}
