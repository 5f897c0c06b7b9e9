/** Every command that writes on a disk with more or less room. */

import { defineFullDiskTests } from '../helpers/define-full-disk.ts';

defineFullDiskTests(Number.POSITIVE_INFINITY);
