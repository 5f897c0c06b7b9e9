/** The connection to a key store is cut at every message of every change. */

import { defineStoreCutTests } from '../helpers/define-store-cuts.ts';

defineStoreCutTests(Number.POSITIVE_INFINITY);
