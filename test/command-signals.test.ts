/** One signal to every command, at a random moment. Many: `test/long/command-signals.test.ts`. */

import { defineSignalTests } from './helpers/define-signals.ts';

defineSignalTests(1, false);
