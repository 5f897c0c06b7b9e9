export function localeEnvironment(name: string): Promise<Record<string, string>>;
