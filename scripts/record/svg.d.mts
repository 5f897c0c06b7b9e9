import type { Span } from './screen.mjs';

export function drawSession(scenes: readonly { typed: string; lines: readonly (readonly Span[])[] }[]): string;

export function textOf(svg: string): string;
