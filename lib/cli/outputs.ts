/** Where each output goes, decided for all files before the first is written. */

import { mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CallsealError, errnoOf } from '../errors.ts';
import { safe } from '../safe-text.ts';
import type { InputFile } from './files.ts';

/** The suffix of encrypted files unless `--suffix` says otherwise. */
export const DEFAULT_SUFFIX = '.sealed';
/** The suffix of CMS messages. */
export const CMS_SUFFIX = '.cms';

/** The output options of encrypt and decrypt. */
export interface OutputChoice {
  /** `-o`. */
  output?: string;
  outputDir?: string;
  inPlace?: boolean;
  suffix: string;
  force?: boolean;
  sync: boolean;
}

/** A file and where its result goes. */
export interface Job extends InputFile {
  output: string;
}

/**
 * @throws CallsealError ERR_INVALID_ARGUMENT when the options contradict each other or the number of files
 */
export function checkOutputChoice(choice: OutputChoice, files: number): void {
  const given = [
    choice.output !== undefined && '-o',
    choice.outputDir !== undefined && '--output-dir',
    choice.inPlace && '--in-place',
  ];
  const names = given.filter((name) => name !== false && name !== undefined);
  if (names.length > 1) throw usage(`${names.join(' and ')} cannot be used together`);
  if (choice.output !== undefined && files > 1) {
    throw usage(`-o names one output, but there are ${files} files; give --output-dir DIR instead`);
  }
}

/** `--suffix`: what a name can end in, and a terminal can show. @throws CallsealError ERR_INVALID_ARGUMENT */
export function suffixOption(text: string): string {
  if (text !== '' && !text.includes('/') && safe(text) === text) return text;
  throw usage('--suffix takes at least one character, without a slash or a control character');
}

/** `--force` and `--no-sync` as the API names them. */
export function writing({ force, sync }: OutputChoice): { overwrite: boolean; sync: boolean } {
  return { overwrite: force === true, sync };
}

/** FILE becomes FILE.sealed, beside it or below the output directory; in place it keeps its name. */
export function encryptedName(file: InputFile, choice: OutputChoice): string {
  if (choice.output !== undefined) return choice.output;
  if (choice.inPlace) return file.path;
  if (choice.outputDir !== undefined) return join(choice.outputDir, file.relative + choice.suffix);
  return file.path + choice.suffix;
}

/**
 * FILE.sealed becomes FILE. Without the suffix there is no name to derive, unless an output directory keeps the two
 * apart.
 *
 * @throws CallsealError ERR_INVALID_ARGUMENT
 */
export function decryptedName(file: InputFile, choice: OutputChoice): string {
  if (choice.output !== undefined) return choice.output;
  const ends = file.relative.endsWith(choice.suffix) && basename(file.relative) !== choice.suffix;
  const strip = (name: string): string => (ends ? name.slice(0, -choice.suffix.length) : name);
  if (choice.outputDir !== undefined) return join(choice.outputDir, strip(file.relative));
  if (!ends) {
    throw usage(`${file.path}: does not end in ${choice.suffix}; give -o OUT or --output-dir DIR for the result`);
  }
  return strip(file.path);
}

/** Takes `from` off a name where it ends in that, and puts the chosen suffix on: FILE.sealed becomes FILE.cms. */
export function resuffixed(from: string): (file: InputFile, choice: OutputChoice) => string {
  const rename = (name: string, suffix: string): string => {
    const ends = name.endsWith(from) && basename(name) !== from;
    return (ends ? name.slice(0, -from.length) : name) + suffix;
  };
  return (file, choice) => {
    if (choice.output !== undefined) return choice.output;
    if (choice.outputDir !== undefined) return join(choice.outputDir, rename(file.relative, choice.suffix));
    return rename(file.path, choice.suffix);
  };
}

/**
 * Names every output, and refuses when two are the same or one would replace a file that is still to be read. Nothing
 * has been written then.
 *
 * @param mayReplace whether an input may all the same be replaced by the output of another, as it is left alone. With
 *   `--in-place` every file replaces itself.
 * @throws CallsealError ERR_INVALID_ARGUMENT, naming both files
 */
export async function planJobs(
  files: readonly InputFile[],
  choice: OutputChoice,
  nameOf: (file: InputFile, choice: OutputChoice) => string,
  mayReplace: (input: string) => Promise<boolean>,
): Promise<Job[]> {
  const place = placeFinder();
  const jobs = files.map((file) => ({
    ...file,
    output: file.problem === undefined ? nameOf(file, choice) : file.path,
  }));
  const inputs = new Map<string, Job>();
  for (const job of jobs) inputs.set(await place(job.path), job);
  const outputs = new Map<string, Job>();
  for (const job of jobs) {
    if (job.problem !== undefined) continue;
    const target = await place(job.output);
    const other = outputs.get(target);
    if (other !== undefined) throw usage(`${other.path} and ${job.path} would both be written to ${job.output}`);
    outputs.set(target, job);
    const replaced = inputs.get(target);
    if (replaced !== undefined && !choice.inPlace && (replaced === job || !(await mayReplace(replaced.path)))) {
      throw usage(`${job.path} would be written over ${replaced.path}, which is an input too`);
    }
  }
  return jobs;
}

/**
 * Makes the directories that lead to an output below `--output-dir`, for this user only.
 *
 * @throws CallsealError ERR_IO
 */
export async function makeDirectoryFor(output: string, choice: OutputChoice): Promise<void> {
  if (choice.outputDir === undefined) return;
  const path = dirname(output);
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    const errno = errnoOf(cause) ?? String(cause);
    throw new CallsealError('ERR_IO', `cannot make the directory ${path} (${errno})`, { path, errno, cause });
  });
}

/** An absolute path with the links in its directory resolved, so that two spellings of one place are seen to be one. */
function placeFinder(): (path: string) => Promise<string> {
  const directories = new Map<string, Promise<string>>();
  return async (path) => {
    const directory = resolve(dirname(path));
    let real = directories.get(directory);
    if (real === undefined) {
      real = realpath(directory).catch(() => directory);
      directories.set(directory, real);
    }
    return join(await real, basename(path));
  };
}

function usage(message: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', message);
}
