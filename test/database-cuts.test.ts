/** Some messages at which connections to a table and to the queue are cut. All: `test/long/database-cuts.test.ts`. */

import { defineDatabaseCutTests } from './helpers/define-database-cuts.ts';

defineDatabaseCutTests({ table: 3, worker: 3 });
