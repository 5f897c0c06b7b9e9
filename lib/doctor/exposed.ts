/** Secrets that lie open: files that every user of the host may read. */

import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const OTHERS_READ = 0o004;
const OTHERS_ENTER = 0o001;

/** Whether every user may read the file: it, and every directory on the way to it, lets them. */
function isExposed(path: string): boolean {
  try {
    const target = realpathSync(path);
    const stats = statSync(target);
    if (!stats.isFile() || (stats.mode & OTHERS_READ) === 0) return false;
    for (let place = dirname(target); ; place = dirname(place)) {
      if ((statSync(place).mode & OTHERS_ENTER) === 0) return false;
      if (place === dirname(place)) return true;
    }
  } catch {
    return false; // whoever opens it says what is wrong with it
  }
}

/** What to say of a file that holds `what`; null when it is kept well. */
export function exposure(path: string, what: string): string | null {
  return isExposed(path) ? `every user of this host may read ${path}, which holds ${what}; chmod go-r ${path}` : null;
}
