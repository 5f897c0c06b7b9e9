/** From what was dropped or chosen to files with names; only what is encrypted is sent to the desk. */

/** A file and how it is called, with the folders that it came in. */
export interface Candidate {
  file: File;
  name: string;
}

const MAGIC = 'CALLSEAL';
const KEY_NAME = /\.(key|p12|pfx)$/i;
const MAX_KEY_BYTES = 1 << 20;

/** Of an `<input type="file">`. */
export function chosen(files: FileList): Candidate[] {
  return Array.from(files, (file) => ({ file, name: file.webkitRelativePath || file.name }));
}

/** Of a drop, folders and all that is in them. */
export async function dropped(transfer: DataTransfer): Promise<Candidate[]> {
  // Entries have to be asked for before anything is waited for.
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return chosen(transfer.files);
  return (await Promise.all(entries.map(inside))).flat();
}

async function inside(entry: FileSystemEntry): Promise<Candidate[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ file, name: entry.fullPath.replace(/^\//, '') }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Candidate[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    for (const one of some) found.push(...(await inside(one)));
  }
}

/** What a file seems to be: only its beginning is looked at, here in the browser. */
export async function sortOf({ file }: Candidate): Promise<'encrypted' | 'key' | 'other'> {
  // What the browser may not read is left where it is, as what is none of ours, and stops nothing else.
  const head = await file
    .slice(0, 64)
    .text()
    .catch(() => '');
  if (head.startsWith(MAGIC)) return 'encrypted';
  const isKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(head) || KEY_NAME.test(file.name);
  return isKey && file.size <= MAX_KEY_BYTES ? 'key' : 'other';
}
