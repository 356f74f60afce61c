// Mutants of sealed-cookie.mjs, made by the edits of mutants.json at every place: which ones does no vector tell from the original?
// A survivor is a rule that no vector holds, or an edit that changes nothing; the latter are in mutants.json, with the reason.
//
//     node mutants.mjs [--jobs 2] [--part 1/10] [--from LINE] [words of an edit or of a line]

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

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
        yield { index, name, what, line: line.trim(), changed };
      }
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

/** Whether a vector fails. One that runs for ten times as long as it should is killed as well. */
function isKilled({ index, changed }, number) {
  const file = join(folder, `${number}.mjs`);
  writeFileSync(file, source.map((line, i) => (i === index ? changed : line)).join('\n'));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [here('vectors.mjs'), file], { stdio: 'ignore' });
    const timer = setTimeout(() => child.kill('SIGKILL'), 30000);
    child.on('close', (status) => {
      clearTimeout(timer);
      rmSync(file);
      resolve(status !== 0);
    });
  });
}

if (await isKilled({ index: 0, changed: source[0] }, 'original')) throw new Error('the original fails a vector itself');

const [share = 1, shares = 1] = part?.split('/').map(Number) ?? [];
const all = [...mutants()].filter(({ index, what, line, name }) => index + 1 >= Number(from) && positionals.every((word) => `${what} ${name} ${line}`.includes(word)));
const chosen = all.filter((_, i) => i % shares === share - 1);
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
      console.log(`${mutant.index + 1} ${mutant.name}: ${mutant.what}\n  - ${mutant.line}\n  + ${mutant.changed.trim()}`);
    }
  }
}

await Promise.all(Array.from({ length: Number(jobs) }, work));
console.log(`${chosen.length} mutants: ${killed} killed by the vectors, ${known} that change nothing, ${survivors.length} that no vector tells apart`);
if (shares === 1 && positionals.length === 0) {
  for (const i of unused) console.log(`mutants.json says of a mutant that there is none of, or that is killed: ${equivalent[i].line}`);
}
process.exitCode = survivors.length ? 1 : 0;
