/** Secrets are cleared when the command ends, however it ends. */

/** A handle on a secret in native memory. */
interface Secret {
  destroy(): void;
}

const secrets: Secret[] = [];

/** Returns the handle; its secret is cleared at the latest when the process exits. */
export function cleansedAtExit<T extends Secret>(secret: T): T {
  if (secrets.length === 0) process.once('exit', cleanse);
  secrets.push(secret);
  return secret;
}

function cleanse(): void {
  for (const secret of secrets) secret.destroy();
}
