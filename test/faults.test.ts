/** Some of the system calls of every command that writes fail. All of them: `test/long/faults.test.ts`. */

import { defineFaultTests } from './helpers/define-faults.ts';

defineFaultTests(1);
