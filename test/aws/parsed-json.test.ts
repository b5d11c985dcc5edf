import { expect, test } from '@jest/globals';
import { parsedJson } from '../../src/aws/parsed-json.ts';
import { failureOf } from '../support/failure.ts';

test('reads JSON', () => {
  expect(parsedJson(' {"a": [1]}\n')).toEqual({ a: [1] });
});

test.each([
  ['wJalrXUtnFEMI/K7MDENG', 'not JSON'],
  ['eyJhbG', 'not JSON'],
  ['{"a": secret}', 'not JSON'],
  ['', 'not JSON: it ends too early'],
  ['{"a": 1', 'not JSON: see line 1, column 8'],
  ['{\n  "a": 1,\n}', 'not JSON: see line 3, column 1'],
  ['{"a": "b\nc"}', 'not JSON: see line 1, column 9'],
  ['{} {}', 'not JSON: see line 1, column 4'],
  // What is in it can look like the parser's own words.
  ['(line 7 column 7)', 'not JSON'],
  ['Unexpected end of JSON input', 'not JSON'],
])('says of %j that it is %s, and no word of it', async (text, message) => {
  expect((await failureOf((async () => parsedJson(text))()))['message']).toBe(message);
});
