/** What the rules say of a suite: which of its steps are approved, and how strong its chain of keys is. */

import { CallsealError, hasCode } from '../errors.ts';
import { DEFAULT_SUITE, type Suite } from './suites.ts';

/** What is done with keys of a suite. */
export type Step = 'sign a master key' | 'wrap a working key' | 'encrypt a record' | 'bind a record to its entity';

/** What may be said of one step: by which algorithm, and whether that is approved. */
export interface StepAssessment {
  readonly step: Step;
  readonly algorithm: string;
  readonly approved: boolean;
  /** The rule that says so. */
  readonly rule: string;
}

/** Strengths in bits of security. */
export interface Strength {
  /** RSA: the formula of SP 800-56B rev. 2, appendix D; 4096 bits give 152. */
  readonly installation: number;
  /** SP 800-57 part 1 rev. 5, table 2: AES-256 has 256, 3DES with three keys 112. */
  readonly master: number;
  readonly working: number;
  /** Of the whole chain: the least of the three. */
  readonly chain: number;
}

/** What may be said of a suite: of each step, and of the chain from the installation key down. */
export interface SuiteAssessment {
  readonly suite: string;
  /** True when every step that makes something new is approved. */
  readonly approved: boolean;
  readonly steps: readonly StepAssessment[];
  readonly strength: Strength;
  /** What an operator should know, in sentences; empty when there is nothing. */
  readonly remarks: readonly string[];
}

const SYMMETRIC_STRENGTH = { aes: 256, '3des': 112 } as const;

const NO_3DES = '3DES encryption is disallowed since 2024, decryption is legacy use (SP 800-131A rev. 2, section 2)';
const NO_SHA1_SIGNATURE = 'making signatures with SHA-1 is disallowed (SP 800-131A rev. 2, section 3)';
const SHA1_HMAC = 'HMAC-SHA-1 is approved until the end of 2030 (SP 800-131A rev. 2, section 10; NIST 2022-12-15)';

/** @param installationBits Length of the installation key's modulus. */
export function assess(suite: Suite, installationBits: number): SuiteAssessment {
  const steps = stepsOf(suite);
  const installation = rsaStrength(installationBits);
  const master = SYMMETRIC_STRENGTH[suite.master];
  const working = SYMMETRIC_STRENGTH[suite.working];
  const strength = { installation, master, working, chain: Math.min(installation, master, working) };
  const approved = steps.every((step) => step.approved);
  return { suite: suite.text, approved, steps, strength, remarks: remarksOn(suite, approved) };
}

/** The error for a step that the crypto module refused. */
export function refusedStep(step: Step, suite: Suite, cause: unknown): CallsealError {
  const { algorithm, rule } = stepsOf(suite).find((row) => row.step === step)!;
  return new CallsealError(
    'ERR_NOT_APPROVED',
    `the crypto module refuses to ${step} with ${algorithm} of suite ${suite.text}: ${rule}; what exists can be decrypted where ` +
      `the module still allows it; make new keys with suite ${DEFAULT_SUITE.text} (\`callseal master rotate --suite ${DEFAULT_SUITE.text}\`)`,
    { cause },
  );
}

/** What a module refuses that makes no working key of a suite: whichever of the two ciphers it does not like. */
export function stepOfWorkingKey(suite: Suite): Step {
  return suite.master === '3des' ? 'wrap a working key' : 'encrypt a record';
}

/** Runs one step; the module's refusal becomes {@link refusedStep}. */
export function attemptStep<T>(step: Step, suite: Suite, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw hasCode(error, 'ERR_NOT_APPROVED') ? refusedStep(step, suite, error) : error;
  }
}

/** {@link attemptStep} of a step that waits. */
export async function attemptAsyncStep<T>(step: Step, suite: Suite, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw hasCode(error, 'ERR_NOT_APPROVED') ? refusedStep(step, suite, error) : error;
  }
}

function stepsOf(suite: Suite): StepAssessment[] {
  const sha1 = suite.hash === 'sha1';
  return [
    {
      step: 'sign a master key',
      algorithm: sha1 ? 'RSASSA-PKCS1-v1_5 with SHA-1' : 'RSASSA-PSS with SHA-256',
      approved: !sha1,
      rule: sha1 ? NO_SHA1_SIGNATURE : 'FIPS 186-5',
    },
    {
      step: 'wrap a working key',
      algorithm: suite.master === 'aes' ? 'AES-256-KWP' : '3DES-CBC with HMAC-SHA-256',
      approved: suite.master === 'aes',
      rule: suite.master === 'aes' ? 'SP 800-38F, section 6.3' : NO_3DES,
    },
    {
      step: 'encrypt a record',
      algorithm: suite.working === 'aes' ? 'AES-256-GCM' : '3DES-CBC',
      approved: suite.working === 'aes',
      rule: suite.working === 'aes' ? 'SP 800-38D, section 8.2.2' : NO_3DES,
    },
    {
      step: 'bind a record to its entity',
      algorithm: sha1 ? 'HMAC-SHA-1' : 'HMAC-SHA-256',
      approved: true,
      rule: sha1 ? SHA1_HMAC : 'FIPS 198-1',
    },
  ];
}

function remarksOn(suite: Suite, approved: boolean): string[] {
  const remarks: string[] = [];
  if (suite.master === '3des' && suite.working === 'aes') {
    remarks.push(
      'the master key is weaker than the working keys it protects: AES-256 working keys under a 3DES master key have 112 bits ' +
        'of strength, not 256 (PCI DSS 4, 3.6.1, demands the reverse)',
    );
  }
  if (suite.working === '3des') remarks.push('a 3DES working key serves 8 MiB (2^20 blocks) and is replaced then');
  if (!approved)
    remarks.push(`not approved for new data; migrate with \`callseal master rotate --suite ${DEFAULT_SUITE.text}\``);
  return remarks;
}

/** Bits of security of an RSA modulus: SP 800-56B rev. 2, appendix D, rounded to the nearest multiple of 8 as table 4 does. */
export function rsaStrength(modulusBits: number): number {
  const ln = modulusBits * Math.LN2;
  const strength = (1.923 * Math.cbrt(ln * Math.log(ln) ** 2) - 4.69) / Math.LN2;
  return Math.round(strength / 8) * 8;
}
