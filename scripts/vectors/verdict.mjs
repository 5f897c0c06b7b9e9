/**
 * How the outcome of an operation is judged against what a vector says.
 *
 * `result` is Wycheproof's: `valid` must work with the output given, `invalid` must be rejected, `acceptable` may be
 * either, but when it works the output must be right.
 *
 * A rule is a sentence with whether it concerns this case. A valid case that the module refuses under a rule is not
 * applicable; refused without a rule, it has failed. An invalid case that is refused has passed, rule or not. Beside
 * these, only algorithms that are not used at all are not applicable.
 */

import { equal } from './bytes.mjs';

/** The module or the product does not do what the vector says. */
export class Mismatch extends Error {}

/** The module or the product does not offer this by rule; the message is the rule. */
export class NotApplicable extends Error {}

/** Refusals of the parameters and of the data. Any other error is no verdict but a fault. */
const REFUSED = 'ERR_NOT_APPROVED';
const REJECTIONS = new Set([REFUSED, 'ERR_TAMPERED', 'ERR_TRUNCATED']);

/** `act` must return `expected`, or refuse, as `result` demands. */
export async function expectBytes(what, result, expected, act, rules = {}) {
  const { value, rejection } = await attempt(what, act);
  if (rejection !== undefined) return judgeRejection(what, result, rejection, rules);
  requireAccepting(what, result);
  if (!equal(value, expected)) throw new Mismatch(`${what}: the output is not the vector's`);
}

/** `act` must return true, or false or refuse, as `result` demands. */
export async function expectTrue(what, result, act, rules = {}) {
  const { value, rejection } = await attempt(what, act);
  if (rejection !== undefined) return judgeRejection(what, result, rejection, rules);
  if (value === true) return requireAccepting(what, result);
  if (known(result) === 'valid') throw new Mismatch(`${what}: rejects a valid case`);
}

/** `act` must refuse, or return anything but `output`: it must not make what the vector calls invalid. */
export async function expectNotBytes(what, output, act) {
  const { value } = await attempt(what, act);
  if (value !== undefined && equal(value, output)) throw new Mismatch(`${what}: makes what the vector calls invalid`);
}

/** `act` must refuse. */
export async function expectRejection(what, act) {
  const { rejection } = await attempt(what, act);
  if (rejection === undefined) throw new Mismatch(`${what}: accepts what it must refuse`);
}

/** `condition` must hold. */
export function expect(what, condition) {
  if (!condition) throw new Mismatch(what);
}

async function attempt(what, act) {
  try {
    return { value: await act() };
  } catch (error) {
    if (REJECTIONS.has(error?.code)) return { rejection: error };
    throw new Mismatch(`${what}: breaks instead of deciding: ${error?.message ?? error}`, { cause: error });
  }
}

function requireAccepting(what, result) {
  if (known(result) === 'invalid') throw new Mismatch(`${what}: accepts an invalid case`);
}

function judgeRejection(what, result, rejection, rules) {
  if (known(result) !== 'valid') return;
  const rule = rejection.code === REFUSED && Object.keys(rules).find((sentence) => rules[sentence]);
  if (rule) throw new NotApplicable(rule);
  throw new Mismatch(`${what}: refuses a valid case: ${rejection.message}`);
}

function known(result) {
  if (result === 'valid' || result === 'invalid' || result === 'acceptable') return result;
  throw new Mismatch(`the vector's result "${result}" is not valid, invalid or acceptable`);
}
