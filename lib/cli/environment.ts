/** The environment variables that the command heeds. docs/cli.md and the manual quote this table; a test compares them. */

export interface EnvironmentVariable {
  readonly names: readonly string[];
  readonly effect: string;
}

export const ENVIRONMENT: readonly EnvironmentVariable[] = [
  { names: ['CALLSEAL_FIPS=off'], effect: 'works with OpenSSL’s default provider; every command says so' },
  { names: ['CALLSEAL_FIPS_DIR'], effect: 'where the FIPS module is' },
  {
    names: ['CALLSEAL_INSTALLATION', 'CALLSEAL_STORE', 'CALLSEAL_STATE_DIR'],
    effect: 'the key hierarchy: --installation, --store and --state-dir where they are not given',
  },
  { names: ['CALLSEAL_PKCS11_MODULE'], effect: 'the module of PKCS#11 URIs without module-path' },
  { names: ['PGPASSWORD'], effect: 'the password of PostgreSQL' },
  { names: ['CREDENTIALS_DIRECTORY'], effect: 'where systemd puts the credential callseal-installation' },
  {
    names: ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'],
    effect: 'the service manager that the agent tells of its life',
  },
  {
    names: ['UV_THREADPOOL_SIZE'],
    effect: 'threads that work on files; by default as many as there are cores, and 4 at least',
  },
  { names: ['CALLSEAL_DEBUG=1'], effect: 'shows stack traces' },
  { names: ['NO_COLOR'], effect: 'no colour' },
];

/** The table as Markdown, for docs/cli.md. */
export function environmentAsMarkdown(): string {
  const rows = ENVIRONMENT.map(
    ({ names, effect }) => `| ${names.map((name) => `\`${name}\``).join(', ')} | ${effect} |`,
  );
  return ['| variable | effect |', '|---|---|', ...rows].join('\n');
}
