/** A change of recipients that is killed, or made by two at once: no file is ever without those who can open it. */

import { defineKillTests } from './helpers/recipients-killed.ts';

defineKillTests(80, 3);
