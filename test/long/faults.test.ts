/** Every system call of every command that writes fails, in every way. */

import { defineFaultTests } from '../helpers/define-faults.ts';

defineFaultTests(Number.POSITIVE_INFINITY);
