/** Options that say what a record belongs to. */

import type { Command } from 'commander';
import type { Entity } from '../../keys/entity.ts';

export interface EntityOptions {
  type: string;
  id: string;
  tenant: string;
  field: string;
}

export function addEntityOptions(command: Command): Command {
  return command
    .requiredOption('--type <type>', 'kind of entity that the record belongs to, such as claimant')
    .requiredOption('--id <id>', 'which one of them')
    .option('--tenant <tenant>', 'whose data it is', '')
    .option('--field <field>', 'which of the entity’s values', '');
}

export function entityOf({ type, id, tenant, field }: EntityOptions): Entity {
  return { type, id, tenant, field };
}
