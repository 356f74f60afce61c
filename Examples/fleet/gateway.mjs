// The fleet's Node server. README.md says what it shares with the ones in Swift and Python.
import { readFile } from 'node:fs/promises';
import http from 'node:http';

import { CookieSealer, KeyRing, OpenError } from '../../Implementations/javascript/sealed-cookie.mjs';

const [file, port] = process.argv.slice(2);
const log = (text) => console.error(text);

// The ring, read again every second. One that is invalid does not replace it; what was revoked once stays revoked.
let ring = await KeyRing.parse(await readFile(file));
setInterval(async () => {
  try {
    ring = await KeyRing.parse(await readFile(file), ring);
  } catch (error) {
    log(`still with the ring from before: ${error.message}`);
  }
}, 1000);

const sessions = new CookieSealer({
  name: '__Host-session', ring: () => ring, lifetime: { absolute: 14 * 86400, idle: 12 * 3600 }, // seconds
});

/** The shop: a request's Cookie header in, the response's Set-Cookie values out. */
async function answer(method, path, query, header) {
  if (method === 'POST' && path === '/sign-in') {
    const session = { user: query.get('user') ?? '', cart: [] };
    // "Remember me": a lifetime of this session's own, which every server keeps when it seals it again.
    const own = query.get('remember') === 'yes' ? { absolute: 90 * 86400, idle: 30 * 86400 } : undefined;
    const { setCookie } = await sessions.seal(session, { own, cookieHeader: header });
    return { status: 200, setCookie, session };
  }
  if (method === 'POST' && path === '/sign-out') return { status: 200, setCookie: await sessions.signOut(header) };
  if (path !== '/cart') return { status: 404 };
  const opened = await open(header);
  if (!opened) return { status: 401 };
  const session = opened.value;
  if (method === 'POST') session.cart.push(query.get('add') ?? '');
  if (method !== 'POST' && !(await sessions.isDue(opened))) return { status: 200, session };
  const { setCookie } = await sessions.sealAgain(opened, { value: session });
  return { status: 200, setCookie, session };
}

/** To the visitor, a cookie that is no session is the same as none. */
async function open(header) {
  try {
    return await sessions.open(header);
  } catch (error) {
    if (!(error instanceof OpenError)) throw error;
    log(`no session: ${error.code}`);
    return null;
  }
}

http.createServer(async (request, response) => {
  let answered;
  try {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    answered = await answer(request.method, pathname, searchParams, request.headers.cookie ?? '');
  } catch (error) {
    log(`not sealed: ${error.message}`);
    answered = { status: 503 };
  }
  const { status, setCookie = [], session } = answered;
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'private', 'Set-Cookie': setCookie });
  response.end(JSON.stringify({ server: 'node', session }));
}).listen(Number(port), '127.0.0.1');
