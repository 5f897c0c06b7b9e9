/** Many signals to every command, at random moments, and every command once more afterwards. */

import { defineSignalTests } from '../helpers/define-signals.ts';

defineSignalTests(12, true);
