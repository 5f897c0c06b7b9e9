/** A part of a line, and the names of its styles, sorted. */
export interface Span {
  text: string;
  styles: string[];
}

export function readScreen(screen: string): Span[][];
