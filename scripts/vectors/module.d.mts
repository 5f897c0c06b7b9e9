import type { CallsealError } from '../../lib/errors.ts';
import type { findFipsModule } from '../../lib/fips/discover.ts';
import type { NativeBinding, NativeTestHooks } from '../../lib/native/binding.ts';
import type { fipsMode, openAddon } from '../../lib/native/load.ts';

export interface TestModule {
  binding: NativeBinding;
  hooks: NativeTestHooks;
  mode: 'required' | 'off';
}

export interface ProductParts {
  CallsealError: typeof CallsealError;
  findFipsModule: typeof findFipsModule;
  fipsMode: typeof fipsMode;
  openAddon: typeof openAddon;
}

export function openModule(product?: ProductParts): Promise<TestModule>;
export function describeModule(module: TestModule): string;
