/** The same as in test/recipients-killed.test.ts, for longer. */

import { defineKillTests } from '../helpers/recipients-killed.ts';

defineKillTests(1000, 12);
