import { expect, it } from '@jest/globals';
import { isRawToken } from '../../src/aws/raw-token.ts';

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';

it.each([TOKEN, `token=${TOKEN}`, `--${TOKEN}`, `"Bearer ${TOKEN}"`, TOKEN.slice(0, 25)])(
  'knows a token where it begins: %s',
  (text) => {
    expect(isRawToken(text)).toBe(true);
  },
);

it.each(['', 'token.jwt', './eyJ.txt', 'keyJournal-of-today.log', TOKEN.slice(0, 20)])(
  'leaves words alone: %s',
  (text) => {
    expect(isRawToken(text)).toBe(false);
  },
);
