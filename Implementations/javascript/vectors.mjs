// The repository's test vectors (FORMAT §12.1) against an implementation in JavaScript, in any runtime: test.mjs, runtimes.mjs
// and mutants.mjs run them.

const folder = new URL('../../Tests/SealedCookieTests/Vectors/', import.meta.url);
const readText = globalThis.Deno?.readTextFile ?? (await import('node:fs/promises')).readFile;
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));
const words = (error) => error.code?.replaceAll('-', ' ');

const ring = 'key 113657 sck1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n';

// The words of `refused` that are not those of the code.
const otherWords = { 'no active key': 'no-active-key', 'a time that 32 bits do not hold': 'time-out-of-range', 'unknown key': 'revoked-key' };

/** A view with one spelling of each double: which of several is shown is up to a writer (§8). */
function spelled(view) {
  if (typeof view !== 'object' || view === null) return view;
  if (Array.isArray(view)) return view.map(spelled);
  const [, double] = /^@?(-?[0-9.]+(?:e[-+]?[0-9]+)?)$/.exec(view.$float ?? view.$date ?? '') ?? [];
  if (double && /[.e]/.test(double)) return { double: Object.is(Number(double), -0) ? '-0' : String(Number(double)), ...(view.$date && { date: true }) };
  return Object.fromEntries(Object.entries(view).map(([name, member]) => [name, spelled(member)]));
}

class Unequal extends Error {}

/** Values of JSON, and undefined: whether they are the same, in whatever order an object's members are. */
function isSame(a, b) {
  if (Object.is(a, b)) return true;
  if ([a, b].some((value) => typeof value !== 'object' || value === null)) return false;
  const names = Object.keys(a);
  return Array.isArray(a) === Array.isArray(b) && names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]));
}

function equal(found, expected, of) {
  if (!isSame(found, expected)) throw new Unequal(`${of}: ${JSON.stringify(found)} in place of ${JSON.stringify(expected)}`);
}

/** What a session is, in a vector's words. */
function described(js, { created, sealed, ends, own, endsWithBrowser, item }) {
  return { created, sealed, ends, own, endsWithBrowser, item: hex(item), session: spelled(JSON.parse(js.jsonOfItem(item))) };
}

function expected({ created, sealed, ends, own, endsWithBrowser, item, session }) {
  return { created, sealed, ends, own, endsWithBrowser, item, session: spelled(session) };
}

async function options(js, vector) {
  const { name, purpose, absolute, idle, ceiling, dictionaries, cookies = 1, limit } = vector;
  const lifetime = { absolute, idle, ceiling };
  const ring = await js.KeyRing.parse(vector.ring);
  const formers = (vector.formers ?? []).map(({ absolute, idle, ceiling, ...form }) => ({ ...form, lifetime: { absolute, idle, ceiling } }));
  return { name, purpose, lifetime, dictionaries: dictionaries.map(bytes), cookies, limit, formers, itemLimit: 65536, ring };
}

async function refusal(promise) {
  try {
    return { session: await promise };
  } catch (error) {
    if (error.code === undefined) throw error;
    return { error };
  }
}

/** Opens, and compares; then seals what was opened, and opens that. */
async function opens(js, vector, sealer, open) {
  const { session, error } = await refusal(open());
  if (vector.none) return equal(error ?? session, null, 'none');
  if (vector.refused) return equal(error && words(error), vector.refused, 'refused');
  if (error) throw error;
  equal(described(js, session), expected(vector), 'session');
  return session;
}

async function sealsAnew(js, vector, sealer, session) {
  if (sealer.ring && (await sealer.ring()).begins(vector.time) === null) return;
  const { own, endsWithBrowser } = session;
  const result = await refusal(sealer.seal(new js.Item(session.item), { now: vector.time, own, endsWithBrowser }));
  if (result.error) return equal([result.error.code, result.error.code === 'too-large'], [result.error.code, true], 'sealing');
  const sealed = result.session;
  const again = await (sealed.setCookie
    ? sealer.open([...sealed.cookies].map(([name, value]) => `${name}=${value}`).join('; '), { now: vector.time })
    : sealer.open(sealed, { now: vector.time }));
  equal([hex(again.item), again.own, again.endsWithBrowser], [vector.item, own, sealed.setCookie ? endsWithBrowser : false], 'sealed anew');
}

