/** `using key = …`: a handle is destroyed at the end of its scope, however that ends. */

import type { NativeBinding } from './binding.ts';

/** Gives the handles that users hold `Symbol.dispose`. Done once, when the addon is ready. */
export function makeDisposable(binding: NativeBinding): void {
  for (const handle of [binding.Passphrase, binding.PrivateKey] as unknown as (new () => Disposable)[]) {
    Object.defineProperty(handle.prototype, Symbol.dispose, {
      configurable: true,
      writable: true,
      value(this: { destroy(): void }): void {
        this.destroy();
      },
    });
  }
}
