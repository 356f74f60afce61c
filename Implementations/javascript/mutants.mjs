// Mutants of sealed-cookie.mjs, made by the edits of mutants.json at every place: which ones does no vector tell from the original?
// A survivor is a rule that no vector holds, or an edit that changes nothing; the latter are in mutants.json, with the reason.
// A mutant is run against the vectors that come to the edited place in the original, which the engine's coverage says.
//
//     node mutants.mjs [--jobs 2] [--part 1/10] [--from LINE] [words of an edit or of a line]

import { spawn } from 'node:child_process';
import { Session } from 'node:inspector/promises';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { everyVector, failure } from './vectors.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const source = readFileSync(here('sealed-cookie.mjs'), 'utf8').split('\n');
const { edits, notByVectors, equivalent } = JSON.parse(readFileSync(here('mutants.json'), 'utf8'));
const { values: { jobs, part, from }, positionals } = parseArgs({ options: { jobs: { type: 'string', default: '2' }, part: { type: 'string' }, from: { type: 'string', default: '1' } }, allowPositionals: true });

/** A line with its comments, and the text of its messages, blanked out: nothing is edited there. */
function code(line) {
  if (/^\s*(\/\/|\/\*\*|\*|import )/.test(line)) return '';
  const blank = (text) => ' '.repeat(text.length);
  return line.replace(/ \/\/ .*$/, blank).replace(/'[^']*'|`[^`]*`/g, (text) => (/ /.test(text) ? `'${blank(text.slice(2))}'` : text));
}

function* mutants() {
  let name = '';
  for (const [index, line] of source.entries()) {
    name = /^(?:export )?(?:async )?function\*? (\w+)|^(?:export )?const (\w+) = |^  (?:static )?(?:async )?\*?#?(\w+)\(.*\{$/.exec(line)?.slice(1).find(Boolean) ?? name;
    if (name in notByVectors || !line.trim() || name === 'standardDictionary') continue;
    const text = code(line);
    for (const [what, pattern, put] of edits) {
      for (const match of text.matchAll(new RegExp(pattern, 'g'))) {
        const found = line.slice(match.index, match.index + match[0].length);
        const replaced = put === '+1' ? String(BigInt(found) + 1n) : put === '-1' ? String(BigInt(found) - 1n) : put === '^1' ? `0x${(BigInt(found) ^ 1n).toString(16)}` : put;
        const changed = line.slice(0, match.index) + replaced + line.slice(match.index + found.length);
        yield { index, name, what, line: line.trim(), changed, place: starts[index] + match.index };
      }
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

const starts = source.reduce((offsets, line) => [...offsets, offsets.at(-1) + line.length + 1], [0]);

/** The vectors that come to each of the places, which are offsets; for one that runs once, when the module is loaded, all. */
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
  const once = await covered();
  const found = new Map(places.map((place) => [place, []]));
  const all = everyVector();
  for (const { file, vector, number } of all) {
    const failed = await failure(js, file, vector, number);
    if (failed) throw new Error(`the original fails a vector itself: ${failed}`);
    const counts = await covered();
    for (const [place, vectors] of found) if (counts[place] > 0) vectors.push([file, number]);
  }
  inspector.disconnect();
  for (const [place, vectors] of found) if (vectors.length === 0 && once[place] > 0) vectors.push(...all.map(({ file, number }) => [file, number]));
  return found;
}

/** Whether a vector fails. One that runs for thirty seconds is killed as well. */
function isKilled({ index, changed, place }, number) {
  const vectors = reached.get(place);
  if (vectors.length === 0) return false;
  const [file, list] = [join(folder, `${number}.mjs`), join(folder, `${number}.json`)];
  writeFileSync(file, source.map((line, i) => (i === index ? changed : line)).join('\n'));
  writeFileSync(list, JSON.stringify(vectors));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [here('vectors.mjs'), file, list], { stdio: 'ignore' });
    const timer = setTimeout(() => child.kill('SIGKILL'), 30000);
    child.on('close', (status) => {
      clearTimeout(timer);
      rmSync(file);
      rmSync(list);
      resolve(status !== 0);
    });
  });
}

const [share = 1, shares = 1] = part?.split('/').map(Number) ?? [];
const all = [...mutants()].filter(({ index, what, line, name }) => index + 1 >= Number(from) && positionals.every((word) => `${what} ${name} ${line}`.includes(word)));
const chosen = all.filter((_, i) => i % shares === share - 1);
const reached = await vectorsAt([...new Set(chosen.map(({ place }) => place))]);
const survivors = [];
const unused = new Set(equivalent.map((_, i) => i));
let next = 0;
let killed = 0;
let known = 0;

async function work() {
  while (next < chosen.length) {
    const number = next++;
    const mutant = chosen[number];
    if (await isKilled(mutant, number)) {
      killed++;
      continue;
    }
    const why = equivalent.findIndex((entry) => entry.line === mutant.line && (entry.changed === undefined || entry.changed === mutant.changed.trim()));
    if (why >= 0) {
      unused.delete(why);
      known++;
    } else {
      survivors.push(mutant);
      console.log(`${mutant.index + 1} ${mutant.name}: ${mutant.what}${reached.get(mutant.place).length ? '' : ' (no vector comes here)'}\n  - ${mutant.line}\n  + ${mutant.changed.trim()}`);
    }
  }
}

await Promise.all(Array.from({ length: Number(jobs) }, work));
console.log(`${chosen.length} mutants: ${killed} killed by the vectors, ${known} that change nothing, ${survivors.length} that no vector tells apart`);
if (shares === 1 && positionals.length === 0) {
  for (const i of unused) console.log(`mutants.json says of a mutant that there is none of, or that is killed: ${equivalent[i].line}`);
}
process.exitCode = survivors.length ? 1 : 0;
