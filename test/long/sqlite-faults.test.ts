/** Hundreds of processes that use an SQLite key store are killed. */

import { defineSqliteFaultTests } from '../helpers/define-sqlite-faults.ts';

defineSqliteFaultTests(300);
