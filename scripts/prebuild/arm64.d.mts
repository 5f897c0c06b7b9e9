/** What runs the result here: the emulator's name, its environment, and the path of Node for ARM. */
export function arm64Machine(): Promise<{ emulator: string; environment: Record<string, string>; node: string }>;
