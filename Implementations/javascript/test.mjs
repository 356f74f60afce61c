// node --test: every vector of the repository, and what no vector can hold: sealing, Set-Cookie, other runtimes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';

import { files, run } from './vectors.mjs';

// mutants.mjs gives a module of its own, which it has run the vectors against, and the section that is edited there.
const { MUTANT, MUTANT_SECTION = 'DEFLATE' } = process.env;
const skip = !MUTANT_SECTION.startsWith('DEFLATE') && 'another section';
const js = await import(MUTANT ?? './sealed-cookie.mjs');

for (const file of MUTANT ? [] : Object.keys(files)) {
  test(`vectors: ${file}`, async () => {
    const { count, failures } = await run(js, file);
    assert.ok(count > 0);
    assert.deepEqual(failures, []);
  });
}

const key = 'key 113657 sck1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n';
const ring = await js.KeyRing.parse(key);
const now = 1785715200;
const lifetime = { absolute: 14 * 86400, idle: 12 * 3600 };
const sealer = (options) => new js.CookieSealer({ name: '__Host-session', ring, lifetime, ...options });
const header = ({ cookies }) => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
const code = (expected) => (error) => error.code === expected;

test('a session is sealed again though the clock was set back', async () => {
  const one = sealer();
  const [[, value]] = (await one.seal({ user: 1 }, { now })).cookies;
  const opened = await one.open(`__Host-session=${value}`, { now });
  const again = await one.sealAgain(opened, { now: now - 120 });
  assert.equal((await one.open(header(again), { now })).sealed, now);
});

test('values come back as they were', async () => {
  const none = Object.create(null);
  const value = Object.assign(Object.create(null), {
    user: 42, big: 2n ** 64n, negative: -(2n ** 63n), least: -(2n ** 128n), float: 1.5, whole: new js.Float(2), zero: -0, infinite: -Infinity,
    text: 'é\u{1f36a}', nothing: null, yes: true, bytes: Uint8Array.of(0, 255), list: [1, [2, [3]]], '': none,
    date: new Date(1785715200123), day: new Date(0), before: new Date(-1), csrf: js.secret('x'),
    map: new Map([[5, 'five'], ['5', 'text']]), uuid: js.uuid('123e4567-e89b-12d3-a456-426614174000'), url: js.url('https://a.example/'),
    decimal: new js.Tagged(4, [-2, 1999]),
  });
  value['__proto__'] = 'a member';
  const { item, value: read } = await sealer().open(header(await sealer().seal(value, { now })), { now });
  assert.deepEqual(read, value);
  assert.deepEqual(js.encode(read), item);
});

test('what cannot be kept is refused when it is sealed', () => {
  const cycle = [];
  cycle.push(cycle);
  const refused = [
    undefined, [undefined], { a: undefined }, [, 1], () => 1, Symbol('a'), new Date(NaN), '\ud800', { '\udc00': 1 }, 2n ** 128n,
    'e' + '\u0301'.repeat(257), new Set(), new (class Session {})(), new Uint16Array(1), cycle, new Map([[1.5, 1]]), new Map([[2n ** 63n, 1]]),
    new Map([[1, 1], [1n, 2]]), { [Symbol('a')]: 1 }, new js.Tagged(5, 1), new js.Tagged(37, new Uint8Array(15)), new js.Tagged(4, [1, 2, 3]),
    new js.Tagged(1, 'now'), js.secret(undefined), new js.Tagged(32, new js.Tagged(32, 'a')),
  ];
  for (const value of refused) assert.throws(() => js.encode(value), code('not-encodable'), String(typeof value));
  assert.deepEqual(js.encode('e' + '\u0301'.repeat(256)).length, 516);
  assert.throws(() => js.encode('x'.repeat(65534)), code('item-too-large'));
  assert.equal(js.encode('x'.repeat(65533)).length, 65536);
});

test('an item that is none is refused, whoever hands it over', async () => {
  const item = Uint8Array.of(0x18, 0x05);
  assert.throws(() => js.decode(item), (error) => error instanceof js.OpenError && error.code === 'malformed-payload');
  await assert.rejects(sealer().seal(new js.Item(item), { now }), (error) => error instanceof js.SealError && error.code === 'not-encodable');
});

