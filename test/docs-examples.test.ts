/**
 * Every example of the API, in pages and in docstrings of exported names, is compiled against the types of the package as an
 * importer sees them. What examples take for granted (`recipients`, `call`) is declared below; `examples/` has whole programs, which run.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as agentApi from '../lib/agent/index.ts';
import * as api from '../lib/index.ts';
import * as keysApi from '../lib/keys/index.ts';
import { blocksOf, PAGES, readPage } from './helpers/doc-pages.ts';
import { PROJECT } from './helpers/native-build.ts';
import { declarationsOf, ENTRIES } from './helpers/public-types.ts';

interface Example {
  /** Page or source file, and line. */
  readonly place: string;
  readonly code: string;
  /** Plain JavaScript does not say what may be undefined. */
  readonly kind: 'js' | 'ts';
}

const GIVEN = `
  const recipients: api.Recipients;
  const keys: api.KeyRing & keysApi.KeyHierarchy;
  const key: api.PrivateKey;
  const privateKey: api.PrivateKey;
  const passphrase: api.Passphrase;
  const requireSigner: api.SignerCertificates;
  const installation: keysApi.Installation;
  const supply: agentApi.CertificateSupply;
  const listener: agentApi.AgentListener;
  const folder: string;
  const bytes: Uint8Array;
  const sealed: Uint8Array;
  const template: Uint8Array;
  const call: AsyncIterable<Uint8Array>;
  const source: import('node:stream').Readable;
  const player: import('node:stream').Writable;
  function play(part: Uint8Array): void;
  function askForAnotherKey(): void;
  const bucket: { putIfUnchanged(key: string, etag: string, record: Uint8Array): Promise<boolean> };
  function recordsOfBucket(): AsyncIterable<keysApi.KeptRecord & { etag: string }>;
  const pipeline: typeof import('node:stream/promises').pipeline;
  const createReadStream: typeof import('node:fs').createReadStream;
  const createWriteStream: typeof import('node:fs').createWriteStream;
  const writeFile: typeof import('node:fs/promises').writeFile;
`;

/** Every exported value, too, as examples in docstrings leave out their imports. */
function globals(): string {
  const values = Object.entries({ api, keysApi, agentApi }).flatMap(([name, module]) =>
    Object.keys(module).map((value) => `  const ${value}: typeof ${name}.${value};`),
  );
  return [
    "import type * as api from 'callseal';",
    "import type * as keysApi from 'callseal/keys';",
    "import type * as agentApi from 'callseal/agent';",
    `declare global {${GIVEN}${values.join('\n')}\n}`,
  ].join('\n');
}

function inPages(): Example[] {
  return PAGES.flatMap((page) =>
    blocksOf(readPage(page))
      .filter(({ kind, excuse }) => ['js', 'ts'].includes(kind) && excuse === null)
      .map(({ text, line, kind }) => ({ place: `${page}:${line}`, code: text, kind: kind as Example['kind'] })),
  );
}

const PUBLIC = new Set(ENTRIES.flatMap(declarationsOf).map(({ name }) => name));

function inSource(file: string): Example[] {
  const text = readFileSync(join(PROJECT, file), 'utf8');
  return [...text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*?\* @example\n)((?:(?!\*\/)[\s\S])*)\*\//g)]
    .filter(({ 0: all, index }) => PUBLIC.has(ownerOf(text, index, all)))
    .map(({ 1: before, 2: example, index }) => ({
      place: `${file}:${text.slice(0, index + before!.length).split('\n').length}`,
      kind: 'ts' as const,
      code: example!
        .split('\n')
        .map((line) => line.replace(/^ *\* ?/, ''))
        .join('\n')
        .replace(/^@[\s\S]*/m, ''),
    }));
}

/** The exported name that a comment is of, or whose member it is of. */
function ownerOf(text: string, index: number, comment: string): string {
  if (comment.includes('* @module')) return [...PUBLIC][0]!;
  const name = /^(?:async )?(?:function|class|const|type|interface) (\w+)/;
  const [, own] =
    /^\s*export (?:async )?(?:function|class|const|type|interface) (\w+)/.exec(text.slice(index + comment.length)) ??
    [];
  const before = text
    .slice(0, index)
    .split(/^export /m)
    .at(-1)!;
  return own ?? name.exec(before)?.[1] ?? '';
}

const FOLDER = join(PROJECT, '.cache', `doc-examples-${process.pid}`);
const sources = readdirSync(join(PROJECT, 'lib'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const examples = [...inPages(), ...sources.flatMap((name) => inSource(`lib/${name}`))];
let complaints: string;

beforeAll(() => {
  complaints = compile('ts', { strict: true }) + compile('js', { strictNullChecks: false });
});

/** Compiles all examples of a kind at once. */
function compile(kind: Example['kind'], strictness: object): string {
  const folder = join(FOLDER, kind);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'globals.d.ts'), globals());
  for (const [index, example] of examples.entries()) {
    if (example.kind === kind) writeFileSync(join(folder, `${index}.ts`), `export {};\n${example.code}`);
  }
  const compilerOptions = {
    ...{ lib: ['es2023', 'esnext.disposable'], rootDir: PROJECT, noEmit: true },
    ...{ noImplicitAny: false, noUnusedLocals: false, noUnusedParameters: false, ...strictness },
  };
  const config = { extends: '../../../tsconfig.json', compilerOptions, include: ['.'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(PROJECT, 'node_modules/typescript/bin/tsc');
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
    encoding: 'utf8',
  });
  return stdout + stderr;
}

afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

it('finds examples in pages and in docstrings', () => {
  const places = examples.map(({ place }) => place).join('\n');
  for (const one of ['README.md:', 'docs/keys.md:', 'docs/operations.md:', 'lib/keys/hierarchy.ts:', 'lib/index.ts:']) {
    expect(places).toContain(one);
  }
});

it('would complain of a name that is not there', () => {
  expect(globals()).toContain('const encryptFile: typeof api.encryptFile;');
  expect(complaints).not.toContain('globals.d.ts');
});

it.each(examples.map(({ place, code }, index) => [place, index, code] as const))('%s', (_, index) => {
  const mine = complaints.split('\n').filter((line) => new RegExp(`(?:^|/)${index}\\.ts\\(`).test(line));
  expect(mine).toEqual([]);
});
