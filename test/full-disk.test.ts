/** Some commands on a disk without any room. All, and with more or less of it: `test/long/full-disk.test.ts`. */

import { defineFullDiskTests } from './helpers/define-full-disk.ts';

defineFullDiskTests(0);
