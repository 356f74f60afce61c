// What opening and sealing a login session (Benchmarks/Corpus/b_login.json) costs in JavaScript and in Python, with Cookie header and Set-Cookie.
//
//     node bench.mjs [python3]
//
// Rounds of all ways take turns, so that what else the machine does meets all alike; medians.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const json = readFileSync(path('../Benchmarks/Corpus/b_login.json'), 'utf8');
const ringText = 'key 113657 sck1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n';
const now = 1785715200;
const rounds = 9;

async function javascript(count) {
  const js = await import('./javascript/sealed-cookie.mjs');
  const lifetime = { absolute: 14 * 86400, idle: 12 * 3600 };
  const sealer = new js.CookieSealer({ name: '__Host-session', ring: await js.KeyRing.parse(ringText), lifetime });
  const value = js.decode(js.itemOfJSON(json));
  const header = (await sealer.seal(value, { now })).setCookie[0].split(';')[0];
  const time = async (work) => {
    const begun = process.cpuUsage();
    for (let i = 0; i < count; i++) await work();
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / count;
  };
  return { open: await time(() => sealer.open(header, { now })), seal: await time(() => sealer.seal(value, { now })) };
}

const [, , mode, count] = process.argv;
if (mode === '--node' || mode === '--web') {
  if (mode === '--web') {
    delete globalThis.Buffer;
    const { process } = globalThis;
    delete globalThis.process;
    await import('./javascript/sealed-cookie.mjs');
    globalThis.process = process;
  }
  await javascript(3000); // until the engine has compiled it
  console.log(JSON.stringify(await javascript(Number(count))));
} else {
  const python = mode ?? 'python3';
  const script = `
import json, sys, time
sys.path.insert(0, ${JSON.stringify(path('python'))})
import sealed_cookie as sc
value = sc.from_json(open(${JSON.stringify(path('../Benchmarks/Corpus/b_login.json'))}).read())
sessions = sc.Sessions(sc.Ring.parse(${JSON.stringify(ringText)}.encode()), sc.Form(absolute=14 * 86400, idle=12 * 3600), clock=lambda: ${now})
header = sessions.seal("", sc.encode_item(value))[0].split(";")[0]
def timed(work, count=int(sys.argv[1])):
    begun = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - begun) / count * 1e6
timed(lambda: sessions.open(header), 100)
print(json.dumps({"open": timed(lambda: sc.decode_item(sessions.open(header).item)), "seal": timed(lambda: sessions.seal("", sc.encode_item(value)))}))`;
  const ways = {
    "JavaScript, Node's modules": () => [process.execPath, [path('bench.mjs'), '--node', '4000']],
    'JavaScript, WebCrypto alone': () => [process.execPath, [path('bench.mjs'), '--web', '2000']],
    Python: () => [python, ['-c', script, '600']],
  };
  const found = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, way] of Object.entries(ways)) found[name].push(JSON.parse(execFileSync(...way(), { encoding: 'utf8' })));
  }
  const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  console.log(`Node ${process.versions.node}, ${execFileSync(python, ['--version'], { encoding: 'utf8' }).trim()}; µs of CPU time, medians of ${rounds} rounds\n`);
  console.log('| | open | seal |\n|---|--:|--:|');
  for (const [name, results] of Object.entries(found)) {
    const [open, seal] = ['open', 'seal'].map((what) => median(results.map((result) => result[what])).toFixed(0));
    console.log(`| ${name} | ${open} | ${seal} |`);
  }
}