export const files = {
  'aes-256-cmac': async (js, vector) => equal(hex(await js.cmac(bytes(vector.key), bytes(vector.message))), vector.mac, 'mac'),

  'xaes-256-gcm': async (js, vector) => {
    const [key, nonce, plaintext, aad, ciphertext] = ['key', 'nonce', 'plaintext', 'aad', 'ciphertext'].map((name) => bytes(vector[name]));
    equal(hex(await js.xaesSeal(key, nonce, plaintext, aad)), vector.ciphertext, 'sealed');
    equal(hex(await js.xaesOpen(key, nonce, ciphertext, aad)), vector.plaintext, 'opened');
    ciphertext[0] ^= 1;
    equal(await js.xaesOpen(key, nonce, ciphertext, aad), undefined, 'changed');
  },

  pae: async (js, vector) => equal(hex(js.pae(vector.pieces.map((piece) => new TextEncoder().encode(piece)))), vector.hex, 'encoding'),

  base64url: async (js, vector) => {
    equal(js.toBase64URL(bytes(vector.bytes)), vector.text, 'text');
    equal(hex(js.fromBase64URL(vector.text)), vector.bytes, 'bytes');
  },

  'cbor-appendix-a': async (js, vector) => {
    if (vector.refused) {
      try {
        js.decode(bytes(vector.hex));
      } catch {
        return;
      }
      throw new Unequal(`${vector.hex} is read`);
    }
    equal(JSON.parse(js.jsonOfItem(bytes(vector.hex))), vector.json, 'view');
    equal(hex(js.encode(js.decode(bytes(vector.hex)))), vector.hex, 'encoded again');
  },

  valid: async (js, vector) => {
    const sealer = new js.CookieSealer(await options(js, vector));
    const session = await opens(js, vector, sealer, () => sealer.open(`${vector.name}=${vector.token}`, { now: vector.time }));
    equal(hex(js.encode(session.value)), vector.item, 'encoded again');
    equal(hex(js.itemOfJSON(js.jsonOfItem(session.item))), vector.item, 'read back from its view');
    await sealsAnew(js, vector, sealer, session);
  },

  invalid: async (js, vector) => {
    const sealer = new js.CookieSealer(await options(js, vector));
    await opens(js, vector, sealer, () => sealer.openText(vector.token, 4096 - vector.name.length, vector.time));
  },

  tokens: async (js, vector) => {
    const given = await options(js, vector);
    const making = await refusal((async () => new js.TokenSealer(given))());
    if (vector.refused === 'no purpose') return equal(making.error?.code, 'empty-purpose', 'refused');
    const sealer = new js.TokenSealer(given);
    const session = await opens(js, vector, sealer, () => sealer.open(vector.token, { now: vector.time }));
    if (session) await sealsAnew(js, vector, sealer, session);
  },

  // The bytes of a payload are a sealer's to choose where it compresses; R is no caller's, so the token is made of the parts.
  sealed: async (js, vector) => {
    const { created, age, own, endsWithBrowser, ended, padding, limit, name, purpose } = vector;
    const times = { created, sealed: created + age, own, endsWithBrowser, ended };
    const dictionary = { name: Uint8Array.of(1), bytes: js.standardDictionary };
    const { payload } = js.payloadOf(bytes(vector.item), times, dictionary, padding ?? 1);
    if (vector.payload) equal(hex(payload), vector.payload, 'payload');
    if (vector.shorterThan) equal([payload.length < vector.shorterThan, hex(payload).endsWith(vector.endsWith)], [true, true], 'compressed');
    const all = { name, purpose, limit, padding: padding ?? 1, lifetime: { absolute: 86400 }, itemLimit: 65536, ring: await js.KeyRing.parse(ring) };
    const sealer = name ? new js.CookieSealer(all) : new js.TokenSealer(all);
    const { session: sealed, error } = await refusal(sealer.seal(new js.Item(bytes(vector.item)), { now: created, own: own ?? undefined, endsWithBrowser }));
    equal(error?.code, vector.refused && 'too-large', 'refused');
    if (!vector.token) return;
    const text = (string) => new TextEncoder().encode(string);
    const header = Uint8Array.of(0x48, 0x11, 0x36, 0x57);
    const r = bytes(vector.r);
    const nonce = Uint8Array.from([...r.subarray(0, 8), 0, 0, 0, 0, ...r.subarray(8)]);
    const data = js.pae([text('SealedCookie'), header, text(name), text(purpose)]);
    const box = await js.xaesSeal(bytes(vector.key), nonce, payload, data);
    equal(js.toBase64URL(Uint8Array.from([...header, ...r, ...box])), vector.token, 'token');
    if (age === 0 && !ended) equal((sealed.token ?? sealed).length, vector.token.length, 'length');
  },

  again: async (js, vector) => {
    const first = new js.CookieSealer(await options(js, vector));
    const session = await first.open(`${vector.name}=${vector.token}`, { now: vector.time });
    const second = new js.CookieSealer({ ...(await options(js, vector)), ring: await js.KeyRing.parse(vector.again.ring) });
    const now = vector.again.time;
    const { session: sealed, error } = await refusal(second.sealAgain(session, { now }));
    if (vector.refused) return equal(error?.code, otherWords[vector.refused] ?? vector.refused.replaceAll(' ', '-'), 'refused');
    if (error) throw error;
    equal([sealed.session.keyID, sealed.maxAge], [vector.by, vector.maxAge], 'key and Max-Age');
    const opened = await second.open(`${vector.name}=${sealed.token}`, { now });
    equal(described(js, opened), expected(vector), 'session');
    equal(described(js, sealed.session), expected(vector), 'what it says of it');
  },

  cookies: async (js, vector) => {
    const sealer = new js.CookieSealer(await options(js, vector));
    equal(await sealer.sealedOn(vector.header, { now: vector.time }), vector.next, 'next');
    const session = await opens(js, vector, sealer, () => sealer.open(vector.header, { now: vector.time }));
    if (session) await sealsAnew(js, vector, sealer, session);
  },

  divided: async (js, { name, cookies, token, seen, new: isNew = false, set, refused }) => {
    const sealer = new js.CookieSealer({ name, cookies, ring: await js.KeyRing.parse(''), lifetime: { absolute: 1 } });
    const { session: found, error } = await refusal((async () => sealer.divided(token, seen ? { seen, spared: [] } : null, isNew))());
    if (error || refused) return equal(error && words(error), refused, 'refused');
    equal(Object.fromEntries(found), set, 'cookies');
  },

  removed: async (js, { ring, name, cookies, header, removed, ended, formers = [], formerly = [], path = '/', domain = null, partitioned = false }) => {
    const place = (form) => ({ ...form, domain: form.domain ?? undefined });
    const sealer = new js.CookieSealer({
      name, cookies, ...place({ path, domain, partitioned }), formers: formers.map(place), ring: await js.KeyRing.parse(ring), lifetime: { absolute: 1 },
    });
    equal([...(await sealer.removed(header)).keys()].sort(), [...removed].sort(), 'removed');
    equal(sealer.mustSayEnded(header), ended, 'ended');
    // The response: former cookies go, before what is written.
    const lines = (await sealer.signOut(header)).map((line) => {
      const attribute = (of) => new RegExp(`; ${of}=([^;]*)`).exec(line)?.[1] ?? null;
      const slot = { name: /^[^=]*/.exec(line)[0], path: attribute('Path'), domain: attribute('Domain'), partitioned: line.endsWith('; Partitioned') };
      return [JSON.stringify(slot), /^[^=]*=;/.test(line)];
    });
    const slots = [...formerly, ...removed.map((name) => ({ name, path, domain, partitioned }))].map((slot) => JSON.stringify(slot));
    equal(lines.map(([slot]) => slot).sort(), [...slots].sort(), 'lines of the response');
    equal(lines.slice(0, formerly.length).map(([slot]) => slot).sort(), slots.slice(0, formerly.length).sort(), 'former ones first');
    equal(lines.filter(([, isExpired]) => !isExpired).length, ended ? 1 : 0, 'lines that expire nothing');
  },

  rings: async (js, vector) => {
    const { session: ring, error } = await refusal(js.KeyRing.parse(vector.bytes ? bytes(vector.bytes) : vector.ring));
    if (vector.refused) return equal(error instanceof js.KeyRingError, true, 'refused');
    if (error) throw error;
    const keys = Object.fromEntries([...ring.keys].map(([id, { secret, from, until }]) => [id, { key: hex(secret), from, until }]));
    equal({ keys, revoked: [...ring.revoked].sort(), notBefore: ring.notBefore },
      { keys: vector.keys, revoked: [...vector.revoked].sort(), notBefore: vector.notBefore }, 'ring');
    const { time } = vector;
    equal({ active: ring.active(time)?.id ?? null, seals: ring.sealing(time)?.id ?? null, begins: ring.begins(time) },
      { active: vector.active, seals: vector.seals, begins: vector.begins }, 'state');
  },

  cutoffs: async (js, { cutOff, time, holds, begins }) => {
    equal([js.beganBefore({ created: holds }, cutOff), js.beganBefore({ created: holds - 1 }, cutOff)], [false, true], 'holds');
    const sealer = new js.CookieSealer({ name: 's', ring: await js.KeyRing.parse(ring), lifetime: { absolute: 86400 } });
    const { session: sealed, error } = await refusal(sealer.seal(1, { now: time, cutOff }));
    if (error && !['ended', 'time-out-of-range'].includes(error.code)) throw error;
    equal(error ? null : sealed.session.created, begins, 'begins');
  },

  json: async (js, vector) => {
    let item;
    try {
      item = js.itemOfJSON(vector.bytes ? bytes(vector.bytes) : vector.json);
    } catch (error) {
      if (!(error instanceof js.ViewError)) throw error;
      return equal(vector.refused, true, `refused (${error.message})`);
    }
    equal(hex(item), vector.refused ? 'refused' : vector.item, 'item');
    equal(spelled(JSON.parse(js.jsonOfItem(item))), spelled(JSON.parse(vector.view)), 'view');
    equal(hex(js.itemOfJSON(js.jsonOfItem(item))), vector.item, 'read back from its view');
    equal(hex(js.itemOfJSON(vector.view)), vector.item, 'read back from the view');
    equal(hex(js.encode(js.decode(item))), vector.item, 'encoded again');
  },
};

