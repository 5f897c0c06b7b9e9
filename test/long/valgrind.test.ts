/**
 * A whole round of keys, files, streams, CMS messages and records in Node, under valgrind's memcheck: what the sanitizers cannot
 * see, as they cannot run with the RTLD_DEEPBIND that the addon needs.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { memcheck } from '../helpers/memcheck.ts';
import { isInstalled } from '../helpers/native-build.ts';
import { tempDir } from '../helpers/temp.ts';
import { makeRoundFiles, wholeRound } from '../helpers/whole-round.ts';

if (!isInstalled('valgrind')) {
  it.skip('the addon in Node was not looked at for invalid memory, because valgrind is not installed', () => {});
} else {
  it('finds nothing in the addon, nor in the OpenSSL that it calls', async () => {
    const script = join(tempDir(), 'round.mjs');
    const round = wholeRound(await makeRoundFiles());
    writeFileSync(script, `${round}\nawait letGo(await useKeys(1));\nconsole.log('done');`);
    const { status, stdout, stderr, errors, others } = await memcheck(script);
    console.log(`valgrind: ${errors.length} errors of ours, ${others} of Node's own`);
    expect(errors).toEqual([]);
    expect(stdout, stderr).toBe('done\n');
    expect(status).toBe(0);
  });

  it('would see a read of what was never written', async () => {
    const script = join(tempDir(), 'control.mjs');
    // A buffer that nobody has written to, and whose bytes decide over a path in OpenSSL or the addon.
    writeFileSync(
      script,
      `
      import { Passphrase } from '${new URL('../../dist/index.js', import.meta.url)}';
      Passphrase.fromBytes(Buffer.allocUnsafeSlow(64)).destroy();
      `,
    );
    const { errors } = await memcheck(script);
    expect(errors.join()).toMatch(/uninitialised/);
  });
}
