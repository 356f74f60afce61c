// Random sessions, rings, dictionaries, splits, and damaged tokens, headers, items and JSON, to the three implementations of FORMAT.md at once:
// each must give the same result, or the same word of refusal. What one seals, the others open.
//
//     node differential.mjs [--swift PATH] [--python PATH] [--seconds 20] [--comparisons 1000000] [--seed 1]

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import zlib from 'node:zlib';

import * as js from '../../Implementations/javascript/sealed-cookie.mjs';

const { values: options } = parseArgs({
  options: Object.fromEntries(['swift', 'python', 'seconds', 'comparisons', 'seed', 'only'].map((name) => [name, { type: 'string' }])),
});
const seed = Number(options.seed ?? randomInt(2 ** 31));
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const unhex = (text) => new Uint8Array(Buffer.from(text, 'hex'));

// ---- Chance (mulberry32), which a seed repeats

let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (n) => Math.floor(random() * n);
const oneOf = (list) => list[below(list.length)];
const chance = (n) => below(n) === 0;
const times = (n, make) => Array.from({ length: n }, (_, i) => make(i));
const randomBytes = (n) => Uint8Array.from({ length: n }, () => below(256));

// ---- What is asked about

const now = 1785715200;
const words = ['user', 'roles', 'admin', 'member', 'email', 'zoe@example.com', 'csrf', 'é', 'e\u0301', '\u212b', '\u00c5', '日本語', '\u{1f36a}', '', '$', '$5', '$$', '$bytes',
  '\u0000', '\u2028', '\u202e', '"', '\\', 'the quick brown fox ', '__proto__', 'constructor', '5', '-1', '\ufeff', '\uffff', 'items', 'quantity', 'price', 'currency'];