test('64 levels are taken and 65 are not', () => {
  const nested = (levels, inner = 0) => (levels ? [nested(levels - 1, inner)] : inner);
  js.decode(js.encode(nested(64)));
  js.encode(nested(63, js.uuid('123e4567-e89b-12d3-a456-426614174000')));
  for (const value of [nested(65), nested(64, {}), nested(64, js.uuid('123e4567-e89b-12d3-a456-426614174000')), nested(64, 2n ** 64n), nested(63, js.secret([]))]) {
    assert.throws(() => js.encode(value), code('not-encodable'));
  }
});

test('a piece of more than 16 MiB has its length in four bytes', () => {
  assert.deepEqual([...js.pae([new Uint8Array(0x01020304)]).subarray(8, 16)], [4, 3, 2, 1, 0, 0, 0, 0]);
});

test('inflates what zlib deflates, and zlib what we deflate', { skip }, () => {
  for (let i = 0; i < 400; i++) {
    const word = () => randomBytes(1 + randomInt(6)).toString(randomInt(2) ? 'hex' : 'latin1');
    const words = Array.from({ length: 1 + randomInt(40) }, word);
    const data = Buffer.from(Array.from({ length: randomInt(300) }, () => words[randomInt(words.length)]).join('')).subarray(0, 65536);
    const dictionary = randomInt(2) ? Buffer.from(words.join('')) : Buffer.alloc(0);
    const options = { level: randomInt(10), strategy: randomInt(5), memLevel: 1 + randomInt(9), ...(dictionary.length && { dictionary }) };
    const theirs = zlib.deflateRawSync(data, options);
    const { bytes, end } = js.inflate(Buffer.concat([theirs, randomBytes(3)]), dictionary, 65536);
    assert.deepEqual([Buffer.from(bytes), end], [data, theirs.length]);
    if (data.length) assert.throws(() => js.inflate(theirs, dictionary, data.length - 1), code('malformed-payload'));
    assert.throws(() => js.inflate(theirs.subarray(0, -1), dictionary, 65536), code('malformed-payload'));
    const ours = js.deflateFixed(data, dictionary);
    assert.deepEqual(zlib.inflateRawSync(ours, dictionary.length ? { dictionary } : {}), data);
  }
  const long = Buffer.alloc(65536, 'abcdefghijklmnopq');
  assert.ok(js.deflateFixed(long, new Uint8Array()).length < 700);
});

test('refuses of changed streams what zlib refuses', { skip }, () => {
  const dictionary = Buffer.from('a dictionary with words');
  const unchanged = zlib.deflateRawSync(Buffer.from('words with a dictionary, and more words, and more'.repeat(9)), { dictionary });
  for (let i = 0; i < 4000; i++) {
    const stream = randomInt(4) ? Buffer.from(unchanged) : Buffer.concat([Buffer.of(randomInt(256)), randomBytes(60)]);
    stream[randomInt(stream.length)] ^= 1 << randomInt(8);
    const theirs = attempt(() => zlib.inflateRawSync(stream, { dictionary, maxOutputLength: 65536 }));
    const ours = attempt(() => Buffer.from(js.inflate(stream, dictionary, 65536).bytes));
    assert.deepEqual(ours, theirs, stream.toString('hex'));
  }
});

function attempt(action) {
  try {
    return action();
  } catch {
    return 'refused';
  }
}

