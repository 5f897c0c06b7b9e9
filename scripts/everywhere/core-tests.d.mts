export const CORE: string[];
export const SHORT: string[];