const text = () => times(below(4), () => oneOf(words)).join('').repeat(chance(12) ? 1 + below(60) : 1);
const marks = () => 'e' + '\u0301'.repeat(255 + below(3));
const edges = [0, 1, 23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
const bigEdges = [2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 72n, 2n ** 127n, 2n ** 128n - 1n];
const integer = () => {
  const n = chance(3) ? oneOf(bigEdges) + BigInt(below(2)) * BigInt(below(3) - 1) : BigInt(chance(2) ? oneOf(edges) : below(5000));
  const signed = chance(3) ? -1n - n : n;
  const bounded = signed >= 2n ** 128n || signed < -(2n ** 128n) ? 7n : signed;
  return bounded >= -(2n ** 53n) + 1n && bounded < 2n ** 53n ? Number(bounded) : bounded;
};
const int64 = () => {
  const n = integer();
  return BigInt.asIntN(64, BigInt(n)) === BigInt(n) ? n : below(100);
};
function float() {
  const view = new DataView(new ArrayBuffer(8));
  const value = oneOf([
    () => oneOf([0, -0, 1, 1.5, 0.1, 65504, 65505, 65519.99, 2 ** -24, 2 ** -25, 2 ** -14, 2 ** -149, 5e-324, 1e300, Infinity, -Infinity, NaN, 2 ** 53, 2 ** 63, 2 ** 64]),
    () => below(1000000) / 100,
    () => Math.fround(random() * 10 ** (below(20) - 10)),
    () => now + below(1000) / 1000,
    () => view.setBigUint64(0, BigInt.asUintN(64, BigInt(below(2 ** 32)) << 32n | BigInt(below(2 ** 32)))) ?? view.getFloat64(0),
  ])();
  if (!Number.isNaN(value)) return Number.isSafeInteger(value) && !Object.is(value, -0) ? new js.Float(value) : value;
  return new js.Float(NaN, (chance(2) ? 0x7ff0000000000000n : 0xfff0000000000000n) | BigInt(1 + below(2 ** 32 - 1)) << BigInt(oneOf([0, 13, 20, 29, 42]) % 20));
}
function tagged(depth) {
  return oneOf([
    () => new js.Tagged(1, int64()),
    () => new js.Tagged(1, float()),
    () => new js.Tagged(1, now + below(100000)),
    () => { const scale = oneOf([9, 18]); return new js.Tagged(1001, new Map([[1, int64()], [-scale, below(2) ? below(1e9) : Number(oneOf([0, 5e8, 999999999]))]])); },
    () => new js.Tagged(4, [int64(), integer()]),
    () => new js.Tagged(24, value(depth + 2)),
    () => new js.Tagged(32, text()),
    () => new js.Tagged(37, randomBytes(16)),
  ])();
}
function map(depth) {
  const keys = new Map();
  for (let n = below(6); n > 0; n--) {
    const key = chance(4) ? int64() : text();
    keys.set(typeof key === 'bigint' || typeof key === 'number' ? BigInt(key) : key, value(depth + 1));
  }
  return keys;
}
function value(depth = 0) {
  if (depth > 5 || chance(3)) {
    return oneOf([() => null, () => true, () => false, integer, float, text, text, () => randomBytes(below(chance(20) ? 3000 : 40)), () => (chance(40) ? marks() : below(100))])();
  }
  if (chance(400)) return times(60 + below(6), () => 0).reduce((inner) => (chance(2) ? [inner] : new js.Tagged(24, inner)), value(6));
  return oneOf([() => times(below(7), () => value(depth + 1)), () => map(depth), () => map(depth), () => tagged(depth)])();
}
/** An item of FORMAT §7. */
function item() {
  for (;;) {
    try {
      return js.encode(chance(3) ? map(0) : value());
    } catch (error) {
      if (error.code === undefined) throw error;
    }
  }
}
function damaged(bytes) {
  const changed = [...bytes];
  for (let n = 1 + below(3); n > 0; n--) {
    const at = below(changed.length + 1);
    oneOf([() => changed.splice(at, 1), () => changed.splice(at, 0, below(256)), () => { changed[at] = (changed[at] ?? 0) ^ (1 << below(8)); },
      () => changed.splice(at), () => changed.splice(at, 0, ...changed.slice(below(at + 1), at)), () => { changed[at] = oneOf([0, 0x18, 0x19, 0x1f, 0x40, 0x5f, 0x7f, 0xa0, 0xc2, 0xd8, 0xf7, 0xf9, 0xff]); }])();
  }
  return Uint8Array.from(changed, (byte) => byte ?? 0);
}

const secrets = times(4, () => randomBytes(32));
const ids = await Promise.all(secrets.map(js.keyID));
const timeText = (seconds) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
const nearTime = () => timeText(now + oneOf([-86400 * 30, -3600, -61, -60, -1, 0, 1, 59, 60, 61, 3600]) + below(3) - 1);
function ringText(isWhole) {
  const lines = [];
  for (let n = below(5) + (isWhole ? 1 : 0); n > 0; n--) {
    const k = below(secrets.length);
    const key = () => `key ${ids[k]}${chance(2) ? ` from=${nearTime()}` : ''}${chance(4) ? ` until=${nearTime()}` : ''} sck1_${js.toBase64URL(secrets[k])}`;
    lines.push(oneOf([key, key, key, key, () => `revoked ${chance(3) ? ids[k] : hex(randomBytes(3))}`, () => (chance(4) ? `not-before ${nearTime()}` : ''), () => `# ${chance(5) ? 'sck1_' : 'a comment'}`, () => ' \t'])());
  }
  if (isWhole && chance(2)) lines.push(`key ${ids[0]} sck1_${js.toBase64URL(secrets[0])}`);
  const end = oneOf(['\n', '\n', '\n', '\r\n', ';', isWhole ? '\n' : '\r']);
  const whole = lines.join(end) + (chance(3) ? '' : end === ';' ? oneOf(['', '\n', ';', '\r\n']) : end);
  if (isWhole || chance(3)) return Buffer.from(whole);
  const bytes = Buffer.from(whole);
  return chance(2) ? Buffer.from(damaged(bytes)) : Buffer.from(whole.replace(oneOf([' ', 'from', '=', 'key', 'T', '-', '0', '1', ids[0], '\n']), oneOf(['', '\t', '  ', '\u00a0', '\r', 'FROM', '#', ';', '9', '\ufeff'])));
}

const dictionaries = [Buffer.from('owner members own words, own words, again the quick brown fox jumps '), Buffer.from('x'), Buffer.from(randomBytes(300))];
const configurations = [];

async function newConfigurations() {
  configurations.length = 0;
  for (let n = 0; n < 24; n++) {
    let text, ring;
    for (;;) {
      text = ringText(true);
      ring = await js.KeyRing.parse(new Uint8Array(text)).catch(() => undefined);
      if (ring?.keys.size || (ring && chance(20))) break;
    }
    configurations.push({
      ringText: hex(text), ring, name: oneOf(['s', 'sid', '__Host-session', 's.1']), purpose: oneOf(['', '', 'login', 'zurück']),
      absolute: oneOf([1, 3600, 86400, 1209600]), idle: oneOf([null, null, 60, 7200]), ceiling: oneOf([34560000, 34560000, 100, 86400]),
      dictionaries: oneOf([[], [], [dictionaries[0]], [dictionaries[1], dictionaries[0]], [dictionaries[2]]]), most: oneOf([1, 1, 1, 2, 3, 9]),
    });
  }
}

const fieldsOf = ({ ringText, name, purpose, absolute, idle, ceiling, dictionaries: own, most }, limit = most) => [
  ringText, hex(Buffer.from(name)), hex(Buffer.from(purpose)), absolute, idle ?? '-', ceiling, own.map(hex).join(',') || '-', limit,
];

function leb128(n) {
  const bytes = [];
  for (; n >= 128; n = Math.floor(n / 128)) bytes.push((n % 128) | 128);
  return [...bytes, n];
}
const span = () => oneOf([0, 0, 1, 59, 60, 61, 127, 128, 3600, 86400, 1209599, 1209600, 34560000, 2 ** 32 - 1, below(100000)]);

/** The skeleton of an item and the contents of its byte strings (§6.2), without looking whether it is one. */
function divided(bytes) {
  const skeleton = [];
  const contents = [];
  for (let at = 0; at < bytes.length; ) {
    const [major, information] = [bytes[at] >> 5, bytes[at] & 31];
    const size = information < 24 || information > 27 ? 0 : 2 ** (information - 24);
    const argument = size ? Number(BigInt(`0x${hex(bytes.subarray(at + 1, at + 1 + size)) || '0'}`)) : information;
    const end = at + 1 + size + (major === 3 ? argument : 0);
    skeleton.push(...bytes.subarray(at, end));
    at = end;
    if (major === 2) {
      contents.push(...bytes.subarray(at, at + argument));
      at += argument;
    }
  }
  return [Buffer.from(skeleton), Buffer.from(contents)];
}

/** A payload, right or not. */
function payload(own) {
  let flags = 0;
  const fields = [];
  const age = chance(3) ? span() : 0;
  const created = chance(40) ? below(2 ** 32) : Math.max(0, now - age + oneOf([0, 0, 0, -1, -59, -60, -3600, -86400, 59, 60, 61, 62]));
  fields.push(created >>> 24, created >>> 16, created >>> 8, created, ...leb128(age));
  if (chance(4)) {
    flags |= 2;
    fields.push(...leb128(span()), ...leb128(span()));
  }
  if (chance(5)) flags |= 16;
  let bytes = chance(4) ? damaged(item()) : item();
  if (chance(20)) [flags, bytes] = [flags | 32, chance(4) ? bytes : Uint8Array.of(0xf6)];
  else if (chance(2)) {
    flags |= 1;
    let dictionary = Buffer.alloc(0);
    if (chance(2)) {
      flags |= 8;
      const which = oneOf(['standard', 'own', 'other', 'none']);
      if (which === 'none') fields.push(below(256), ...(chance(2) ? randomBytes(3) : []));
      else if (which === 'standard') { dictionary = Buffer.from(standard); fields.push(1); }
      else {
        dictionary = which === 'own' ? own[0] ?? dictionaries[0] : oneOf(dictionaries);
        fields.push(...dictionaryNames.get(hex(dictionary)));
      }
    }
    const [skeleton, contents] = divided(bytes);
    let stream = zlib.deflateRawSync(skeleton, { level: below(10), strategy: below(5), ...(dictionary.length && { dictionary }) });
    if (chance(6)) stream = damaged(stream);
    bytes = Buffer.concat([stream, chance(10) ? damaged(contents) : contents]);
  }
  if (chance(5)) {
    flags |= 4;
    bytes = Buffer.concat([bytes, Buffer.of(0x80), Buffer.alloc(below(5))]);
  }
  if (chance(30)) flags ^= 1 << below(8);
  const whole = Uint8Array.from([flags, ...fields, ...bytes]);
  return chance(15) ? damaged(whole) : whole;
}

const standard = js.standardDictionary;
const dictionaryNames = new Map(await Promise.all(dictionaries.map(async (bytes) => {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [hex(bytes), [16 + (digest[0] % 240), digest[1], digest[2], digest[3]]];
})));

async function sealedPayload(bytes, name, purpose, key = below(secrets.length)) {
  const header = Uint8Array.of(0x48, ...unhex(ids[key]));
  const r = randomBytes(20);
  const nonce = Uint8Array.from([...r.subarray(0, 8), 0, 0, 0, 0, ...r.subarray(8)]);
  const encoded = (text) => new TextEncoder().encode(text);
  const box = await js.xaesSeal(secrets[key], nonce, bytes, js.pae([encoded('SealedCookie'), header, encoded(name), encoded(purpose)]));
  return js.toBase64URL(Uint8Array.from([...header, ...r, ...box]));
}

const damagedText = (text) => oneOf([
  () => text.slice(0, below(text.length)), () => text + oneOf(['A', '=', ' ', '+', 'é', '"']),
  () => { const at = below(text.length); return text.slice(0, at) + oneOf([...'AQgw-_=+/. %', 'é', '\u{1f36a}']) + text.slice(at + 1); },
  () => 'S'.repeat(below(80)), () => text.toLowerCase(), () => 'A' + text.slice(1), () => 'S' + 'A'.repeat(62 + below(3)), () => 'S'.repeat(4090 + below(12)),
])();

async function token(configuration, name = configuration.name) {
  const key = chance(12) ? below(4) : Math.max(0, ids.indexOf(oneOf([...configuration.ring.keys.keys(), ...configuration.ring.revoked])));
  const bytes = payload(configuration.dictionaries);
  const right = await sealedPayload(bytes, chance(20) ? 'other' : name, chance(20) ? 'other' : configuration.purpose, key);
  return chance(8) ? damagedText(right) : right;
}

function cut(name, text, most) {
  const count = 2 + below(Math.max(1, most - 1));
  const places = times(count - 1, () => below(text.length + 1)).sort((a, b) => a - b);
  const pieces = times(count, (i) => text.slice(places[i - 1] ?? 0, places[i] ?? text.length));
  return pieces.map((piece, i) => (i ? `${name}.${i}=${piece}` : `${name}=${chance(15) ? below(12) : count}.${piece}`));
}

async function header(configuration) {
  const pairs = [];
  const { name, most } = configuration;
  for (let n = chance(4) ? 1 + below(5) : 1; n > 0; n--) {
    const text = await token(configuration);
    if (most === 1 ? chance(10) : chance(2)) {
      const parts = cut(name, text, most);
      if (chance(6)) parts.splice(below(parts.length), 1);
      if (chance(6)) parts.push(`${name}.${below(10)}=${oneOf(['', 'x', text, text.slice(3)])}`);
      pairs.push(...parts);
    } else pairs.push(`${name}=${chance(12) ? `"${text}"` : text}`);
  }
  if (chance(5)) pairs.push(...times(below(4), () => oneOf([`a=b`, `${name}`, `${name}x=1`, `=${name}`, ` ${name} = x `, `${name}=`, `${name.toUpperCase()}=q`, '', `${name}.1`, `${name}.1=`, `"${name}"=z`, `${name}.2=y`])));
  if (chance(4)) pairs.sort(() => random() - 0.5);
  const whole = pairs.join(oneOf(['; ', '; ', ';', ' ;\t']));
  return chance(20) ? damagedText(whole) : whole;
}

function jsonText() {
  if (chance(8)) {
    const digits = () => times(1 + below(25), () => below(10)).join('');
    const number = `${oneOf(['', '-', '+'])}${oneOf(['0', digits(), String(2n ** 64n), '18446744073709552000', '1', '9007199254740993'])}${chance(2) ? `.${digits().slice(0, 1 + below(9))}` : ''}${chance(2) ? `${oneOf(['e', 'E'])}${oneOf(['', '-', '+'])}${oneOf([0, 1, 5, 20, 308, 309, 324, 400, '05'])}` : ''}`;
    return oneOf([number, `{"$float":"${number}"}`, `{"$date":"@${number}"}`, `{"$int":"${number}"}`, `{"$decimal":"${number}"}`, `{"$${number}":1}`]);
  }
  if (chance(8)) {
    const two = (most) => String(below(most)).padStart(2, '0');
    return `{"$date":"${oneOf(['2026', '1583', '1582', '9999', '0000', '2024', '1970', '1969'])}-${two(14)}-${two(33)}T${two(25)}:${two(61)}:${two(61)}${oneOf(['', '', `.${times(oneOf([1, 3, 6, 9, 10, 17, 18, 19]), () => below(10)).join('')}`, '.'])}${oneOf(['Z', 'Z', 'Z', 'z', '+00:00', ''])}"}`;
  }
  const whole = js.jsonOfItem(item());
  if (chance(2)) return whole;
  const at = below(whole.length + 1);
  return oneOf([
    () => whole.slice(0, at) + whole.slice(at + 1), () => whole.slice(0, at) + oneOf([...'{}[]":,0-.eE $@+', 'null', '\\u0000', '\\ud800', '"$int":"1",', '\t', '\u00a0', '\ufeff']) + whole.slice(at),
    () => whole.replace(/"/, '"$'), () => whole.replace(/\$bytes|\$date|\$int|\$float|\$uuid|\$url|\$secret|\$map|\$decimal/, (form) => oneOf([form.toUpperCase(), '$bytes', '$date', '$int', '$float', '$uuid', '$url', '$secret', '$map', '$decimal'])),
    () => whole.replace(/\d/, () => String(below(10))), () => `\ufeff${whole}`, () => ` ${whole}\n`, () => `${whole},`,
    () => `{"$map":[[${oneOf(['"é"', '5', '1.0', '{"$int":"5"}', 'null', '"$5"'])},1],[${oneOf(['"e\u0301"', '5', '"é"', '-1'])},${whole}]]}`,
    () => `{${oneOf(['"é"', '"a"', '"\\u00e9"', '"$5"'])}:1,${oneOf(['"e\u0301"', '"a"', '"$05"', '"$-5"'])}:2}`,
  ])();
}

// ---- Cases: the fields of a line

const kinds = {
  async open() {
    const configuration = oneOf(configurations);
    return ['open', ...fieldsOf(configuration), now, hex(Buffer.from(await header(configuration)))];
  },
  async token() {
    const configuration = { ...oneOf(configurations), name: '' };
    configuration.purpose ||= 'reset';
    return ['token', ...fieldsOf(configuration, oneOf([2000, 2000, 100, 500])), now, hex(Buffer.from(await token(configuration)))];
  },
  async again() {
    const configuration = oneOf(configurations);
    const other = oneOf(configurations);
    const own = { ...configuration, most: 1 };
    const later = now + oneOf([0, 1, 59, 60, 3599, 3600, 86400, 1209600, 34560000]);
    return ['again', ...fieldsOf(own), now, hex(Buffer.from(`${own.name}=${await token(own)}`)), later, chance(2) ? own.ringText : other.ringText];
  },
  async seal() {
    const configuration = oneOf(configurations);
    const own = chance(3) ? `${oneOf([1, 60, 86400, 2 ** 32 - 1])}/${oneOf(['-', 1, 3600])}` : '-';
    return ['seal', ...fieldsOf(configuration), now + below(3) - 1, hex(item()), own, below(2)];
  },
  async removed() {
    const configuration = oneOf(configurations);
    const pairs = times(below(6), () => `${configuration.name}.${below(10)}=${oneOf(['x', '', `SA${'A'.repeat(61)}`])}`);
    if (chance(2)) pairs.push(`${configuration.name}.${1 + below(8)}=${oneOf(['', '2.', '1.'])}${await token(configuration, `${configuration.name}.1`)}`);
    return ['removed', ...fieldsOf(configuration), now, hex(Buffer.from(pairs.join('; ')))];
  },
  async item() {
    return ['item', hex(chance(2) ? item() : damaged(item()))];
  },
  async json() {
    return ['json', hex(Buffer.from(jsonText()))];
  },
  async ring() {
    return ['ring', hex(ringText(chance(2))), now + below(3) - 1];
  },
};
const weights = { open: 8, token: 2, again: 2, seal: 2, removed: 1, item: 3, json: 4, ring: 3 };

// ---- This implementation's answer

const number = (field) => (field === '-' ? null : Number(field));
const fromText = (field) => Buffer.from(field, 'hex').toString();
const sealers = new Map();

function configured(fields, Sealer) {
  const key = [Sealer.name, ...fields.slice(0, 8)].join();
  if (!sealers.has(key)) {
    if (sealers.size > 300) sealers.clear();
    const [ring, name, purpose, absolute, idle, ceiling, own, most] = fields;
    const parsed = js.KeyRing.parse(unhex(ring));
    sealers.set(key, new Sealer({
      ring: () => parsed, name: fromText(name), purpose: fromText(purpose), lifetime: { absolute: number(absolute), idle: number(idle), ceiling: number(ceiling) },
      dictionaries: own === '-' ? [] : own.split(',').map(unhex), cookies: Number(most), limit: Number(most), itemLimit: 65536,
    }));
  }
  return sealers.get(key);
}

const ownText = (own) => (own ? `${own.absolute}/${own.idle ?? '-'}` : '-');
const sealedText = ({ cookies, maxAge }) => `sealed ${maxAge ?? '-'} ${hex(Buffer.from([...cookies].map(([name, value]) => `${name}=${value}`).sort().join('; ')))}`;

async function answer([kind, ...fields]) {
  if (kind === 'item') {
    const item = unhex(fields[0]);
    js.decode(item);
    return `view ${hex(Buffer.from(js.jsonOfItem(item)))}`;
  }
  if (kind === 'json') return `item ${hex(js.itemOfJSON(unhex(fields[0])))}`;
  if (kind === 'ring') {
    const ring = await js.KeyRing.parse(unhex(fields[0]));
    const at = Number(fields[1]);
    const keys = [...ring.keys.values()].map(({ id, from, until }) => `${id}:${from ?? '-'}:${until ?? '-'}`).sort();
    return [...keys, '/', ...[...ring.revoked].sort(), '/', ring.notBefore ?? '-', ring.active(at)?.id ?? '-', ring.sealing(at)?.id ?? '-'].join(' ');
  }
  const at = { now: Number(fields[8]) };
  if (kind === 'token') {
    const { created, ends, item } = await configured(fields, js.TokenSealer).open(fromText(fields[9]), at);
    return `ok ${created} ${ends} ${hex(item)}`;
  }
  const sealer = configured(fields, js.CookieSealer);
  if (kind === 'removed') return [...(await sealer.removed(fromText(fields[9]))).keys()].sort().join(' ');
  if (kind === 'seal') {
    const [absolute, idle] = fields[10].split('/').map(number);
    const own = fields[10] === '-' ? undefined : { absolute, idle };
    return sealedText(await sealer.seal(new js.Item(unhex(fields[9])), { ...at, own, endsWithBrowser: fields[11] === '1' }));
  }
  const opened = await sealer.open(fromText(fields[9]), at);
  if (opened === null) return 'none';
  if (kind === 'open') {
    return `ok ${opened.created} ${opened.sealed} ${opened.ends} ${ownText(opened.own)} ${Number(opened.endsWithBrowser)} ${hex(opened.item)}`;
  }
  const other = configured([fields[11], ...fields.slice(1)], js.CookieSealer);
  return sealedText(await other.sealAgain(opened, { now: Number(fields[10]) }));
}

const said = async (fields) => {
  try {
    return await answer(fields.map(String));
  } catch (error) {
    if (fields[0] === 'item' && error instanceof js.OpenError) return 'refused'; // whatever is wrong with an item
    if (error instanceof js.OpenError || error instanceof js.SealError) return `refused ${error.code}`;
    if (error instanceof js.KeyRingError || error instanceof js.ViewError) return 'refused';
    throw new Error(`JavaScript, ${fields.join('\t')}`, { cause: error });
  }
};

// ---- The others

function other(name, command, ...rest) {
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const died = new Promise((_, reject) => child.on('close', (status) => reject(new Error(`${name} ended with ${status}`))));
  died.catch(() => {});
  return {
    name,
    end: () => child.stdin.end(),
    async ask(questions) {
      child.stdin.write(questions.map((fields) => `${fields.join('\t')}\n`).join(''));
      const answers = [];
      while (answers.length < questions.length) {
        const { value, done } = await Promise.race([lines.next(), died]);
        if (done) throw new Error(`${name} said nothing to ${questions[answers.length].join('\t')}`);
        answers.push(value);
      }
      return answers;
    },
  };
}

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const others = [];
if (options.swift) others.push(other('Swift', options.swift));
if (options.python) others.push(other('Python', options.python, here('differential.py')));

/** Words that mean one thing where something is sealed again. */
const sameWords = { 'refused unknown-key': 'refused revoked-key', 'refused item-too-large': 'refused too-large' };

/** What must be equal of an answer. Views may be spelled differently, and tokens are: they must come to the same. */
function comparable(kind, fields, text) {
  if (text.startsWith('view ')) {
    const view = Buffer.from(text.slice(5), 'hex');
    return hex(js.itemOfJSON(new Uint8Array(view))) === fields[1] ? 'view' : `another item's view: ${view}`;
  }
  if (text.startsWith('sealed ')) {
    const [, maxAge, cookies] = text.split(' ');
    const pairs = fromText(cookies).split('; ').map((pair) => pair.split('='));
    return `sealed ${maxAge} ${pairs.map(([name, value]) => name + (value ? '' : ' is empty')).join(', ')}`;
  }
  return (kind === 'again' || kind === 'seal' ? sameWords[text] : undefined) ?? text;
}

let comparisons = 0;
const counts = {};
const differences = [];

async function compare(questions) {
  const [ours, ...theirs] = await Promise.all([Promise.all(questions.map(said)), ...others.map((each) => each.ask(questions))]);
  const more = [];
  for (const [i, fields] of questions.entries()) {
    const [kind] = fields;
    const answers = [ours[i], ...theirs.map((answers) => answers[i])];
    const found = answers.map((text) => comparable(kind, fields, text));
    comparisons += answers.length - 1;
    const result = found[0].split(' ').slice(0, found[0].startsWith('refused') ? 2 : 1).join(' ');
    const label = `${kind}: ${kind === 'ring' && !result.startsWith('refused') ? 'a ring' : kind === 'removed' ? 'names' : result}`;
    counts[label] = (counts[label] ?? 0) + 1;
    const isAtLimit = /^(sealed|refused too-large)/.test(found[0]) && found.every((text) => /^(sealed|refused too-large)/.test(text)) && new Set(found).size > 1;
    if (new Set(found).size > 1 && !(isAtLimit && isNear(answers))) {
      differences.push(fields);
      console.log(`${fields.join('\t')}\n${answers.map((text, j) => `  ${['JavaScript', ...others.map(({ name }) => name)][j]}: ${text.slice(0, 300)}`).join('\n')}`);
    }
    for (const text of answers) {
      if (text.startsWith('sealed ')) {
        const [ring, at] = kind === 'again' ? [fields[12], fields[11]] : [fields[1], fields[9]];
        more.push(['open', ring, ...fields.slice(2, 9), at, text.split(' ')[2]]);
      }
      if (text.startsWith('view ')) more.push(['json', text.slice(5)]);
    }
  }
  return more;
}

/** Whether answers differ because compressors do: lengths within a fiftieth of a whole number of cookies. */
function isNear(answers) {
  const lengths = answers.filter((text) => text.startsWith('sealed ')).map((text) => fromText(text.split(' ')[2]).length);
  return lengths.some((length) => Math.abs(length / 4096 - Math.round(length / 4096)) < 0.08);
}

const started = Date.now();
const most = Number(options.comparisons ?? Infinity);
const seconds = Number(options.seconds ?? (options.comparisons ? Infinity : 20));
const bag = Object.entries(weights).flatMap(([kind, weight]) => (!options.only || options.only === kind ? Array(weight).fill(kind) : []));
let told = 0;
while (Date.now() - started < seconds * 1000 && comparisons < most && differences.length < 20) {
  await newConfigurations();
  for (let i = 0; i < 5; i++) {
    const questions = [];
    for (let n = 0; n < 100; n++) questions.push(await kinds[oneOf(bag)]());
    const more = await compare(questions);
    if (more.length) await compare(more);
    if (comparisons - told >= 100000) console.log(`… ${(told = comparisons)} comparisons in ${Math.round((Date.now() - started) / 1000)} s`);
  }
}
for (const each of others) each.end();
for (const [label, count] of Object.entries(counts).sort()) console.log(`${String(count).padStart(9)}  ${label}`);
console.log(`seed ${seed}: ${comparisons} comparisons with ${others.map(({ name }) => name).join(' and ')}, ${differences.length} differences`);
process.exitCode = differences.length || !comparisons ? 1 : 0;
