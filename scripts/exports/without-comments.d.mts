export function withoutComments(path: string, text: string): string;
