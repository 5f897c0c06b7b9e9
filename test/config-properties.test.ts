import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ClientProperties,
  encryptionRecipients,
  formatProblem,
  MAX_CONFIG_BYTES,
  parseClientProperties,
} from '../lib/config/index.ts';
import { CallsealError } from '../lib/errors.ts';
import { EXPLORING, explore } from './helpers/explore.ts';

const PATH = '/etc/lumenvox/client_property.conf';
const report = (parsed: ClientProperties) => encryptionRecipients(parsed, { onError: 'report', checkFiles: false });

/** How one item may be written: blanks around it, and quotes, which it needs if it holds what is special without. */
interface Written {
  readonly path: string;
  readonly text: string;
}

const blanks = fc.stringMatching(/^[ \t]{0,3}$/);
const plainPath = fc.stringMatching(
  /^(\/[A-Za-z0-9._äé日+@()'=-]([A-Za-z0-9._äé日 +@()'-]{0,10}[A-Za-z0-9.äé日)])?){1,4}$/u,
);
const oddPath = fc.stringMatching(/^(\/[ -!#-&(-.:-~\u00a0\u200b][ -!#-&(-.:-~\u00a0\u200bü]{0,10}){1,4}$/u);

const plain: fc.Arbitrary<Written> = plainPath.map((path) => ({ path, text: path }));
const inQuotes: fc.Arbitrary<Written> = fc
  .tuple(fc.oneof(plainPath, oddPath), fc.constantFrom('"', "'"))
  .filter(([path, quote]) => !path.includes(quote))
  .map(([path, quote]) => ({ path, text: `${quote}${path}${quote}` }));
const spaced: fc.Arbitrary<Written> = fc
  .tuple(blanks, fc.oneof(plain, inQuotes), blanks)
  .map(([before, { path, text }, after]) => ({ path, text: before + text + after }));

const samePath = (path: string) => path.replace(/\/(?:\.?\/)+/g, '/');
const items = fc.uniqueArray(spaced, { minLength: 1, maxLength: 8, selector: ({ path }) => samePath(path) });

/** A whole file around a list: sections, other settings, line ends, byte-order mark, line breaks where allowed. */
const document = fc
  .record({
    items,
    breaks: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    nextLine: fc.boolean(),
    around: fc.constantFrom('', '[GLOBAL]\n', '# comment, with = and ;\n\n[SRE]\nSRE_SERVERS = a;b\n'),
    equals: fc.constantFrom('=', ' = ', '\t= '),
    lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
    mark: fc.constantFrom('', '\ufeff'),
    after: fc.constantFrom('', '\n', '\nA = 1\n', '\n[TTS]\n', '\n# x\n'),
  })
  .map(({ items, breaks, nextLine, around, equals, lineEnd, mark, after }) => {
    const list = items.map(({ text }, index) => (index === 0 ? text : `,${breaks[index] ? '\n' : ''}${text}`)).join('');
    const text = `${around}LOGGING_ENCRYPTION_KEY${equals}${nextLine ? '\n' : ''}${list}${after}`;
    return { paths: items.map(({ path }) => path), text: mark + text.replaceAll('\n', lineEnd) };
  });

describe('any list of paths in any permitted style', () => {
  it('parses back to itself, each path at the place that is told, without error or warning', () => {
    fc.assert(
      fc.property(document, fc.boolean(), ({ paths, text }, asBytes) => {
        const parsed = parseClientProperties(asBytes ? new TextEncoder().encode(text) : text, PATH);
        const { recipients, problems } = encryptionRecipients(parsed, { checkFiles: false });
        expect(recipients.map(({ path }) => path)).toEqual(paths);
        expect(problems.filter(({ rule }) => rule !== 'lone-cr')).toEqual([]);
        expectPlaces(text, recipients);
      }),
      { numRuns: 500 },
    );
  });
});

function expectPlaces(text: string, recipients: readonly { path: string; line: number; column: number }[]): void {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  for (const { path, line, column } of recipients) {
    expect(lines[line - 1]?.slice(column - 1, column - 1 + path.length)).toBe(path);
  }
}

/** Bytes that look enough like a configuration to reach every branch. */
const fragment = fc.constantFrom(
  'LOGGING_ENCRYPTION_KEY',
  'LOGGING_ENCRYPTION_KEY = ',
  'LOGGING_ENCRYPTION_LEVEL = 1',
  'logging-encryption-key=',
  ...[
    'default',
    '/a.crt',
    '/b c.crt',
    'C:\\x',
    '\\\\h\\s',
    '~/x',
    '$X',
    '%X%',
    'rel',
    '[S]',
    '[',
    ']',
    '#',
    ' # x',
    ';',
    ',',
  ],
  ...[
    '=',
    '"',
    "'",
    '“',
    ' ',
    '\t',
    '\n',
    '\r',
    '\r\n',
    '\0',
    '\ufeff',
    '\u00a0',
    '\ufffd',
    '*',
    '?',
    '\u001b[2J',
    '\u2028',
  ],
);
const nearly = fc
  .array(fc.oneof(fragment, fc.string({ maxLength: 4 })), { maxLength: 40 })
  .map((parts) => parts.join(''));
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  nearly.map((text) => new TextEncoder().encode(text)),
  fc
    .tuple(nearly, fc.uint8Array({ maxLength: 4 }), nearly)
    .map(([a, b, c]) => Buffer.concat([Buffer.from(a), b, Buffer.from(c)])),
);

describe('any bytes', () => {
  it(
    'give recipients or ERR_CONFIG, never both nothing and silence, and nothing else is thrown',
    async () => {
      await explore(
        fc.asyncProperty(anyBytes, fc.boolean(), async (bytes, checkFiles) => {
          const parsed = parseClientProperties(bytes, PATH);
          const { recipients, problems } = encryptionRecipients(parsed, { onError: 'report', checkFiles });
          const hasErrors = problems.some(({ severity }) => severity === 'error');
          if (recipients.length === 0) expect(hasErrors).toBe(true);
          for (const { path } of recipients) expect(path).toMatch(/^\/[^\0\r\n]*$/);
          const outcome = outcomeOf(() => encryptionRecipients(parsed, { checkFiles }).recipients);
          expect(outcome).toEqual(hasErrors ? 'ERR_CONFIG' : recipients);
        }),
        2000,
      );
    },
    EXPLORING,
  );

  it('give problems that each stand on an existing line and print as one line of plain characters', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const lineCount = Buffer.from(bytes)
          .toString('latin1')
          .split(/\r\n|\r|\n/).length;
        for (const problem of report(parseClientProperties(bytes, PATH)).problems) {
          expect(problem.line).toBeLessThanOrEqual(lineCount);
          expect(formatProblem(PATH, problem)).toMatch(
            /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+: (error|warning|note): [^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u,
          );
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('give recipients at the place that is told', () => {
    fc.assert(
      fc.property(nearly, (text) => {
        const encoded = new TextEncoder().encode(text);
        const decoded = new TextDecoder('utf-8', { ignoreBOM: true }).decode(encoded);
        expectPlaces(decoded, report(parseClientProperties(encoded, PATH)).recipients);
      }),
      { numRuns: 1000 },
    );
  });

  /** The longest inputs that would make a careless scan quadratic, which would take hours. */
  it.each([
    ['blanks', ' '],
    ['commas', ','],
    ['quotes', '"'],
    ['letters', 'a'],
    ['line feeds', '\n'],
    ['settings', 'A=\n'],
    ['unknown lines', 'a\n'],
    ['similar names', 'LOGGING_ENCRYPTION_KEYS=\n'],
    ['the setting itself', 'LOGGING_ENCRYPTION_KEY=\n'],
    ['items', '/a b #,'],
    ['continued lines', '/a,\n'],
    ['slashes', '/'],
    ['names without "="', 'AB \t'],
    ['comment signs', '#'],
    ['brackets', '['],
    ['bytes that are not UTF-8', '\xff\n'],
    ['NULs', '\0\0a\0\n'],
  ])(
    'are read in one pass, as many as allowed: %s',
    (_, unit) => {
      const head = Buffer.from('LOGGING_ENCRYPTION_KEY = ');
      const bytes = Buffer.concat([head, Buffer.alloc(MAX_CONFIG_BYTES - head.length, unit, 'latin1')]);
      const { recipients, problems } = report(parseClientProperties(bytes, PATH));
      expect(problems.length).toBeGreaterThan(0);
      expect(problems.length).toBeLessThanOrEqual(202);
      expect(recipients.length).toBeLessThanOrEqual(4096);
    },
    60_000,
  );
});

function outcomeOf<T>(action: () => T): T | string {
  try {
    return action();
  } catch (error) {
    if (error instanceof CallsealError) return error.code;
    throw error;
  }
}

describe('the values of other settings', () => {
  const secret = fc.stringMatching(/^S3[a-z0-9]{10}T$/);
  const name = fc.constantFrom(
    'AUTHENTICATION_PASSWORD',
    'AUTHENTICATION_USERNAME',
    'authentication-password',
    'LICENSE-KEY',
  );
  const sign = fc.constantFrom('=', ' = ', ' =\n', ' ', ': ', ' = "', '\t=\t', ' = x,\n');
  const secretLine = fc
    .tuple(name, sign, secret, fc.constantFrom('', ',', '"', ' # x', '=', ';', '\0', '\u00a0'))
    .map(([name, sign, secret, tail]) => ({ text: name + sign + secret + tail, secret }));
  const join = fc.constantFrom('\n', '\n', '\r\n', '\r', ' ', ',', ', ');

  /** By the rules of the file a value on the next line that reads NAME = … is a name. */
  const isName = (line: string) => /^[ \t]*S3[a-z0-9]{10}T[ \t]*=/.test(line);

  it('occur in no message and in no JSON, even where a line end was lost', () => {
    fc.assert(
      fc.property(nearly, join, secretLine, join, nearly, (before, first, { text, secret }, second, after) => {
        const content = before + first + text + second + after;
        fc.pre(!content.split(/[\r\n]/).some(isName));
        const parsed = parseClientProperties(content, PATH);
        const outcome = report(parsed);
        const thrown = outcomeOfMessage(() => encryptionRecipients(parsed));
        const printed = outcome.problems.map((problem) => formatProblem(PATH, problem)).join('\n') + thrown;
        expect(printed).not.toContain(secret);
        expect(JSON.stringify([parsed, outcome.problems])).not.toContain(secret);
      }),
      { numRuns: 3000 },
    );
  });

  function outcomeOfMessage(action: () => unknown): string {
    try {
      action();
      return '';
    } catch (error) {
      return String(error instanceof CallsealError ? `${error.message}${error.stack}${error.cause}` : '');
    }
  }
});