async function read(file) {
  return [file, JSON.parse(await readText(new URL(`${file}.json`, folder), 'utf8'))];
}

const contents = new Map(await Promise.all(Object.keys(files).map(read)));

/** Why a vector fails; undefined: it does not. */
export async function failure(js, file, vector, number) {
  try {
    await files[file](js, vector);
    return undefined;
  } catch (error) {
    const of = vector.what ?? vector.comment ?? vector.json ?? vector.hex ?? '';
    return `${file}[${number}] ${of.slice(0, 100)}: ${error instanceof Unequal ? error.message.slice(0, 400) : error.stack}`;
  }
}

/** Runs one file. @returns {Promise<{ count: number, failures: string[] }>} */
export async function run(js, file) {
  const { count, vectors } = contents.get(file);
  const failures = vectors.length > 0 && (count ?? vectors.length) === vectors.length ? [] : [`${file}.json is not whole`];
  for (const [number, vector] of vectors.entries()) failures.push((await failure(js, file, vector, number)) ?? []);
  return { count: vectors.length, failures: failures.flat() };
}

/** Every vector, small ones first: the sooner one fails. */
export function everyVector() {
  const all = [...contents].flatMap(([file, { vectors }]) => vectors.map((vector, number) => ({ file, vector, number })));
  const sizes = new Map(all.map((each) => [each, JSON.stringify(each.vector).length]));
  return all.sort((a, b) => sizes.get(a) - sizes.get(b));
}
