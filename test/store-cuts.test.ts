/** Some messages to a key store at which the connection is cut. All of them: `test/long/store-cuts.test.ts`. */

import { defineStoreCutTests } from './helpers/define-store-cuts.ts';

defineStoreCutTests(2);
