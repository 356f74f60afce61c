// Mutants of sealed-cookie.mjs, made by the edits of mutants.json at every place: which ones does no vector tell from the
// original? What no vector can hold, such as Set-Cookie's attributes, test.mjs holds: a mutant that lives is run against it.
// A survivor of both is a rule that nothing holds, or an edit that changes nothing: mutants.json has those, with the reason.
// Of the vectors those go first that come to the edited place in the original, as the engine's coverage has it.
//
//     node mutants.mjs [--jobs 2] [--part 1/10] [--from LINE] [--to LINE] [words of an edit or of a line]

import { fork, spawn } from 'node:child_process';
import { Session } from 'node:inspector/promises';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { everyVector, failure } from './vectors.mjs';

if (process.argv[2] === '--answer') answer();
else await main();

/** In a process of its own, which a mutant may take with it: whether one of these vectors fails with this module. */
function answer() {
  const vectors = new Map(everyVector().map((each) => [`${each.file} ${each.number}`, each]));
  process.on('message', async ({ module, list, number }) => {
    let isKilled = false;
    try {
      const js = await import(module);
      for (const [file, number] of list) {
        isKilled = (await failure(js, file, vectors.get(`${file} ${number}`).vector, number)) !== undefined;
        if (isKilled) break;
      }
    } catch {
      isKilled = true; // it does not even load
    }
    process.send({ isKilled, number });
  });
}