test('seals for cookies, with their attributes', async () => {
  const sealed = await sealer().seal({ user: 42 }, { now });
  assert.equal(sealed.setCookie.length, 1);
  assert.match(sealed.setCookie[0], /^__Host-session=S[\w-]{62,}; Max-Age=43200; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
  const ends = await sealer({ name: 's', domain: 'a.example', secure: false, httpOnly: false, path: '/x', sameSite: 'Strict' })
    .seal({ user: 42 }, { now, endsWithBrowser: true });
  assert.match(ends.setCookie[0], /^s=S[\w-]+; Path=\/x; Domain=a\.example; SameSite=Strict$/);
  assert.deepEqual(await sealer({ partitioned: true }).signOut('__Host-session=x; __Host-session.3=y'), [
    '__Host-session=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; HttpOnly; SameSite=Lax; Partitioned',
    '__Host-session.3=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; HttpOnly; SameSite=Lax; Partitioned',
  ]);
  for (const wrong of [
    { name: '' }, { name: 'a b' }, { name: 'n'.repeat(4034) }, { path: 'x' }, { path: '/;' }, { domain: 'a.example' }, { secure: false },
    { name: 's', domain: 'example' }, { name: 's', domain: '127.0.0.1' }, { name: 's', domain: 'a..b' }, { name: 's', domain: `${'a'.repeat(64)}.b` },
    { name: 's', domain: 'a.0x7f' }, { sameSite: 'lax' }, { cookies: 10 }, { cookies: 0 }, { padding: 0 }, { lifetime: { absolute: 0 } }, { purpose: '\ud800' },
  ]) {
    assert.throws(() => sealer(wrong), (error) => error instanceof TypeError || error instanceof js.ConfigurationError, JSON.stringify(wrong));
  }
});

test('each rule of a cookie has its word, at its bound', () => {
  const label = 'a'.repeat(63);
  const refused = {
    'invalid-name': [{ name: 'a b' }, { name: 's\u00e9' }], 'name-too-long': [{ name: 'n'.repeat(4034) }],
    'attribute-too-long': [{ path: `/${'x'.repeat(1024)}` }],
    'invalid-domain': ['a.9', 'a.10', 'a.08', 'a.0x0', 'a.0x', `${label}.${label}.${label}.${'b'.repeat(62)}`].map((domain) => ({ domain })),
    'http-prefix-needs-secure': [{ name: '__Http-s', secure: false }],
    'http-prefix-needs-http-only': [{ name: '__Http-s', httpOnly: false }],
    'same-site-none-needs-secure': [{ sameSite: 'None', secure: false }], 'partitioned-needs-secure': [{ partitioned: true, secure: false }],
  };
  for (const [word, all] of Object.entries(refused)) {
    for (const options of all) assert.throws(() => sealer({ name: 's', ...options }), code(word), JSON.stringify(options));
  }
  for (const taken of [
    { name: 's09' }, { domain: 'x.ab.c' }, { path: `/${'x'.repeat(1023)}` }, { domain: `${label}.${label}.${label}.${'b'.repeat(61)}` }, { name: '__Http-s' },
    { sameSite: 'None' }, { formers: Array(4).fill({ name: 'old' }) }, { lifetime: { absolute: 2 ** 32 - 1 } },
  ]) sealer({ name: 's', ...taken });
  assert.throws(() => sealer({ lifetime: { absolute: 2 ** 32 } }), TypeError);
});

test('a ring says what is wrong, and on which line', async () => {
  const of = async (text) => js.KeyRing.parse(text).then(() => 'read', ({ code, line }) => `${code} ${line}`);
  assert.deepEqual(await Promise.all(['\ufeff', 'key', '#\nx', '#\n\nkey 113657', 'revoked x', '#\n#\r#\n', 'key;#', `# ${key}`, '#\nnot-before 2026'].map(of)),
    ['byte-order-mark 1', 'unknown-line 1', 'unknown-line 2', 'not-a-key 3', 'not-a-key-id 1', 'carriage-return 2', 'comment-in-one-line 1', 'lost-line-breaks 1', 'not-a-time 2']);
  assert.equal(await of(new Uint8Array([0xff])), 'not-utf8 undefined');
});

test('a former form of the same name in another place is expired, and one in the same place is not', async () => {
  const present = sealer({ name: 's', formers: [{ path: '/x' }, { purpose: 'before' }] });
  const { setCookie, session } = await present.seal(7, { now });
  assert.deepEqual([setCookie.length, setCookie[0].slice(0, 13), setCookie[1].slice(0, 3)], [2, 's=; Max-Age=0', 's=S']);
  assert.match(setCookie[0], /; Path=\/x;/);
  assert.equal(session.dictionary, null);
  assert.equal((await present.seal({ username: 'zoe', roles: ['admin'], csrfToken: 'x' }, { now })).session.dictionary, '01');
  assert.equal(await present.open(undefined, { now }), null);
  assert.equal(await sealer({ ring: await js.KeyRing.parse('') }).sealedOn('', { now }), null);
});

test('parts of an older session go: all of them with a new session, those of the request with one that is sealed again', async () => {
  const splitting = sealer({ name: 's', cookies: 4 });
  const names = ({ cookies }) => [...cookies.keys()].join(' ');
  const unknown = await splitting.seal(1, { now });
  assert.equal(names(unknown), 's s.1 s.2 s.3');
  assert.equal(names(await splitting.seal(1, { now, cookieHeader: 's.7=x' })), 's s.1 s.2 s.3 s.7');
  const opened = await splitting.open(`s.7=x; ${header(unknown)}`.replace(/; s\.[0-9]=/g, ''), { now });
  assert.equal(names(await splitting.sealAgain(opened, { now })), 's s.7');
  assert.equal(names(await splitting.sealAgain({ ...opened, parts: undefined }, { now })), 's s.1 s.2 s.3');
  assert.equal(names(await sealer({ name: 't', cookies: 2 }).sealAgain(opened, { now, moves: true })), 't t.1');
  const [[, other]] = unknown.cookies;
  assert.deepEqual(await splitting.partsOf(`s.1=9.${other}; s.2=1.${other}`), { seen: [2], spared: [1] }); // of nine cookies
  const foreign = sealer({ name: 't', ring: await js.KeyRing.parse('') });
  await assert.rejects(foreign.sealAgain(opened, { now, moves: true }), code('foreign-key'));
  await assert.rejects(sealer({ name: 's', ring: await js.KeyRing.parse('') }).sealAgain(opened, { now }), code('revoked-key'));
});

test('the latest of several cookies decides, and a sign-out says so where another would be the session', async () => {
  const older = header(await sealer().seal('older', { now: now - 100 }));
  const newer = header(await sealer().seal('newer', { now }));
  for (const both of [`${older}; ${newer}`, `${newer}; ${older}`]) assert.equal((await sealer().open(both, { now })).value, 'newer');
  assert.equal((await sealer().signOut(newer, { now }))[0].split(';')[0], '__Host-session=');
  const [left] = await sealer().signOut(`${newer}; ${older}`, { now });
  await assert.rejects(sealer().open(`${older}; ${left.split(';')[0]}; ${newer}`, { now: now + 9 }), code('signed-out'));
  const { session } = await sealer().seal('after it', { now, cookieHeader: newer });
  assert.deepEqual([session.created, session.sealed], [now, now + 1]);
});

test('a header of blanks is read once: half a minute, where each run is tried at each of its characters', async () => {
  const blanks = '\t'.repeat(200_000);
  assert.equal(await sealer().open(`x${blanks}x=1; a=${blanks}b${blanks}; =${blanks}=`, { now }), null);
});

test('a session of a former form opens, is sealed in the present one, and its cookie is expired', async () => {
  const old = { name: 'old', purpose: 'p', path: '/x', domain: 'a.example', cookies: 2, lifetime: { absolute: 1000 } };
  const present = sealer({ formers: [old, { purpose: 'before' }] });
  const opened = await present.open(header(await sealer(old).seal(7, { now: now - 9 })), { now });
  assert.deepEqual([opened.value, opened.isFormer, opened.ends, await present.isDue(opened, now)], [7, true, now + 991, true]);
  await assert.rejects(present.sealAgain(opened, { now: now + 991 }), code('expired')); // by its former policy
  const again = await present.sealAgain(opened, { now });
  const gone = '; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/x; Domain=a.example; Secure; HttpOnly; SameSite=Lax';
  assert.deepEqual(again.setCookie.slice(0, -1), [`old=${gone}`, `old.1=${gone}`]);
  assert.match(again.setCookie.at(-1), /^__Host-session=S/); // and no line that expires it, though a former form has its name
  assert.deepEqual([again.session.created, again.session.isFormer], [now - 9, false]);
  assert.equal((await present.open(header(again), { now })).isFormer, false);
  const over = sealer({ formers: [{ ...old, until: now - 70 }] });
  await assert.rejects(over.open(header(await sealer(old).seal(7, { now: now - 9 })), { now }), code('former-cookie'));
  assert.throws(() => sealer({ formers: Array(5).fill(old) }), TypeError);
});

test('Max-Age is counted from the last whole second', async () => {
  const sealed = await sealer({ lifetime: { absolute: 100 } }).seal(1, { now: now + 0.9 });
  assert.equal(sealed.maxAge, 100);
  const again = await sealer({ lifetime: { absolute: 100 } }).sealAgain(sealed.session, { now: now + 50.9 });
  assert.deepEqual([again.maxAge, again.session.sealed], [50, now + 50]);
});

test('a sealer bounds what it seals', async () => {
  await assert.rejects(sealer().seal(new Uint8Array(16385), { now }), code('item-too-large'));
  await assert.rejects(sealer().seal(Array(4095).fill(0), { now }), code('item-too-large')); // two values the array, and one each
  await sealer().seal(Array(4094).fill(0), { now });
  // An entry counts as its value alone, and a tag with its content as one: the entries are 3, 1, 1 and 1, and the map two.
  const values = (list) => sealer({ cookies: 9 }).seal(new Map([[0, [0]], [1, js.uuid('00112233-4455-6677-8899-aabbccddeeff')], [2, new js.Tagged(4, [0, 1])], [3, new Date(now)], [4, list]]), { now });
  await values(Array(4096 - 2 - 6 - 2).fill(0));
  await assert.rejects(values(Array(4096 - 2 - 6 - 2 + 1).fill(0)), code('item-too-large'));
  await assert.rejects(sealer({ itemLimit: 100 }).seal('x'.repeat(99), { now }), code('item-too-large'));
  await assert.rejects(sealer({ itemLimit: 100 }).seal(new js.Item(js.encode('x'.repeat(99))), { now }), code('item-too-large'));
  await sealer({ itemLimit: 100 }).seal(Array(97).fill(0), { now });
  await sealer({ itemLimit: 8000 }).seal(Array(4094).fill(0), { now });
  await sealer({ itemLimit: 65536, cookies: 9 }).seal(Array(16382).fill(0), { now });
  await assert.rejects(sealer({ itemLimit: 65536, cookies: 9 }).seal(Array(16383).fill(0), { now }), code('item-too-large'));
  for (const own of [{ absolute: 0 }, { absolute: 2 ** 32 }, { absolute: 1.5 }, { absolute: 9, idle: 0.5 }, { absolute: 9, idle: 2 ** 32 }]) {
    await assert.rejects(sealer().seal(1, { now, own }), code('time-out-of-range'), JSON.stringify(own));
  }
  assert.deepEqual((await sealer().seal(1, { now, own: { absolute: 9 } })).session.own, { absolute: 9, idle: null });
});

test('what was signed out opens no more, and says so', async () => {
  const [set] = await sealer().signOut(null, { saysEnded: true, now });
  assert.match(set, /; Max-Age=34560000;/);
  assert.match((await sealer().signOut())[0], /^__Host-session=; Max-Age=0;/);
  await assert.rejects(sealer().open(set.split(';')[0], { now: now + 1e8 }), code('signed-out'));
});

test('a token without a cookie may be as long as its limit', async () => {
  const tokens = (limit) => new js.TokenSealer({ purpose: 'reset', ring, lifetime, limit });
  for (const text of ['a', 'ab', 'abc', '']) {
    const token = await tokens().seal(text, { now });
    assert.equal((await tokens(token.length).open(await tokens(token.length).seal(text, { now }), { now })).value, text);
    if (token.length > 63) await assert.rejects(tokens(token.length - 1).seal(text, { now }), code('too-large'), text);
  }
  assert.throws(() => tokens(62), code('invalid-token-limit'));
});

test('sealed again for another cookie only when it moves', async () => {
  const opened = await sealer().open(header(await sealer().seal(7, { now, own: { absolute: 3600 } })), { now });
  const reset = sealer({ purpose: 'reset' });
  await assert.rejects(reset.sealAgain(opened, { now }), code('another-cookie'));
  const moved = await reset.sealAgain(opened, { now: now + 9, moves: true });
  assert.deepEqual([moved.session.created, moved.session.sealed, moved.session.own], [now, now + 9, { absolute: 3600, idle: null }]);
  await assert.rejects(sealer().open(header(moved), { now }), code('not-authentic'));
});

test('without a time it is now', async () => {
  const { session } = await sealer().seal(1);
  assert.ok(Math.abs(session.sealed - Date.now() / 1000) < 60);
  assert.equal((await sealer().open(header(await sealer().sealAgain(session)))).created, session.created);
});

test('what begins on a request is not sealed more than 60 s ahead, nor beyond 32 bits', async () => {
  const ahead = header(await sealer().seal(1, { now: now + 60 }));
  assert.equal((await sealer().seal(2, { now: now + 0.5, cookieHeader: ahead })).session.sealed, now + 60);
  const last = header(await sealer().seal(1, { now: 2 ** 32 - 1 }));
  await assert.rejects(sealer().seal(2, { now: 2 ** 32 - 9, cookieHeader: last }), code('time-out-of-range'));
  const { session } = await sealer().seal(1, { now: 2 ** 32 - 9 });
  assert.equal((await sealer().sealAgain(session, { now: 2 ** 32 - 0.5 })).session.sealed, 2 ** 32 - 1);
  await assert.rejects(sealer().sealAgain(session, { now: 2 ** 32 }), code('time-out-of-range'));
});

test('no-one lengthens a session by a clock that is behind, and none begins beyond 60 s', async () => {
  const notBefore = await js.KeyRing.parse(`not-before 2026-08-03T00:01:00Z;${key}`);
  const { session } = await sealer({ ring: notBefore }).seal(1, { now });
  assert.equal(session.created, now + 60);
  assert.equal((await sealer().seal(1, { now: now + 0.999 })).session.created, now);
  assert.equal((await sealer().seal(1, { now: now + 0.999, cutOff: now + 0.5 })).session.created, now + 1);
  for (const behind of [0.5, 1]) await assert.rejects(sealer({ ring: notBefore }).seal(1, { now: now - behind }), code('ended'));
  for (const before of [-1, -0.5]) await assert.rejects(sealer().seal(1, { now: before }), code('time-out-of-range'));
  await assert.rejects(sealer({ ring: await js.KeyRing.parse('') }).seal(1, { now }), code('no-active-key'));
});

test('the length shows nothing of bytes, and padding hides a text of another length', async () => {
  const length = async (value, options) => (await sealer(options).seal(value, { now })).token.length;
  const guess = (text) => ({ secret: js.secret('correct horse battery'), bytes: Buffer.from('staple staple staple'), text });
  assert.equal(await length(guess('correct horse battery')), await length({ ...guess('correct horse battery'), secret: js.secret('qqqqqqq qqqqq qqqqqqq') }));
  assert.equal(await length('a', { padding: 64 }), await length('abcdefghijklmnopqrstuvwxyz', { padding: 64 }));
});

test('is written again when a tenth has passed, or another key seals', async () => {
  const due = async (after, options = {}, sealing = {}) => {
    const { session } = await sealer(options).seal('x'.repeat(50), { now, ...sealing });
    return sealer(options).isDue(session, now + after);
  };
  assert.deepEqual([await due(4319), await due(4320)], [false, true]);
  const day = { lifetime: { absolute: 86401 } };
  assert.deepEqual([await due(8640, day), await due(8641, day)], [false, true]);
  assert.deepEqual([await due(86400, day, { endsWithBrowser: true }), await due(4320, {}, { endsWithBrowser: true })], [false, true]);
  const own = { own: { absolute: 1000, idle: 100 } };
  assert.deepEqual([await due(9, {}, own), await due(10, {}, own)], [false, true]);
  const { session } = await sealer().seal(1, { now });
  const newer = await js.KeyRing.parse(`${key}key 6e0cd7 from=2026-08-01T00:00:00Z sck1_${js.toBase64URL(new Uint8Array(32).fill(9))}`.replace('6e0cd7', await js.keyID(new Uint8Array(32).fill(9))));
  assert.equal(await sealer({ ring: newer }).isDue(session, now), true);
  // Two keys since this very second, and a session by the one with the lesser id: it is not another clock's.
  const since = key.replace('sck1_', 'from=2026-08-03T00:00:00Z sck1_');
  const both = await js.KeyRing.parse(`${since}${since.replace(/.*sck1_.*/, `key ${await js.keyID(new Uint8Array(32).fill(9))} from=2026-08-03T00:00:00Z sck1_${js.toBase64URL(new Uint8Array(32).fill(9))}`)}`);
  assert.deepEqual([both.sealing(now).id === session.keyID, await sealer({ ring: both }).isDue(session, now)], [false, true]);
});

test('a cookie that ends with the browser is written again for its idle time alone, and for another dictionary', async () => {
  const text = { username: 'zoe', roles: ['admin'], csrfToken: 'x' };
  const days = { lifetime: { absolute: 1000 } };
  const own = sealer({ ...days, dictionaries: [Buffer.from('words of this application')] });
  const { session } = await sealer(days).seal(text, { now, endsWithBrowser: true });
  assert.equal(session.dictionary, '01');
  const { session: plain } = await sealer(days).seal(1, { now, endsWithBrowser: true });
  assert.equal(plain.dictionary, null);
  const due = async (sealer, session) => [await sealer.isDue(session, now + 99), await sealer.isDue(session, now + 100)];
  assert.deepEqual([await due(sealer(days), session), await due(own, session), await due(own, plain)], [[false, false], [false, true], [false, false]]);
});

test('a ring that loses its keys while a session is sealed is refused', async () => {
  const none = await js.KeyRing.parse('');
  const rings = [ring, none];
  await assert.rejects(sealer({ ring: () => rings.shift() }).seal(1, { now }), code('no-active-key'));
});

test('what was revoked stays revoked in the rings after it', async () => {
  const revoked = await js.KeyRing.parse(`not-before 2026-08-03T00:00:00Z\nrevoked 113657\n${key}`);
  const after = await js.KeyRing.parse(key, revoked);
  assert.deepEqual([[...after.revoked], after.notBefore, after.active(now), after.keys.size], [['113657'], now, null, 0]);
  assert.equal(await js.KeyRing.parse('# nothing\n', revoked), revoked);
  assert.equal((await js.KeyRing.parse('not-before 2027-01-01T00:00:00Z', revoked)).notBefore, 1798761600);
  assert.equal((await js.KeyRing.parse(key, ring)).notBefore, null);
});

test('dictionaries of an application make its tokens shorter, and are known by their name', async () => {
  const dictionary = Buffer.from('a phrase of this application, and another');
  const own = sealer({ dictionaries: [dictionary] });
  const sealed = await own.seal('a phrase of this application', { now });
  assert.ok(sealed.token.length < (await sealer().seal('a phrase of this application', { now })).token.length);
  assert.equal((await own.open(header(sealed), { now })).value, 'a phrase of this application');
  await assert.rejects(sealer().open(header(sealed), { now }), code('unknown-dictionary'));
  for (const size of [1, 7936]) await sealer({ dictionaries: [Buffer.alloc(size)] }).seal(1, { now });
  for (const size of [0, 7937]) await assert.rejects(sealer({ dictionaries: [Buffer.alloc(size)] }).seal(1, { now }), TypeError);
});

test('two dictionaries of one name are refused, and one that is there twice is not', async () => {
  const [one, other] = [Buffer.from('words 69327'), Buffer.from('words 92037')]; // one pair in 4 billion
  await sealer({ dictionaries: [one, one] }).seal(1, { now });
  await assert.rejects(sealer({ dictionaries: [one, other] }).seal(1, { now }), code('ambiguous-dictionaries'));
});

test('a large session takes several cookies, and opens in any order', async () => {
  const value = { bytes: randomBytes(9000) };
  await assert.rejects(sealer({ cookies: 2 }).seal(value, { now }), code('too-large'));
  const sealed = await sealer({ cookies: 4 }).seal(value, { now, cookieHeader: '__Host-session.8=old' });
  assert.deepEqual([...sealed.cookies.keys()].map((name) => name.slice(14)), ['', '.1', '.2', '.3', '.8']);
  const opened = await sealer({ cookies: 4 }).open(header(sealed).split('; ').reverse().join(';'), { now });
  assert.deepEqual(Buffer.from(opened.value.bytes), value.bytes);
});

test('runs where nothing of Node is: every vector by WebCrypto, without zlib', { skip: MUTANT && 'the vectors' }, () => {
  const output = execFileSync(process.execPath, [fileURLToPath(new URL('runtimes.mjs', import.meta.url)), 'web'], { encoding: 'utf8' });
  assert.match(output, /WebCrypto alone: [0-9]{4} vectors, 0 failed/);
});
