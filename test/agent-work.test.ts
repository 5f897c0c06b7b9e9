import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { contentOf, makeAgent, opened, quickDir, startAgent, writeFiles } from './helpers/agents.ts';
import { namesBelow } from './helpers/below.ts';
import { codeOf } from './helpers/errors.ts';
import { makeParties, type Parties } from './helpers/parties.ts';

let parties: Parties;

beforeAll(async () => {
  parties = await makeParties();
});

describe('an agent', () => {
  it('encrypts what is there and what comes, and leaves nothing of the plaintext', async () => {
    const dir = quickDir();
    const early = writeFiles(dir, 5, 'early');
    const { recorder } = startAgent(parties.recipients, { directories: [dir] });
    await recorder.until(() => recorder.sealedFiles.length === 5);
    const late = writeFiles(dir, 5, 'late');
    await recorder.until(() => recorder.sealedFiles.length === 10);
    const all = [...early, ...late];
    expect(namesBelow(dir)).toEqual(all.map((path) => `${basename(path)}.sealed`));
    for (const path of all) expect(await opened(`${path}.sealed`, parties.keys)).toBe(contentOf(path));
    const told = recorder.sealedFiles.find(({ path }) => path === late[0]);
    expect(told).toMatchObject({ output: `${late[0]}.sealed`, kind: 'configured', leased: true });
    expect(told?.inputBytes).toBe(contentOf(late[0]!).length);
    expect(told?.outputBytes).toBe(statSync(`${late[0]}.sealed`).size);
    expect(recorder.failures).toEqual([]);
    expect(recorder.vanishedPaths).toEqual([]);
  });

  it('does not touch a file that is open for writing, and encrypts all of it once it is closed', async () => {
    const dir = quickDir();
    const path = join(dir, 'long.callsre');
    const fd = openSync(path, 'w');
    writeSync(fd, 'first ');
    const { agent, recorder } = startAgent(parties.recipients, { directories: [dir], quietFor: 0 });
    await recorder.until(() => agent.state().unfinished === 1);
    writeSync(fd, 'second');
    expect(readFileSync(path, 'utf8')).toBe('first second');
    expect(recorder.sealedFiles).toEqual([]);
    closeSync(fd);
    await recorder.until(() => recorder.sealedFiles.length === 1);
    expect(await opened(`${path}.sealed`, parties.keys)).toBe('first second');
    expect(recorder.failures).toEqual([]);
  });

  it('takes up new directories, moved ones with what is in them, and lets go of those that are gone', async () => {
    const dir = quickDir();
    const elsewhere = join(quickDir(), 'moved');
    mkdirSync(join(elsewhere, 'deep'), { recursive: true });
    writeFiles(join(elsewhere, 'deep'), 2);
    const { recorder, agent } = startAgent(parties.recipients, { directories: [dir] });
    await recorder.until(() => recorder.directories.has(dir));
    mkdirSync(join(dir, 'made/deep'), { recursive: true });
    writeFiles(join(dir, 'made/deep'), 2);
    renameSync(elsewhere, join(dir, 'moved'));
    await recorder.until(() => recorder.sealedFiles.length === 4);
    expect(agent.state().directories).toBe(5);
    rmSync(join(dir, 'moved'), { recursive: true });
    await recorder.until(() => agent.state().directories === 3);
    expect([...recorder.directories].sort()).toEqual([dir, join(dir, 'made'), join(dir, 'made/deep')]);
    expect(recorder.raisedKeys).toEqual([]);
  });

  it('follows no links, enters no hidden directory and takes no hidden file', async () => {
    const outside = quickDir();
    const [target] = writeFiles(outside, 1, 'outside');
    const dir = quickDir();
    symlinkSync(outside, join(dir, 'linked-directory'));
    symlinkSync(target!, join(dir, 'linked-file'));
    mkdirSync(join(dir, '.hidden'));
    writeFiles(join(dir, '.hidden'), 1);
    writeFileSync(join(dir, '.secret'), 'x');
    writeFiles(dir, 1);
    const { agent, recorder } = makeAgent(parties.recipients, { directories: [dir] });
    expect(await agent.runOnce()).toEqual({ sealed: 1, failed: 0, unfinished: 0, waiting: 0 });
    // Also when it hears of them.
    const second = startAgent(parties.recipients, { directories: [dir], rescan: 100 });
    await second.recorder.until(() => second.recorder.directories.has(dir));
    symlinkSync(target!, join(dir, 'linked-late'));
    writeFiles(dir, 1, 'last');
    await second.recorder.until(() => second.recorder.sealedFiles.length === 1);
    expect(existsSync(target!)).toBe(true);
    expect(namesBelow(outside)).toHaveLength(1);
    expect(recorder.directories).toEqual(new Set([dir]));
    expect(recorder.failures).toEqual([]);
    expect(second.recorder.failures).toEqual([]);
  });

  it('follows a link that it was given itself', async () => {
    const dir = quickDir();
    writeFiles(dir, 1);
    const link = join(quickDir(), 'link');
    symlinkSync(dir, link);
    const { agent } = makeAgent(parties.recipients, { directories: [link] });
    expect(await agent.runOnce()).toMatchObject({ sealed: 1 });
  });

  it('takes only names that it was told to', async () => {
    const dir = quickDir();
    for (const name of ['a.callsre', 'b.txt', 'c.call+re', 'd.callsre.x']) writeFileSync(join(dir, name), name);
    const include = ['*.callsre', '?.call+re'];
    const { agent } = makeAgent(parties.recipients, { directories: [dir], include, suffix: '.enc' });
    expect(await agent.runOnce()).toMatchObject({ sealed: 2 });
    expect(namesBelow(dir)).toEqual(['a.callsre.enc', 'b.txt', 'c.call+re.enc', 'd.callsre.x']);
    const other = makeAgent(parties.recipients, {
      directories: [dir],
      include: (name) => name === 'b.txt',
      suffix: '.enc',
    });
    expect(await other.agent.runOnce()).toMatchObject({ sealed: 1 });
  });

  it('writes below another directory when it is told to, and a second file of the same name beside the first', async () => {
    const dir = quickDir();
    const outputDir = join(quickDir(), 'not/yet/there');
    mkdirSync(join(dir, 'line-1'));
    const [path] = writeFiles(join(dir, 'line-1'), 1);
    const first = makeAgent(parties.recipients, { directories: [dir], outputDir });
    expect(await first.agent.runOnce()).toMatchObject({ sealed: 1 });
    writeFileSync(path!, 'another call');
    const { agent, recorder } = makeAgent(parties.recipients, { directories: [dir], outputDir });
    expect(await agent.runOnce()).toMatchObject({ sealed: 1 });
    const output = join(outputDir, 'line-1', basename(path!));
    expect(recorder.sealedFiles[0]?.output).toBe(`${output}.1.sealed`);
    expect(await opened(`${output}.sealed`, parties.keys)).toBe(contentOf(path!));
    expect(await opened(`${output}.1.sealed`, parties.keys)).toBe('another call');
    expect(namesBelow(dir)).toEqual([]);
  });

  it('leaves a call file under a plaintext’s name alone until it changes', async () => {
    const dir = quickDir();
    const sample = quickDir();
    writeFiles(sample, 1);
    await makeAgent(parties.recipients, { directories: [sample] }).agent.runOnce();
    const path = join(dir, 'received.callsre');
    copyFileSync(join(sample, namesBelow(sample)[0]!), path);
    const { agent, recorder } = startAgent(parties.recipients, { directories: [dir], rescan: 50 });
    // It has been met once the file beside it, which is younger, is done.
    writeFiles(dir, 1, 'later');
    await recorder.until(() => recorder.sealedFiles.length === 1 && agent.state().working === 0);
    const before = readFileSync(path);
    expect(recorder.failures).toEqual([]);
    expect(agent.state()).toMatchObject({ queueLength: 0, unfinished: 0, retrying: 0 });
    expect(readFileSync(path)).toEqual(before);
    writeFileSync(path, 'now it is a call');
    await recorder.until(() => recorder.sealedFiles.length === 2);
    expect(await opened(`${path}.sealed`, parties.keys)).toBe('now it is a call');
  });

  it('tells of files that vanish, and does not count them as failures', async () => {
    const dir = quickDir();
    const paths = writeFiles(dir, 3);
    const { agent, recorder, supply } = startAgent(null, { directories: [dir] });
    await recorder.until(() => agent.state().queueLength === 3);
    unlinkSync(paths[0]!);
    renameSync(paths[1]!, join(dir, 'renamed.callsre'));
    supply.set(parties.recipients);
    await recorder.until(() => recorder.sealedFiles.length === 2);
    expect(namesBelow(dir)).toEqual([`${basename(paths[2]!)}.sealed`, 'renamed.callsre.sealed']);
    await recorder.until(() => recorder.vanishedPaths.length === 2);
    expect([...recorder.vanishedPaths].sort()).toEqual([paths[0], paths[1]]);
    expect(recorder.failures).toEqual([]);
  });

  it('waits for recipients, and encrypts each file for those of its time', async () => {
    const dir = quickDir();
    writeFiles(dir, 40);
    const { agent, recorder, supply } = startAgent(null, { directories: [dir], concurrency: 2 });
    await recorder.until(() => agent.state().queueLength === 40);
    expect(agent.state().queueAge).toBeGreaterThan(0);
    const { Recipients } = await import('../lib/recipients/recipients.ts');
    const fredAlone = await Recipients.load([parties.fred.certificate]);
    supply.set(fredAlone);
    await recorder.until(() => recorder.sealedFiles.length >= 10);
    supply.set(parties.recipients);
    await recorder.until(() => recorder.sealedFiles.length === 40);
    let mary = 0;
    for (const { output, path } of recorder.sealedFiles) {
      const text = await opened(output, parties.keys).catch((error: { code: string }) => error.code);
      expect(['ERR_NO_MATCHING_KEY', contentOf(path)]).toContain(text);
      if (text === contentOf(path)) mary += 1;
    }
    expect(mary).toBeGreaterThan(0);
    expect(mary).toBeLessThan(31);
  });

  it('finishes what it began when it is stopped, and begins nothing', async () => {
    const dir = quickDir();
    writeFiles(dir, 300);
    const { agent, recorder } = startAgent(parties.recipients, { directories: [dir], concurrency: 4 });
    await recorder.until(() => recorder.sealedFiles.length >= 5);
    const { working } = agent.state();
    const stopped = agent.stop();
    const doneBefore = recorder.sealedFiles.length;
    expect(agent.state().stopping).toBe(true);
    await stopped;
    expect(recorder.sealedFiles.length).toBe(doneBefore + working);
    const done = recorder.sealedFiles.length;
    const names = namesBelow(dir);
    expect(names.filter((name) => name.endsWith('.sealed'))).toHaveLength(done);
    expect(names.filter((name) => name.startsWith('.'))).toEqual([]);
    expect(names).toHaveLength(300);
    await agent.stop();
  });

  it('shares its directory with another agent', async () => {
    const dir = quickDir();
    const paths = writeFiles(dir, 150);
    const one = startAgent(parties.recipients, { directories: [dir] });
    const two = startAgent(parties.recipients, { directories: [dir, dir] });
    const count = (): number => one.recorder.sealedFiles.length + two.recorder.sealedFiles.length;
    await one.recorder.until(() => count() >= 150);
    await Promise.all([one.agent.stop(), two.agent.stop()]);
    expect(namesBelow(dir)).toEqual(paths.map((path) => `${basename(path)}.sealed`));
    for (const path of paths) expect(await opened(`${path}.sealed`, parties.keys)).toBe(contentOf(path));
    expect([...one.recorder.failures, ...two.recorder.failures]).toEqual([]);
    expect(count()).toBe(150);
  });

  it('makes one pass and tells what it left', async () => {
    const dir = quickDir();
    writeFiles(dir, 3);
    const fd = openSync(join(dir, 'open.callsre'), 'w');
    try {
      const { agent } = makeAgent(parties.recipients, { directories: [dir], quietFor: 0 });
      expect(await agent.runOnce()).toEqual({ sealed: 3, failed: 0, unfinished: 1, waiting: 0 });
      const nobody = makeAgent(null, { directories: [dir] });
      expect(await nobody.agent.runOnce()).toEqual({ sealed: 0, failed: 0, unfinished: 0, waiting: 1 });
      const stopped = makeAgent(parties.recipients, { directories: [dir] });
      expect(await stopped.agent.runOnce(AbortSignal.abort())).toMatchObject({ sealed: 0, failed: 0 });
    } finally {
      closeSync(fd);
    }
  });

  it('encrypts a file that was appended to between two looks whole', async () => {
    const dir = quickDir();
    const path = join(dir, 'grows.callsre');
    const { agent, recorder } = startAgent(parties.recipients, { directories: [dir] });
    await recorder.until(() => agent.state().directories === 1);
    for (let part = 0; part < 5; part += 1) {
      appendFileSync(path, `${part} `);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    const total = async (): Promise<string> => {
      const texts = [];
      for (const { output } of recorder.sealedFiles) texts.push(await opened(output, parties.keys));
      return texts.join('');
    };
    await recorder.until(() => !existsSync(path) && agent.state().working === 0);
    // Whoever closes a file between two parts finishes it: what came after is another file of that name.
    expect(await total()).toBe('0 1 2 3 4 ');
  });

  it('refuses options that make no sense', async () => {
    const make = (options: object) => () => makeAgent(parties.recipients, { directories: ['x'], ...options });
    expect(await codeOf(make({ directories: [] }))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(make({ concurrency: 0 }))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(make({ suffix: 'sealed' }))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(make({ quietFor: -1 }))).toBe('ERR_INVALID_ARGUMENT');
    const { agent } = makeAgent(parties.recipients, { directories: [quickDir()] });
    await agent.runOnce();
    expect(await codeOf(() => agent.start())).toBe('ERR_INVALID_ARGUMENT');
  });
});

describe('the order of work', () => {
  it('is by age within a directory, and by turns between directories', async () => {
    const dir = quickDir();
    const [small, large] = [join(dir, 'small'), join(dir, 'large')];
    for (const path of [small, large]) mkdirSync(path);
    const now = Date.now() / 1000;
    const age = (path: string, index: number, all: string[]) => utimesSync(path, now, now - 1000 + all.length - index);
    writeFiles(large, 200).forEach(age);
    writeFiles(small, 20).forEach(age);
    const { agent, recorder, supply } = startAgent(null, { directories: [dir], concurrency: 1, rescan: 50 });
    await recorder.until(() => agent.state().queueLength === 220);
    expect(agent.state().queueAge).toBeGreaterThan(900_000);
    supply.set(parties.recipients);
    await recorder.until(() => recorder.sealedFiles.length === 220);
    const ofSmall = recorder.sealedPaths.filter((path) => path.startsWith(small));
    const ofLarge = recorder.sealedPaths.filter((path) => path.startsWith(large));
    expect(ofSmall).toEqual([...ofSmall].sort().reverse());
    expect(ofLarge).toEqual([...ofLarge].sort().reverse());
    const lastSmall = recorder.sealedPaths.lastIndexOf(ofSmall.at(-1)!);
    expect(lastSmall).toBeLessThan(50);
  });

  it('lets new files take turns with a backlog', async () => {
    const dir = quickDir();
    writeFiles(dir, 400, 'old');
    const { agent, recorder, supply } = startAgent(null, { directories: [dir], concurrency: 1 });
    await recorder.until(() => agent.state().queueLength === 400);
    const fresh = writeFiles(dir, 10, 'fresh');
    await recorder.until(() => agent.state().queueLength === 410);
    supply.set(parties.recipients);
    await recorder.until(() => recorder.sealedFiles.length >= 60);
    for (const path of fresh) expect(recorder.sealedPaths).toContain(path);
    expect(recorder.sealedPaths.slice(0, 20).some((path) => path.includes('old'))).toBe(true);
  });

  it('holds no more of them however long they wait', async () => {
    const dir = quickDir();
    writeFiles(dir, 300);
    const { agent, recorder, supply } = startAgent(null, { directories: [dir], maxQueue: 100, rescan: 5 });
    await recorder.until(() => agent.state().queueLength >= 100);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(agent.state().queueLength).toBeLessThanOrEqual(100 + 64);
    expect(agent.state().queueIsLowerBound).toBe(true);
    supply.set(parties.recipients);
    await recorder.until(() => recorder.sealedFiles.length === 300);
    await recorder.until(() => !agent.state().queueIsLowerBound);
  });

  it('works off more files than it holds in memory', async () => {
    const dir = quickDir();
    const paths = writeFiles(dir, 500);
    const { agent, recorder } = makeAgent(parties.recipients, { directories: [dir], maxQueue: 100 });
    let most = 0;
    const pass = agent.runOnce();
    let over = false;
    void pass.then(() => {
      over = true;
    });
    await recorder.until(() => {
      most = Math.max(most, agent.state().queueLength);
      return over;
    });
    expect(await pass).toEqual({ sealed: 500, failed: 0, unfinished: 0, waiting: 0 });
    // A directory may always find 64, so that it is not read for each file.
    expect(most).toBeLessThanOrEqual(100 + 64);
    expect(namesBelow(dir)).toHaveLength(paths.length);
  });
});
