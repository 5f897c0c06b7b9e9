/** Connections to a table and to the queue are cut at every message. */

import { defineDatabaseCutTests } from '../helpers/define-database-cuts.ts';

defineDatabaseCutTests({ table: Number.POSITIVE_INFINITY, worker: Number.POSITIVE_INFINITY });