async function main() {
  const here = (name) => fileURLToPath(new URL(name, import.meta.url));
  const source = readFileSync(here('sealed-cookie.mjs'), 'utf8').split('\n');
  const starts = source.reduce((offsets, line) => [...offsets, offsets.at(-1) + line.length + 1], [0]);
  const { edits, left, equivalent } = JSON.parse(readFileSync(here('mutants.json'), 'utf8'));
  const text = (value) => ({ type: 'string', default: value });
  const { values: { jobs, part, from, to }, positionals } = parseArgs({
    options: { jobs: text('2'), part: text('1/1'), from: text('1'), to: text('1000000') }, allowPositionals: true,
  });
  const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));

  /** A line with its comments, and the text of its messages, blanked out: nothing is edited there. */
  function code(line) {
    if (/^\s*(\/\/|\/\*\*|\*|import )/.test(line)) return '';
    const blank = (found) => ' '.repeat(found.length);
    const quoted = (found) => (/ /.test(found) ? `'${blank(found.slice(2))}'` : found);
    return line.replace(/ \/\/ .*$/, blank).replace(/'[^']*'|`[^`]*`/g, quoted);
  }

  function* mutants() {
    const declared = /^(?:export )?(?:async )?function\*? (\w+)|^(?:export )?(?:const|class) (\w+)|^  (?:static )?(?:async )?(?:get )?#?(\w+)\(.*\{$/;
    let [name, outer] = ['', ''];
    for (const [index, line] of source.entries()) {
      name = declared.exec(line)?.slice(1).find(Boolean) ?? name;
      if (declared.test(line) && !line.startsWith(' ')) outer = name;
      if (name in left || outer in left) continue;
      for (const [what, pattern, put] of edits) {
        for (const { 0: found, index: column } of code(line).matchAll(new RegExp(pattern, 'g'))) {
          const number = { '+1': (n) => String(n + 1n), '-1': (n) => String(n - 1n), '^1': (n) => `0x${(n ^ 1n).toString(16)}` }[put];
          const replaced = number ? number(BigInt(found)) : put;
          const changed = line.slice(0, column) + replaced + line.slice(column + found.length);
          yield { index, name, what, line: line.trim(), changed, place: starts[index] + column };
        }
      }
    }
  }

  /** The vectors for each of the places, which are offsets: first those that come there, then the others. */
  async function vectorsAt(places) {
    const module = new URL('sealed-cookie.mjs', import.meta.url).href;
    const inspector = new Session();
    inspector.connect();
    await inspector.post('Profiler.enable');
    await inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    const covered = async () => {
      const { result } = await inspector.post('Profiler.takePreciseCoverage');
      const counts = new Int32Array(starts.at(-1)).fill(-1);
      const ranges = result.filter(({ url }) => url === module).flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges));
      ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset); // outer ones first
      for (const { startOffset, endOffset, count } of ranges) counts.fill(count, startOffset, endOffset);
      return counts;
    };
    const js = await import(module);
    const found = new Map(places.map((place) => [place, []]));
    const all = everyVector();
    for (const { file, vector, number } of all) {
      const failed = await failure(js, file, vector, number);
      if (failed) throw new Error(`the original fails a vector itself: ${failed}`);
      const counts = await covered();
      for (const [place, vectors] of found) if (counts[place] > 0) vectors.push([file, number]);
    }
    inspector.disconnect();
    for (const [place, vectors] of found) {
      const first = new Set(vectors.map(String));
      found.set(place, [...vectors, ...all.map(({ file, number }) => [file, number]).filter((each) => !first.has(String(each)))]);
    }
    return found;
  }

  /** Whether test.mjs fails. What it tries at random of DEFLATE is for that section alone: it takes the most time. */
  function failsTests(module, index) {
    const section = source.findLast((line, i) => i <= index && line.startsWith('// ---- ')) ?? '';
    const options = { stdio: 'ignore', env: { ...process.env, MUTANT: module, MUTANT_SECTION: section.slice(8) } };
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [here('test.mjs')], options);
      const timer = setTimeout(() => child.kill('SIGKILL'), 120000);
      child.on('close', (status) => {
        clearTimeout(timer);
        resolve(status !== 0);
      });
    });
  }

  const explained = ({ line, changed }) => equivalent.findIndex((entry) => entry.line === line && [undefined, changed.trim()].includes(entry.changed));
  const isChosen = ({ index, what, line, name }) => index + 1 >= Number(from) && index < Number(to) && positionals.every((word) => `${what} ${name} ${line}`.includes(word));
  const [share, shares] = part.split('/').map(Number);
  const chosen = [...mutants()].filter(isChosen).filter((_, i) => i % shares === share - 1);
  const reached = await vectorsAt([...new Set(chosen.map(({ place }) => place))]);
  const unused = new Set(equivalent.keys());
  const count = { byVectors: 0, byTests: 0, equivalent: 0, survivors: 0 };
  let next = 0;

  async function work() {
    let child;
    /** Whether a vector fails. A mutant that runs for a minute, or takes all memory, is killed as well. */
    const isKilled = (module, list, number) =>
      new Promise((resolve) => {
        child ??= fork(here('mutants.mjs'), ['--answer'], { execArgv: ['--max-old-space-size=512'], silent: true });
        const end = (isKilled, isLost) => {
          clearTimeout(timer);
          child.off('message', answered).off('exit', lose);
          if (isLost) child = void child.kill('SIGKILL');
          resolve(isKilled);
        };
        const answered = (answer) => answer.number === number && end(answer.isKilled, false);
        const lose = () => end(true, true);
        const timer = setTimeout(lose, 60000);
        child.on('message', answered).on('exit', lose).send({ module, list, number });
      });
    while (next < chosen.length) {
      const number = next++;
      const mutant = chosen[number];
      const file = join(folder, `${number}.mjs`);
      const module = pathToFileURL(file).href;
      writeFileSync(file, source.map((line, i) => (i === mutant.index ? mutant.changed : line)).join('\n'));
      const list = reached.get(mutant.place);
      const why = explained(mutant);
      if (await isKilled(module, list, number)) {
        count.byVectors++;
      } else if (why >= 0) {
        unused.delete(why);
        count.equivalent++;
      } else if (await failsTests(module, mutant.index)) {
        count.byTests++;
      } else {
        count.survivors++;
        const { index, name, what, line, changed } = mutant;
        console.log(`${index + 1} ${name}: ${what}\n  - ${line}\n  + ${changed.trim()}`);
      }
      rmSync(file);
    }
    child?.kill();
  }

  await Promise.all(Array.from({ length: Number(jobs) }, work));
  console.log(`${chosen.length} mutants: ${count.byVectors} killed by the vectors, ${count.byTests} by test.mjs, ` +
    `${count.equivalent} that change nothing, ${count.survivors} that nothing tells apart`);
  if (chosen.length === [...mutants()].length) {
    for (const i of unused) console.log(`mutants.json explains a mutant that there is none of, or that is killed: ${equivalent[i].line}`);
    if (unused.size) process.exitCode = 1;
  }
  if (count.survivors) process.exitCode = 1;
}
