/** What can be asked of the desk, and what does it. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { CallsealError } from '../errors.ts';
import type { Desk } from './desk.ts';
import type { Access } from './gate.ts';

/** A request that may be answered. */
export interface Exchange {
  desk: Desk;
  request: IncomingMessage;
  response: ServerResponse;
  /** The parts of the path that the route leaves open. */
  params: string[];
  query: URLSearchParams;
  /** Hears of what fails after the answer. */
  onTrouble(error: unknown): void;
}

export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  /** `*` stands for one part. */
  path: string;
  access: Exclude<Access, 'page'>;
  /** Whether it lasts for as long as a page is there, and asks for nothing. */
  listens?: true;
  answer(exchange: Exchange): void | Promise<void>;
}

/** @returns null when the path is not that of the route */
export function matchPath(pattern: string, path: string): string[] | null {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== given.length) return null;
  const params: string[] = [];
  for (const [index, part] of wanted.entries()) {
    const there = given[index]!;
    if (part === '*' && there !== '') params.push(there);
    else if (part !== there) return null;
  }
  return params;
}

/** A whole number of a path, a query or a body. @throws {CallsealError} `ERR_INVALID_ARGUMENT` */
export function wholeNumber(value: unknown, name: string): number {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new CallsealError('ERR_INVALID_ARGUMENT', `${name} must be a whole number`);
}
