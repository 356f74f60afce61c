// Every vector, in the runtime that runs this file.
//
//     node runtimes.mjs [web]
//     deno run --allow-read runtimes.mjs [web]
//
// With `web`, sealed-cookie.mjs finds nothing of Node's, as in an edge runtime: no process, no Buffer, and no module to import.

const args = globalThis.Deno?.args ?? process.argv.slice(2);
const runtime = globalThis.Deno ? `Deno ${Deno.version.deno}` : `Node ${process.versions.node}`;
const isWeb = args.includes('web');
const hidden = {};
let calls = 0;

if (isWeb) {
  if (!globalThis.Deno) {
    const [{ register }, { webcrypto }] = await Promise.all([import('node:module'), import('node:crypto')]);
    globalThis.crypto ??= webcrypto; // Node 18's is not global
    const hook = `export async function resolve(specifier, context, next) {
      if (context.parentURL?.endsWith('/sealed-cookie.mjs')) throw new Error('there is no ' + specifier);
      return next(specifier, context);
    }`;
    register?.(`data:text/javascript,${encodeURIComponent(hook)}`);
  }
  for (const name of ['process', 'Buffer']) {
    hidden[name] = globalThis[name];
    delete globalThis[name];
  }
  const { encrypt } = crypto.subtle;
  crypto.subtle.encrypt = function (...values) {
    calls++;
    return encrypt.apply(this, values);
  };
}
const js = await import('./sealed-cookie.mjs');
for (const [name, value] of Object.entries(hidden)) if (value !== undefined) globalThis[name] = value; // Node's loader needs them again
const { files, run } = await import('./vectors.mjs');

let count = 0;
const failures = [];
for (const file of Object.keys(files)) {
  const result = await run(js, file);
  count += result.count;
  failures.push(...result.failures);
}
if (isWeb && calls < 1000) failures.push('not by WebCrypto');
console.log(`${runtime}${isWeb ? ', WebCrypto alone' : ''}: ${count} vectors, ${failures.length} failed`);
for (const failed of failures.slice(0, 5)) console.log(failed);
if (failures.length) (globalThis.Deno ?? process).exit(1);
