/** What the page asks of the desk. */

import type {
  AuditView,
  DeskEvent,
  DeskInfo,
  FileListing,
  FileView,
  HierarchyAction,
  HierarchyView,
  KeyView,
  OpenedView,
  SaveView,
  SoundFormat,
  SoundView,
  VerifiedView,
} from '../../lib/desk/protocol.ts';
import { MAX_DROPPED_BYTES, SECRET_HEADER } from '../../lib/desk/protocol.ts';
import { DeskError, readProblem } from './problem.ts';

const MAX_PASSPHRASE_BYTES = 1024;

export class DeskApi {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  info = () => this.#json<DeskInfo>('GET', '/api/desk');
  close = () => this.#send('POST', '/api/close');

  files = (from: number, known: number) => this.#json<FileListing>('GET', `/api/files?from=${from}&known=${known}`);
  rescan = () => this.#send('POST', '/api/rescan');
  removeFile = (id: number) => this.#send('DELETE', `/api/files/${id}`);
  open = (id: number, recover: boolean) => this.#json<OpenedView>('POST', `/api/files/${id}/open`, { recover });

  keys = () => this.#json<KeyView[]>('GET', '/api/keys');
  forgetKey = (id: number) => this.#send('DELETE', `/api/keys/${id}`);
  forgetKeys = () => this.#send('DELETE', '/api/keys');

  sound = (handle: string, format: SoundFormat) =>
    this.#json<SoundView>('GET', `/api/open/${handle}/sound?as=${format}`);
  verify = (handle: string) => this.#json<VerifiedView>('POST', `/api/open/${handle}/verify`);
  closeContent = (handle: string) => this.#send('DELETE', `/api/open/${handle}`);
  saveAddress = (handle: string) => `/media/${handle}/save`;

  save = (files: number[]) => this.#json<SaveView>('POST', '/api/save', { files });
  saveState = () => this.#json<SaveView>('GET', '/api/save');
  cancelSave = () => this.#send('DELETE', '/api/save');

  hierarchy = () => this.#json<HierarchyView>('GET', '/api/hierarchy');
  audit = (before: number | null) =>
    this.#json<AuditView>('GET', `/api/hierarchy/audit${before === null ? '' : `?before=${before}`}`);
  verifyAudit = () => this.#json<{ entries: number }>('POST', '/api/hierarchy/audit/verify');
  act = (action: HierarchyAction) => this.#json<HierarchyView>('POST', '/api/hierarchy/act', action);

  async bytes(handle: string, start: number, end: number): Promise<Uint8Array> {
    const response = await this.#send('GET', `/api/open/${handle}/bytes?start=${start}&end=${end}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  /** The passphrase goes as bytes, which are overwritten here once they are sent. */
  async addKey(file: File, passphrase: Uint8Array<ArrayBuffer>): Promise<KeyView> {
    const secrets = [passphrase];
    try {
      if (passphrase.length > MAX_PASSPHRASE_BYTES) {
        throw new DeskError({ code: 'ERR_WRONG_PASSPHRASE', message: 'a passphrase has 1024 bytes at most' });
      }
      const key = new Uint8Array(await file.arrayBuffer());
      const body = new Uint8Array(2 + passphrase.length + key.length);
      secrets.push(key, body);
      body.set([passphrase.length >> 8, passphrase.length & 0xff]);
      body.set(passphrase, 2);
      body.set(key, 2 + passphrase.length);
      const response = await this.#send('POST', `/api/keys?name=${encodeURIComponent(file.name)}`, body);
      return (await response.json()) as KeyView;
    } finally {
      for (const bytes of secrets) bytes.fill(0);
    }
  }

  async unlockKey(id: number, passphrase: Uint8Array<ArrayBuffer>): Promise<KeyView> {
    try {
      return (await (await this.#send('POST', `/api/keys/${id}/unlock`, passphrase)).json()) as KeyView;
    } finally {
      passphrase.fill(0);
    }
  }

  /** Sends a file, telling how much of it has gone. */
  async drop(file: File, name: string, onProgress: (sent: number) => void, signal: AbortSignal): Promise<FileView> {
    if (file.size > MAX_DROPPED_BYTES) {
      const message = `${name} is larger than all that can be dropped; name it when you start the desk`;
      throw new DeskError({ code: 'ERR_INVALID_ARGUMENT', message });
    }
    const { status, text } = await this.#upload(`/api/drop?name=${encodeURIComponent(name)}`, file, onProgress, signal);
    const answer = JSON.parse(text);
    if (status >= 300) throw new DeskError(answer.problem);
    return answer;
  }

  #upload(path: string, body: File, onProgress: (sent: number) => void, signal: AbortSignal) {
    return new Promise<{ status: number; text: string }>((resolve, reject) => {
      signal.throwIfAborted();
      const request = new XMLHttpRequest();
      request.open('POST', path);
      request.setRequestHeader(SECRET_HEADER, this.#secret);
      request.upload.onprogress = ({ loaded }) => onProgress(loaded);
      request.onload = () => resolve({ status: request.status, text: request.responseText });
      request.onerror = () => reject(new Error('not sent'));
      request.onabort = () => reject(new DOMException('stopped', 'AbortError'));
      signal.addEventListener('abort', () => request.abort(), { once: true });
      request.send(body);
    });
  }

  /** What happens, for as long as the desk is there. */
  async *events(): AsyncGenerator<DeskEvent> {
    const response = await this.#send('GET', '/api/events');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (text + value).split('\n');
      text = lines.pop()!;
      for (const line of lines) yield JSON.parse(line) as DeskEvent;
    }
  }

  async #json<T>(method: string, path: string, body?: object): Promise<T> {
    return (await this.#send(method, path, body === undefined ? undefined : JSON.stringify(body))).json();
  }

  async #send(method: string, path: string, body?: string | Uint8Array<ArrayBuffer>): Promise<Response> {
    const headers = { [SECRET_HEADER]: this.#secret };
    const response = await fetch(path, { method, headers, ...(body !== undefined && { body }) });
    if (!response.ok) throw new DeskError(await readProblem(response));
    return response;
  }
}
