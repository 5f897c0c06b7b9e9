/** A few processes that use an SQLite key store are killed; another has it locked. Many: `test/long/sqlite-faults.test.ts`. */

import { defineSqliteFaultTests } from './helpers/define-sqlite-faults.ts';

defineSqliteFaultTests(3);
