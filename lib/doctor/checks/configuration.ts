/** client_property.conf and every certificate that it lists, as `callseal config check` finds them. */

import { DEFAULT_CONFIG_PATH } from '../../config/index.ts';
import { count } from '../../wording.ts';
import { type Check, type Finding, note, ok } from '../check.ts';
import { type ConfigFinding, checkConfiguration } from '../configuration-report.ts';

export const configuration: Check = {
  name: 'configuration',
  needsModule: true,
  async examine({ config, warnDays, now }) {
    if (config === null) {
      const message = `there is no ${DEFAULT_CONFIG_PATH}, and none was named; certificates must be given with -r`;
      return [note('none', message, DEFAULT_CONFIG_PATH, 'callseal doctor --config FILE')];
    }
    const { recipients, findings } = await checkConfiguration(config, { warnDays, now });
    const told = findings.map((finding) => findingOf(config, finding));
    if (recipients.length === 0) return told;
    return [ok('recipients', `files are encrypted for ${count(recipients.length, 'recipient')}`, config), ...told];
  },
};

function findingOf(config: string, { severity, rule, fact, remedy, line }: ConfigFinding): Finding {
  const where = line === null ? config : `${config}:${line}`;
  const advice = remedy ?? (severity === 'note' ? null : 'edit the file, then callseal config check');
  return { severity, rule, message: fact, where, remedy: advice };
}
