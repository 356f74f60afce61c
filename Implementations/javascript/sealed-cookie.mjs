// The sealed cookie format, version 1, as FORMAT.md of this repository says it: one file, no dependency, for Node 18 and
// later and for every runtime with WebCrypto. Section signs (§) are FORMAT's. All times are Unix seconds, all spans seconds.

const inNode = globalThis.process?.versions?.node !== undefined;
const builtIn = async (name) => (inNode ? globalThis.process.getBuiltinModule?.(name) ?? (await import(name)) : undefined);
const node = await builtIn('node:crypto'); // a tenth of WebCrypto's time
const zlib = await builtIn('node:zlib'); // a better compressor than ours
const crypto = globalThis.crypto ?? node.webcrypto; // Node 18 has no global one

// ---- Errors

/** What went wrong, for the server's log and metrics. `code` is a short word that stays the same. */
export class SealedCookieError extends Error {
  /** @param {string} code @param {string} [message] */
  constructor(code, message = code.replaceAll('-', ' ')) {
    super(message);
    this.name = new.target.name;
    /** @type {string} */
    this.code = code;
  }
}

/**
 * Why a cookie is no session (§5.2, §11.1): `too-long`, `too-many-cookies`, `missing-part`, `not-base64url`, `too-short`,
 * `unknown-version`, `revoked-key`, `unknown-key`, `not-authentic`, `malformed-payload`, `unknown-dictionary`,
 * `in-the-future`, `signed-out`, `former-cookie`, `expired` or `ended`. A visitor is told one thing: there is no session.
 */
export class OpenError extends SealedCookieError {}

/**
 * Why nothing was sealed: `no-active-key`, `too-large`, `item-too-large`, `not-encodable`, `time-out-of-range`, `expired`,
 * `ended`, `revoked-key`, `foreign-key` or `another-cookie`.
 */
export class SealError extends SealedCookieError {}

/** Why a key ring's text is invalid (§9). `line` counts from 1. The message never holds a key. */
export class KeyRingError extends SealedCookieError {
  /** @param {string} code @param {number} [line] */
  constructor(code, line) {
    super(code, `key ring${line ? `, line ${line}` : ''}: ${code.replaceAll('-', ' ')}`);
    this.line = line;
  }
}

/** Why a sealer cannot be made, in Swift's words, such as `invalid-name` or `host-prefix-needs-secure`. */
export class ConfigurationError extends SealedCookieError {}

/** Why JSON text is no view of a session (§8). */
export class ViewError extends SealedCookieError {}

/** Bytes that are no CBOR item of §7; becomes an OpenError or SealError at the edge. */
class ItemError extends Error {}

const malformed = (why) => new OpenError('malformed-payload', `authentic, but malformed: ${why}`);

// ---- Bytes and text

const utf8 = new TextEncoder();
const strictUTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const sextets = Uint8Array.from({ length: 128 }, (_, code) => alphabet.indexOf(String.fromCharCode(code)) & 0xff); // 255: none

/** @param {Uint8Array[]} pieces */
function concat(...pieces) {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

function compare(a, b) {
  const count = Math.min(a.length, b.length);
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** Bytes to base64url without padding (§2). @param {Uint8Array} bytes @returns {string} */
export function toBase64URL(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
    text += alphabet[group >> 18] + alphabet[(group >> 12) & 63];
    if (i + 1 < bytes.length) text += alphabet[(group >> 6) & 63];
    if (i + 2 < bytes.length) text += alphabet[group & 63];
  }
  return text;
}

/** The bytes of base64url text in its one spelling, or undefined for any other text (§2). @param {string} text */
export function fromBase64URL(text) {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let count = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const sextet = sextets[text.charCodeAt(i)] ?? 255;
    if (sextet === 255) return undefined;
    bits = ((bits << 6) | sextet) & 0xffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes[at++] = (bits >> count) & 0xff;
    }
  }
  return bits & ((1 << count) - 1) ? undefined : bytes;
}

/** The bytes of text in UTF-8; half a surrogate pair counts as the three bytes of its replacement. */
const utf8Length = (text) => utf8.encode(text).length;

// ---- AES-256-CMAC and XAES-256-GCM (§4, §5)

const zeroBlock = new Uint8Array(16);

/** What is needed of AES-256: CBC from a zero IV, without its padding block, and GCM, the tag at the end. By node:crypto: */
const nodeAES = {
  key: async (bytes) => bytes,
  cbc: async (key, blocks) => new Uint8Array(node.createCipheriv('aes-256-cbc', key, zeroBlock).update(blocks)),
  async seal(key, nonce, plaintext, additionalData) {
    const cipher = node.createCipheriv('aes-256-gcm', key, nonce).setAAD(additionalData);
    return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
  },
  async open(key, nonce, ciphertext, additionalData) {
    const decipher = node.createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 }).setAAD(additionalData);
    decipher.setAuthTag(ciphertext.subarray(-16));
    const plaintext = decipher.update(ciphertext.subarray(0, -16));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      return undefined;
    }
    return new Uint8Array(plaintext);
  },
};

/** And by WebCrypto, which has no AES-ECB: one block in CBC mode from a zero IV is the same. */
const webAES = {
  key: async (bytes, name) => crypto.subtle.importKey('raw', bytes, name, false, name === 'AES-CBC' ? ['encrypt'] : ['encrypt', 'decrypt']),
  cbc: async (key, blocks) => new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-CBC', iv: zeroBlock }, key, blocks), 0, blocks.length),
  async seal(key, iv, plaintext, additionalData) {
    return new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData, tagLength: 128 }, key, plaintext));
  },
  async open(key, iv, ciphertext, additionalData) {
    const algorithm = { name: 'AES-GCM', iv, additionalData, tagLength: 128 };
    const opened = await crypto.subtle.decrypt(algorithm, key, ciphertext).catch((error) => {
      if (error.name !== 'OperationError') throw error; // anything else is no verdict on the tag
    });
    return opened && new Uint8Array(opened);
  },
};

const aes = node?.createCipheriv ? nodeAES : webAES;

/** L times 2 in GF(2^128). */
function doubled(block) {
  const out = new Uint8Array(16);
  for (let i = 0; i < 16; i++) out[i] = (block[i] << 1) | (block[i + 1] >> 7);
  if (block[0] & 0x80) out[15] ^= 0x87;
  return out;
}

function xored(block, other) {
  return block.map((byte, i) => byte ^ other[i]);
}

/** AES-256-CMAC (NIST SP 800-38B). @param {Uint8Array} key 32 bytes @param {Uint8Array} message */
export async function cmac(key, message) {
  const cbcKey = await aes.key(key, 'AES-CBC');
  let subkey = doubled(await aes.cbc(cbcKey, zeroBlock)); // K1
  const blocks = new Uint8Array(Math.max(1, Math.ceil(message.length / 16)) * 16);
  blocks.set(message);
  if (message.length < blocks.length) {
    blocks[message.length] = 0x80;
    subkey = doubled(subkey); // K2
  }
  blocks.set(xored(blocks.subarray(-16), subkey), blocks.length - 16);
  return (await aes.cbc(cbcKey, blocks)).slice(-16);
}

/** A key K, ready for use. @param {Uint8Array} secret */
async function xaesKey(secret) {
  const key = await aes.key(secret, 'AES-CBC');
  return { key, subkey: doubled(await aes.cbc(key, zeroBlock)) };
}

/** The key of one message. */
async function derivedKey({ key, subkey }, nonce) {
  const half = async (counter) => aes.cbc(key, xored(concat([0, counter, 0x58, 0], nonce.subarray(0, 12)), subkey));
  return aes.key(concat(...(await Promise.all([half(1), half(2)]))), 'AES-GCM');
}

/** XAES-256-GCM of C2SP: ciphertext and tag. @param {Uint8Array | object} key @param {Uint8Array} nonce 24 bytes */
export async function xaesSeal(key, nonce, plaintext, additionalData) {
  const derived = await derivedKey(key instanceof Uint8Array ? await xaesKey(key) : key, nonce);
  return aes.seal(derived, nonce.subarray(12), plaintext, additionalData);
}

/** The plaintext, or undefined where the tag does not verify. */
export async function xaesOpen(key, nonce, ciphertext, additionalData) {
  const derived = await derivedKey(key instanceof Uint8Array ? await xaesKey(key) : key, nonce);
  return aes.open(derived, nonce.subarray(12), ciphertext, additionalData);
}

function littleEndian64(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, number, true);
  return bytes;
}

/** PASETO's pre-authentication encoding. @param {Uint8Array[]} pieces */
export function pae(pieces) {
  return concat(littleEndian64(pieces.length), ...pieces.flatMap((piece) => [littleEndian64(piece.length), piece]));
}

// R and the four zero bytes (§5).
const nonceOf = (random) => concat(random.subarray(0, 8), new Uint8Array(4), random.subarray(8));

// ---- DEFLATE (RFC 1951) with a preset dictionary, which DecompressionStream does not take

const lengthBases = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const lengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const distanceBases = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289,
  16385, 24577,
];
const distanceBits = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const fixedLengths = Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));

/** How many codes there are of each length, and the symbols in the codes' order. */
function huffman(lengths) {
  const counts = new Uint16Array(16);
  for (const length of lengths) counts[length]++;
  let left = 1;
  for (let length = 1; length < 16; length++) {
    left = left * 2 - counts[length];
    if (left < 0) throw malformed('more codes than there are');
  }
  // A code that leaves bits over is broken, but for none or a single one of one bit (as zlib has it).
  const used = lengths.length - counts[0];
  if (left > 0 && used > 0 && !(used === 1 && counts[1] === 1)) throw malformed('fewer codes than there are');
  const offsets = new Uint16Array(17);
  for (let length = 1; length < 16; length++) offsets[length + 1] = offsets[length] + counts[length];
  const symbols = new Uint16Array(used);
  lengths.forEach((length, symbol) => {
    if (length) symbols[offsets[length]++] = symbol;
  });
  return { counts, symbols, complete: left === 0 };
}

const fixedCodes = { literals: huffman(fixedLengths), distances: huffman(new Array(32).fill(5)) };

/**
 * Inflates the stream at the start of `source`, and says where it ends.
 * @param {Uint8Array} source @param {Uint8Array} dictionary @param {number} limit the most bytes to inflate
 * @returns {{ bytes: Uint8Array, end: number }}
 */
export function inflate(source, dictionary, limit) {
  let out = new Uint8Array(dictionary.length + Math.min(limit, 1024));
  out.set(dictionary);
  let size = dictionary.length;
  const most = dictionary.length + limit;
  let at = 0;
  let bitBuffer = 0;
  let bitCount = 0;

  function bits(count) {
    while (bitCount < count) {
      if (at === source.length) throw malformed('the stream ends early');
      bitBuffer |= source[at++] << bitCount;
      bitCount += 8;
    }
    const value = bitBuffer & ((1 << count) - 1);
    bitBuffer >>>= count;
    bitCount -= count;
    return value;
  }

  function symbol({ counts, symbols }) {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length < 16; length++) {
      code |= bits(1);
      const count = counts[length];
      if (code - count < first) return symbols[index + (code - first)];
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw malformed('no such code in the stream');
  }

  function grow(count) {
    if (size + count > most) throw malformed('it inflates to too much');
    if (size + count <= out.length) return;
    const larger = new Uint8Array(Math.min(most, Math.max(size + count, out.length * 2)));
    larger.set(out.subarray(0, size));
    out = larger;
  }

  function stored() {
    bitBuffer = bitCount = 0; // up to the next byte
    if (at + 4 > source.length) throw malformed('the stream ends early');
    const length = source[at] | (source[at + 1] << 8);
    if ((source[at + 2] | (source[at + 3] << 8)) !== (length ^ 0xffff)) throw malformed('a stored block of another length');
    at += 4;
    if (at + length > source.length) throw malformed('the stream ends early');
    grow(length);
    out.set(source.subarray(at, at + length), size);
    at += length;
    size += length;
  }

  function dynamicCodes() {
    const literalCount = bits(5) + 257;
    const distanceCount = bits(5) + 1;
    const lengthCount = bits(4) + 4;
    if (literalCount > 286 || distanceCount > 30) throw malformed('more codes than there are symbols');
    const lengthLengths = new Array(19).fill(0);
    for (let i = 0; i < lengthCount; i++) lengthLengths[codeLengthOrder[i]] = bits(3);
    const code = huffman(lengthLengths);
    if (!code.complete) throw malformed('fewer codes than there are');
    const lengths = [];
    while (lengths.length < literalCount + distanceCount) {
      const length = symbol(code);
      if (length < 16) {
        lengths.push(length);
        continue;
      }
      if (length === 16 && lengths.length === 0) throw malformed('a repetition of nothing');
      const count = length === 16 ? 3 + bits(2) : length === 17 ? 3 + bits(3) : 11 + bits(7);
      const repeated = length === 16 ? lengths.at(-1) : 0;
      for (let i = 0; i < count; i++) lengths.push(repeated);
    }
    if (lengths.length > literalCount + distanceCount) throw malformed('lengths for more codes than there are');
    if (lengths[256] === 0) throw malformed('a block without an end');
    return { literals: huffman(lengths.slice(0, literalCount)), distances: huffman(lengths.slice(literalCount)) };
  }

  function compressed({ literals, distances }) {
    for (;;) {
      const literal = symbol(literals);
      if (literal === 256) return;
      if (literal < 256) {
        grow(1);
        out[size++] = literal;
        continue;
      }
      if (literal > 285) throw malformed('no such length');
      const length = lengthBases[literal - 257] + bits(lengthBits[literal - 257]);
      const code = symbol(distances);
      if (code > 29) throw malformed('no such distance');
      const distance = distanceBases[code] + bits(distanceBits[code]);
      if (distance > size) throw malformed('a reference back to before the start');
      grow(length);
      for (let i = 0; i < length; i++, size++) out[size] = out[size - distance];
    }
  }

  for (let last = false; !last; ) {
    last = bits(1) === 1;
    const type = bits(2);
    if (type === 0) stored();
    else if (type === 1) compressed(fixedCodes);
    else if (type === 2) compressed(dynamicCodes());
    else throw malformed('no such block');
  }
  return { bytes: out.subarray(dictionary.length, size), end: at };
}

/** One block of fixed codes; for runtimes without zlib. @param {Uint8Array} data @param {Uint8Array} dictionary */
export function deflateFixed(data, dictionary) {
  const all = concat(dictionary, data);
  const heads = new Int32Array(1 << 13).fill(-1);
  const previous = new Int32Array(all.length);
  const hash = (i) => ((all[i] << 6) ^ (all[i + 1] << 3) ^ all[i + 2]) & 0x1fff;
  const remember = (i) => {
    if (i + 2 >= all.length) return;
    previous[i] = heads[hash(i)];
    heads[hash(i)] = i;
  };
  const out = [];
  let bitBuffer = 0;
  let bitCount = 0;
  const write = (value, count) => {
    bitBuffer |= value << bitCount;
    bitCount += count;
    for (; bitCount >= 8; bitCount -= 8, bitBuffer >>>= 8) out.push(bitBuffer & 0xff);
  };
  const writeCode = (code, count) => {
    for (let i = count - 1; i >= 0; i--) write((code >> i) & 1, 1);
  };
  const writeLiteral = (s) => {
    if (s < 144) writeCode(0x30 + s, 8);
    else if (s < 256) writeCode(0x190 + s - 144, 9);
    else if (s < 280) writeCode(s - 256, 7);
    else writeCode(0xc0 + s - 280, 8);
  };
  write(0b011, 3); // the last block, of fixed codes
  for (let i = 0; i < dictionary.length; i++) remember(i);
  for (let i = dictionary.length; i < all.length; ) {
    let length = 2;
    let distance = 0;
    let candidate = i + 2 < all.length ? heads[hash(i)] : -1;
    for (let tries = 64; candidate >= 0 && i - candidate <= 32768 && tries > 0; tries--, candidate = previous[candidate]) {
      let count = 0;
      while (count < 258 && i + count < all.length && all[candidate + count] === all[i + count]) count++;
      if (count > length) [length, distance] = [count, i - candidate];
    }
    if (distance === 0) {
      writeLiteral(all[i]);
      length = 1;
    } else {
      const l = lengthBases.findLastIndex((base) => base <= length);
      writeLiteral(257 + l);
      write(length - lengthBases[l], lengthBits[l]);
      const d = distanceBases.findLastIndex((base) => base <= distance);
      writeCode(d, 5);
      write(distance - distanceBases[d], distanceBits[d]);
    }
    for (; length > 0; length--) remember(i++);
  }
  writeLiteral(256);
  if (bitCount) write(0, 8 - bitCount);
  return Uint8Array.from(out);
}

function deflate(skeleton, dictionary) {
  if (!zlib) return deflateFixed(skeleton, dictionary);
  const windowBits = dictionary.length + skeleton.length < 8000 ? 13 : 15; // a smaller window takes less time to clear
  return zlib.deflateRawSync(skeleton, { level: 9, windowBits, memLevel: 6, ...(dictionary.length ? { dictionary } : {}) });
}

// ---- Values and CBOR (§7)

const mostBytes = 65536;
const mostLevels = 64;
const int64 = (n) => BigInt.asIntN(64, BigInt(n)) === BigInt(n);
const isInteger = (value) => typeof value === 'bigint' || (Number.isSafeInteger(value) && !Object.is(value, -0));
const small = (n) => (n >= Number.MIN_SAFE_INTEGER && n <= Number.MAX_SAFE_INTEGER ? Number(n) : n);

/**
 * A float that a number of JavaScript does not tell from an integer, such as 2.0, or a NaN of other bits than the usual. (Every
 * number that is no safe integer, and -0, is a float by itself.) In arithmetic it is its number.
 */
export class Float {
  /** @param {number} value @param {bigint} [bits] the 64 bits of a NaN */
  constructor(value, bits) {
    this.value = value;
    if (Number.isNaN(value)) this.bits = bits ?? 0x7ff8000000000000n;
  }
  valueOf() {
    return this.value;
  }
}

/**
 * A tag of §7 with its content, where JavaScript has no type of its own: 1 and 1001 (points in time that a Date does not hold),
 * 4 (decimal numbers, [exponent, mantissa]), 24 (a secret), 32 (a URL's text), 37 (a UUID's 16 bytes).
 */
export class Tagged {
  /** @param {number} tag @param {*} content */
  constructor(tag, content) {
    this.tag = tag;
    this.content = content;
  }
}

/** Keeps a value out of compression, so that its length alone shows (§6.3). */
export const secret = (value) => new Tagged(24, value);
/** @param {string} text such as "123e4567-e89b-12d3-a456-426614174000" */
export const uuid = (text) => {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) throw new TypeError('not a UUID');
  return new Tagged(37, Uint8Array.from(text.replaceAll('-', '').match(/../g), (byte) => parseInt(byte, 16)));
};
/** @param {string | URL} value */
export const url = (value) => new Tagged(32, String(value));

const view64 = new DataView(new ArrayBuffer(8));

function doubleBits(float) {
  if (float instanceof Float && float.bits !== undefined) return float.bits;
  if (Number.isNaN(Number(float))) return 0x7ff8000000000000n;
  view64.setFloat64(0, Number(float));
  return view64.getBigUint64(0);
}

function floatOfBits(bits) {
  view64.setBigUint64(0, bits);
  const value = view64.getFloat64(0);
  if (Number.isNaN(value)) return bits === 0x7ff8000000000000n ? value : new Float(value, bits);
  return isInteger(value) ? new Float(value) : value;
}

/** The same value with fewer bits of exponent and fraction, or undefined. Of a NaN the bits are the value. */
function narrowed(bits, exponentBits, fractionBits) {
  const sign = bits >> 63n;
  let exponent = Number((bits >> 52n) & 0x7ffn);
  let fraction = bits & 0xfffffffffffffn;
  const bias = 2 ** (exponentBits - 1) - 1;
  let drop = 52 - fractionBits;
  if (exponent === 0x7ff) {
    exponent = 2 * bias + 1;
  } else if (exponent === 0 && fraction === 0n) {
    exponent = 0;
  } else {
    exponent += bias - 1023;
    if (exponent > 2 * bias || exponent < -fractionBits) return undefined;
    if (exponent < 1) {
      fraction |= 1n << 52n; // becomes subnormal
      drop += 1 - exponent;
      exponent = 0;
    }
  }
  if (fraction & ((1n << BigInt(drop)) - 1n)) return undefined;
  return (sign << BigInt(exponentBits + fractionBits)) | (BigInt(exponent) << BigInt(fractionBits)) | (fraction >> BigInt(drop));
}

/** The 64 bits of a float with fewer. */
function widened(bits, exponentBits, fractionBits) {
  const sign = bits >> BigInt(exponentBits + fractionBits);
  const exponent = Number((bits >> BigInt(fractionBits)) & ((1n << BigInt(exponentBits)) - 1n));
  const fraction = bits & ((1n << BigInt(fractionBits)) - 1n);
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 * bias + 1) return (sign << 63n) | (0x7ffn << 52n) | (fraction << BigInt(52 - fractionBits));
  const scaled = Number(fraction) / 2 ** fractionBits;
  const value = exponent ? (1 + scaled) * 2 ** (exponent - bias) : scaled * 2 ** (1 - bias);
  return doubleBits(value) | (sign << 63n);
}

function isPlain(object) {
  const prototype = Object.getPrototypeOf(object);
  return (prototype === null || prototype === Object.prototype) && Object.getOwnPropertySymbols(object).length === 0;
}

class Writer {
  bytes = new Uint8Array(256);
  length = 0;
  values = 0; // as §5.1 counts them
  hasTags = false;

  constructor(limit) {
    this.limit = limit;
  }

  append(piece) {
    if (this.length + piece.length > this.limit) throw new SealError('item-too-large');
    if (this.length + piece.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + piece.length));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.bytes.set(piece, this.length);
    this.length += piece.length;
  }

  head(major, argument) {
    const first = major << 5;
    const n = BigInt(argument);
    const byte = (i) => Number((n >> BigInt(8 * i)) & 0xffn);
    if (n < 24n) this.append([first | Number(n)]);
    else if (n < 0x100n) this.append([first | 24, byte(0)]);
    else if (n < 0x10000n) this.append([first | 25, byte(1), byte(0)]);
    else if (n < 0x100000000n) this.append([first | 26, byte(3), byte(2), byte(1), byte(0)]);
    else this.append([first | 27, byte(7), byte(6), byte(5), byte(4), byte(3), byte(2), byte(1), byte(0)]);
  }

  text(text) {
    if (/\p{Cs}/u.test(text)) throw new SealError('not-encodable', 'text with half a surrogate pair');
    if (/\p{M}{257}/u.test(text)) throw new SealError('not-encodable', 'more than 256 combining marks in a row');
    const bytes = utf8.encode(text);
    this.head(3, bytes.length);
    this.append(bytes);
  }

  integer(value, depth) {
    const n = BigInt(value);
    const [major, argument] = n < 0n ? [1, -1n - n] : [0, n];
    if (argument < 1n << 64n) return void this.head(major, argument);
    let hexadecimal = argument.toString(16);
    if (hexadecimal.length > 32) throw new SealError('not-encodable', 'an integer beyond 128 bits');
    if (hexadecimal.length % 2) hexadecimal = '0' + hexadecimal;
    if (depth >= mostLevels) throw new SealError('not-encodable', 'more than 64 levels');
    this.head(6, 2 + major);
    this.head(2, hexadecimal.length / 2);
    this.append(Uint8Array.from(hexadecimal.match(/../g), (byte) => parseInt(byte, 16)));
  }

  float(value) {
    const bits = doubleBits(value);
    const half = narrowed(bits, 5, 10);
    const single = half === undefined ? narrowed(bits, 8, 23) : undefined;
    const [information, shortest] = half !== undefined ? [25, half] : single !== undefined ? [26, single] : [27, bits];
    view64.setBigUint64(0, shortest);
    this.append([0xe0 | information]);
    this.append(new Uint8Array(view64.buffer, 8 - 2 ** (information - 24), 2 ** (information - 24)));
  }

  map(entries, depth) {
    const encoded = entries.map(([key, value]) => {
      const writer = new Writer(this.limit);
      if (typeof key === 'string') writer.text(key);
      else if (isInteger(key) && int64(key)) writer.integer(key, depth);
      else throw new SealError('not-encodable', 'a map key that is neither text nor an integer of 64 bits');
      return { key: writer.bytes.subarray(0, writer.length), value };
    });
    encoded.sort((a, b) => compare(a.key, b.key));
    if (encoded.some(({ key }, i) => i > 0 && equal(key, encoded[i - 1].key))) throw new SealError('not-encodable', 'a key twice');
    this.head(5, encoded.length);
    for (const { key, value } of encoded) {
      this.append(key);
      this.value(value, depth + 1);
    }
  }

  /** @param {number} depth how many arrays, maps and tags are around the value */
  value(value, depth) {
    if (value instanceof Date) value = taggedDate(value);
    if (value instanceof URL) value = url(value);
    const nests = typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !(value instanceof Float);
    if (nests && depth >= mostLevels) throw new SealError('not-encodable', 'more than 64 levels');
    this.values += nests ? 2 : 1;
    if (value === null) this.append([0xf6]);
    else if (typeof value === 'boolean') this.append([value ? 0xf5 : 0xf4]);
    else if (typeof value === 'string') this.text(value);
    else if (isInteger(value)) this.integer(value, depth);
    else if (typeof value === 'number' || value instanceof Float) this.float(value);
    else if (value instanceof Uint8Array) {
      this.head(2, value.length);
      this.append(value);
    } else if (Array.isArray(value)) {
      this.head(4, value.length);
      for (const element of value) this.value(element, depth + 1);
    } else if (value instanceof Tagged) {
      this.hasTags = true;
      this.head(6, value.tag);
      if (value.tag !== 24) {
        const { values } = this;
        this.value(value.content, depth + 1);
        this.values = values - 1; // with its content it is one
        return;
      }
      const inner = new Writer(this.limit);
      inner.value(value.content, depth + 1);
      this.values += inner.values;
      this.head(2, inner.length);
      this.append(inner.bytes.subarray(0, inner.length));
    } else if (value instanceof Map) this.map([...value], depth);
    else if (nests && isPlain(value)) this.map(Object.entries(value), depth);
    else throw new SealError('not-encodable', `a value that CBOR has no form for: ${Object.prototype.toString.call(value)}`);
  }
}

function taggedDate(date) {
  const milliseconds = date.getTime();
  if (Number.isNaN(milliseconds)) throw new SealError('not-encodable', 'an invalid date');
  const seconds = Math.floor(milliseconds / 1000);
  const rest = milliseconds - seconds * 1000;
  return rest ? new Tagged(1001, new Map([[1, seconds], [-9, rest * 1e6]])) : new Tagged(1, seconds);
}

/**
 * A value as one CBOR item (§7): null, booleans, numbers, bigints, text, Uint8Arrays, Dates, URLs, arrays, Maps, plain objects,
 * and Float and Tagged for the rest. What it cannot keep exactly, such as undefined, it refuses with a SealError.
 * @param {*} value @param {number} [limit] the most bytes @returns {Uint8Array}
 */
export const encode = (value, limit = mostBytes) => encoded(value, limit).item;

function encoded(value, limit) {
  const writer = new Writer(Math.min(limit, mostBytes));
  writer.value(value, 0);
  const item = writer.bytes.slice(0, writer.length);
  try {
    if (writer.hasTags) decode(item); // a Tagged may hold anything
  } catch (error) {
    throw error instanceof ItemError ? new SealError('not-encodable', error.message) : error;
  }
  return { item, values: writer.values };
}

/** Reads heads of an item or a skeleton. */
class Reader {
  at = 0;

  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  take(count) {
    if (count > this.bytes.length - this.at) throw new ItemError('the item ends early');
    const start = this.at;
    this.at += Number(count);
    return this.bytes.subarray(start, this.at);
  }

  /** @returns {{ major: number, information: number, argument: number | bigint }} */
  head() {
    const [first] = this.take(1);
    const major = first >> 5;
    const information = first & 31;
    if (information < 24) return { major, information, argument: information };
    if (information > 27) throw new ItemError('an indefinite length, or no length');
    const size = 2 ** (information - 24);
    this.take(size);
    const start = this.at - size;
    const argument =
      size === 1 ? this.view.getUint8(start) : size === 2 ? this.view.getUint16(start) : size === 4 ? this.view.getUint32(start)
      : small(this.view.getBigUint64(start));
    const isShortest = size === 1 ? argument >= 24 : argument >= 2 ** (size * 4);
    if (!isShortest && major !== 7) throw new ItemError('a length that is not the shortest');
    return { major, information, argument };
  }
}

function readText(bytes) {
  try {
    return strictUTF8.decode(bytes);
  } catch {
    throw new ItemError('text that is not UTF-8');
  }
}

function readFloat(information, argument) {
  const bits = BigInt(argument);
  if (information === 27) {
    if (narrowed(bits, 8, 23) !== undefined) throw new ItemError('a float that is not the shortest');
    return floatOfBits(bits);
  }
  const wide = information === 25 ? widened(bits, 5, 10) : widened(bits, 8, 23);
  if (information === 26 && narrowed(wide, 5, 10) !== undefined) throw new ItemError('a float that is not the shortest');
  return floatOfBits(wide);
}

function readValue(reader, depth) {
  const { major, information, argument } = reader.head();
  if (major >= 4 && major <= 6 && depth >= mostLevels) throw new ItemError('more than 64 levels');
  switch (major) {
    case 0:
      return argument;
    case 1:
      return typeof argument === 'number' && argument < Number.MAX_SAFE_INTEGER ? -1 - argument : -1n - BigInt(argument);
    case 2:
      return reader.take(argument).slice();
    case 3:
      return readText(reader.take(argument));
    case 4: {
      const array = [];
      for (let i = 0; i < argument; i++) array.push(readValue(reader, depth + 1));
      return array;
    }
    case 5:
      return readMap(reader, argument, depth);
    case 6:
      return readTag(argument, reader, depth);
    default:
      if (information >= 25) return readFloat(information, argument);
      if (information === 20) return false;
      if (information === 21) return true;
      if (information === 22) return null;
      throw new ItemError('a simple value other than false, true and null');
  }
}

function readMap(reader, count, depth) {
  const entries = [];
  let last;
  for (let i = 0; i < count; i++) {
    const start = reader.at;
    const major = reader.bytes[start] >> 5;
    if (major !== 0 && major !== 1 && major !== 3) throw new ItemError('a map key that is neither text nor an integer');
    const key = readValue(reader, depth + 1);
    if (typeof key !== 'string' && !int64(key)) throw new ItemError('an integer key beyond 64 bits');
    const bytes = reader.bytes.subarray(start, reader.at);
    if (last && compare(last, bytes) >= 0) throw new ItemError('keys that are not sorted, or one twice');
    last = bytes;
    entries.push([key, readValue(reader, depth + 1)]);
  }
  if (entries.some(([key]) => typeof key !== 'string')) return new Map(entries);
  const object = Object.create(null); // so that no key, such as __proto__, means more than another
  for (const [key, value] of entries) object[key] = value;
  return object;
}

function readTag(tag, reader, depth) {
  const contentMajor = reader.bytes[reader.at] >> 5;
  if (tag === 24 && contentMajor === 2) {
    const inner = new Reader(readValue(reader, depth + 1));
    const content = readValue(inner, depth + 1);
    if (inner.at < inner.bytes.length) throw new ItemError('bytes after an embedded item');
    return new Tagged(24, content);
  }
  if (![1, 2, 3, 4, 32, 37, 1001].includes(tag)) throw new ItemError('a tag of no meaning, or of other content');
  const content = readValue(reader, depth + 1);
  const isInt64 = (value) => isInteger(value) && int64(value);
  const isFloat = (value) => value instanceof Float || (typeof value === 'number' && !isInteger(value));
  const isBytes = content instanceof Uint8Array;
  if ((tag === 2 || tag === 3) && isBytes && content.length >= 9 && content.length <= 16 && content[0] !== 0) {
    const n = content.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    return tag === 2 ? n : -1n - n;
  }
  if (tag === 1 && isInt64(content)) {
    const isDate = content >= -8.64e12 && content <= 8.64e12;
    return isDate ? new Date(content * 1000) : new Tagged(1, content);
  }
  if (tag === 1 && isFloat(content)) return new Tagged(1, content);
  if (tag === 4 && Array.isArray(content) && content.length === 2 && isInt64(content[0]) && isInteger(content[1])) {
    return new Tagged(4, content);
  }
  if (tag === 32 && typeof content === 'string') return new Tagged(32, content);
  if (tag === 37 && isBytes && content.length === 16) return new Tagged(37, content);
  if (tag === 1001 && content instanceof Map && content.size === 2 && isInt64(content.get(1))) {
    const key = content.has(-9) ? -9 : -18;
    const fraction = content.get(key);
    if (isInteger(fraction) && fraction >= 0 && BigInt(fraction) < 10n ** BigInt(-key)) {
      const milliseconds = key === -9 && Math.abs(Number(content.get(1))) < 8.64e12 ? Number(content.get(1)) * 1000 + Number(fraction) / 1e6 : NaN;
      const isDate = Number(fraction) > 0 && Number.isInteger(milliseconds) && Number(fraction) % 1e6 === 0;
      return isDate ? new Date(milliseconds) : new Tagged(1001, content);
    }
  }
  throw new ItemError(`tag ${tag} with other content`);
}

/** The value of one CBOR item (§7); throws where it is not in the one form that §7 allows. @param {Uint8Array} item */
export function decode(item) {
  if (item.length > mostBytes) throw new ItemError('more than 65,536 bytes');
  const reader = new Reader(item);
  const value = readValue(reader, 0);
  if (reader.at < item.length) throw new ItemError('bytes after the item');
  return value;
}

/** The item without the contents of its byte strings, and these (§6.2). */
function divide(item) {
  const reader = new Reader(item);
  const skeleton = [];
  const contents = [];
  while (reader.at < item.length) {
    const start = reader.at;
    const { major, argument } = reader.head();
    if (major === 3) reader.take(argument);
    skeleton.push(item.subarray(start, reader.at));
    if (major === 2) contents.push(reader.take(argument));
  }
  return { skeleton: concat(...skeleton), contents: concat(...contents) };
}

function putTogether(skeleton, contents) {
  const reader = new Reader(skeleton);
  const rest = new Reader(contents);
  const pieces = [];
  let size = 0;
  while (reader.at < skeleton.length) {
    const start = reader.at;
    const { major, argument } = reader.head();
    if (major === 3) reader.take(argument);
    pieces.push(skeleton.subarray(start, reader.at));
    if (major === 2) pieces.push(rest.take(argument));
    size += pieces.at(-1).length + (major === 2 ? reader.at - start : 0);
    if (size > mostBytes) throw new ItemError('more than 65,536 bytes');
  }
  if (rest.at < contents.length) throw new ItemError('bytes after the contents');
  return concat(...pieces);
}

// ---- The JSON view (§8)

class JSONNumber {
  constructor(text) {
    this.text = text;
  }
}

const integerText = /^(0|-?[1-9][0-9]*)$/;
const numberText = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
const badView = (why) => new ViewError('not-a-view', why);

/** JSON (RFC 8259) with every digit of its numbers, objects as Maps; at most as deep as a view can be. */
function parseJSON(text) {
  let at = 0;
  const token = /[ \t\n\r]*(?:([[\]{},:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(true|false|null))[ \t\n\r]*/y;
  let current;
  const next = () => {
    token.lastIndex = at;
    current = at < text.length ? token.exec(text) : undefined;
    if (current === null) throw badView('not JSON');
    at = token.lastIndex;
  };
  const punctuation = () => current?.[1];
  const expect = (mark) => {
    if (punctuation() !== mark) throw badView('not JSON');
    next();
  };
  const string = () => {
    if (current?.[2] === undefined) throw badView('not JSON');
    const value = JSON.parse(current[2]);
    if (/\p{Cs}/u.test(value)) throw badView('half a surrogate pair');
    next();
    return value;
  };
  const value = (depth) => {
    if (depth > 3 * mostLevels + 1) throw badView('too many levels');
    if (punctuation() === '[') {
      const array = [];
      next();
      while (punctuation() !== ']') {
        if (array.length) expect(',');
        array.push(value(depth + 1));
      }
      next();
      return array;
    }
    if (punctuation() === '{') {
      const members = new Map();
      const canonical = new Set();
      next();
      while (punctuation() !== '}') {
        if (members.size) expect(',');
        const name = string();
        if (canonical.has(name.normalize('NFC'))) throw badView('a member twice');
        canonical.add(name.normalize('NFC'));
        expect(':');
        members.set(name, value(depth + 1));
      }
      next();
      return members;
    }
    if (current?.[3] !== undefined) {
      const number = new JSONNumber(current[3]);
      next();
      return number;
    }
    if (current?.[4] !== undefined) {
      const word = JSON.parse(current[4]);
      next();
      return word;
    }
    return string();
  };
  next();
  const whole = value(0);
  if (current) throw badView('more than one value');
  return whole;
}

/** A decimal text's digits without zeros around them, and the power of ten of the last: equal numbers have equal ones. */
function normalForm(text) {
  const [, sign, whole, , fraction = '', exponent = '0'] = /^(-?)([0-9]+)(\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text);
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return { sign: '', digits: '0', exponent: 0n };
  return { sign, digits: significant, exponent: BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length) };
}

function finite(text) {
  const number = Number(text);
  if (!Number.isFinite(number)) throw badView('a number beyond a double');
  return number;
}

const asFloat = (number) => (isInteger(number) ? new Float(number) : number);

function readNumber(text) {
  const { sign, digits, exponent } = normalForm(text);
  if (exponent < 0n) return asFloat(finite(text));
  if (BigInt(digits.length) + exponent <= 20n) {
    const n = BigInt(sign + digits + '0'.repeat(Number(exponent)));
    if (n >= -(2n ** 63n) && n < 2n ** 64n) return small(n);
  }
  const number = finite(text);
  const shortest = normalForm(String(number));
  if (shortest.digits !== digits || shortest.exponent !== exponent) throw badView('a number whose digits would be lost');
  return asFloat(number);
}

function readInteger(text, isKey = false) {
  if (typeof text !== 'string' || !integerText.test(text) || text.length > 40) throw badView('not an integer'); // of 128 bits, at most
  const n = BigInt(text);
  if (isKey && !int64(n)) throw badView('an integer beyond 64 bits');
  return small(n);
}

function readFloatText(text) {
  if (text === 'inf') return Infinity;
  if (text === '-inf') return -Infinity;
  if (text === 'nan') return NaN;
  if (/^0x[0-9a-fA-F]{16}$/.test(text)) {
    const float = floatOfBits(BigInt(text));
    if (!Number.isNaN(Number(float))) throw badView('not a NaN');
    return float;
  }
  if (!numberText.test(text)) throw badView('not a float');
  return asFloat(finite(text));
}

/** Unix seconds of `YYYY-MM-DDTHH:MM:SSZ` with a date that exists, from 1583 on; else undefined. */
function readTime(text) {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(text) || text < '1583') return undefined;
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds) || timeText(milliseconds / 1000) !== text) return undefined;
  return milliseconds / 1000;
}

const timeText = (seconds) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
const hasTimeText = (seconds) => seconds >= -12212553600 && seconds < 253402300800; // years 1583 to 9999

function readDate(text) {
  if (text.startsWith('@')) {
    const [, seconds, fraction] = /^@(-?[0-9]+)(?:\+([0-9]{9}|[0-9]{18}))?$/.exec(text) ?? [];
    if (seconds === undefined) return new Tagged(1, readFloatText(text.slice(1)));
    const whole = readInteger(seconds, true);
    return fraction === undefined ? new Tagged(1, whole) : precise(whole, fraction);
  }
  const [, start, fraction] = /^([^.Z]+)(?:\.([0-9]+))?Z$/.exec(text) ?? [];
  const seconds = readTime(start + 'Z');
  if (seconds === undefined) throw badView('not a point in time');
  if (fraction === undefined) return new Tagged(1, seconds);
  if (fraction.length === 9 || fraction.length === 18) return precise(seconds, fraction);
  if (seconds < 0) throw badView('a float below zero has no such form');
  return new Tagged(1, asFloat(Number(`${seconds}.${fraction}`)));
}

const precise = (seconds, fraction) => new Tagged(1001, new Map([[1, seconds], [-fraction.length, small(BigInt(fraction))]]));

function readDecimal(text) {
  const [, sign, whole, , fraction = '', exponent = '0'] = /^(-?)([0-9]+)(\.([0-9]+))?(?:e(-?[0-9]+))?$/.exec(text) ?? [];
  if (whole === undefined) throw badView('not a decimal number');
  readInteger(whole);
  const mantissa = BigInt(whole + fraction);
  if (sign && mantissa === 0n) throw badView('a zero below zero');
  const power = BigInt(readInteger(exponent, true)) - BigInt(fraction.length);
  if (!int64(power)) throw badView('an exponent beyond 64 bits');
  return new Tagged(4, [small(power), small(sign ? -mantissa : mantissa)]);
}

function readMapForm(pairs) {
  const map = new Map();
  if (!Array.isArray(pairs)) throw badView('not a map');
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) throw badView('not a pair');
    const key = fromView(pair[0]);
    if (typeof key !== 'string' && !isInteger(key)) throw badView('neither text nor an integer as a key');
    if (map.has(key)) throw badView('a key twice');
    map.set(key, fromView(pair[1]));
  }
  return map;
}

const forms = {
  $bytes: (text) => fromBase64URL(text),
  $date: readDate,
  $uuid: uuid,
  $url: url,
  $decimal: readDecimal,
  $int: (text) => readInteger(text),
  $float: readFloatText,
};

function fromView(json) {
  if (json instanceof JSONNumber) return readNumber(json.text);
  if (Array.isArray(json)) return json.map(fromView);
  if (!(json instanceof Map)) return json;
  if (json.size === 1) {
    const [[name, content]] = json;
    if (name === '$secret') return secret(fromView(content));
    if (name === '$map') return readMapForm(content);
    if (Object.hasOwn(forms, name)) {
      const value = typeof content === 'string' ? forms[name](content) : undefined;
      if (value === undefined) throw badView(`not the content of ${name}`);
      return value;
    }
  }
  const entries = [...json].map(([name, content]) => {
    const key = name.startsWith('$$') ? name.slice(1) : name.startsWith('$') ? readInteger(name.slice(1), true) : name;
    return [key, fromView(content)];
  });
  return new Map(entries);
}

/**
 * The CBOR item of a session as JSON (§8). Text or UTF-8 bytes; a byte order mark in front does not count.
 * @param {string | Uint8Array} json @returns {Uint8Array}
 */
export function itemOfJSON(json) {
  try {
    const text = typeof json === 'string' ? json : strictUTF8.decode(json);
    return encode(fromView(parseJSON(text.replace(/^\ufeff/, ''))));
  } catch (error) {
    if (error instanceof ViewError) throw error;
    throw badView(error.message); // not UTF-8, or no item of §7
  }
}

function floatText(float) {
  const number = Number(float);
  if (Number.isNaN(number)) {
    const bits = doubleBits(float);
    return bits === 0x7ff8000000000000n ? 'nan' : `0x${bits.toString(16).padStart(16, '0')}`;
  }
  if (!Number.isFinite(number)) return number > 0 ? 'inf' : '-inf';
  const text = Object.is(number, -0) ? '-0' : String(number);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function dateText(tag, content) {
  if (tag === 1001) {
    const seconds = content.get(1);
    const key = content.has(-9) ? -9 : -18;
    const fraction = String(content.get(key)).padStart(-key, '0');
    return hasTimeText(seconds) ? timeText(Number(seconds)).replace('Z', `.${fraction}Z`) : `@${seconds}+${fraction}`;
  }
  if (isInteger(content)) return hasTimeText(content) ? timeText(Number(content)) : `@${content}`;
  const text = floatText(content);
  const number = Number(content);
  if (!(Object.is(number, 0) || number >= 1e-4) || !hasTimeText(number)) return `@${text}`;
  const [seconds, fraction] = text.split('.');
  return timeText(Number(seconds)).replace('Z', `.${fraction}${[9, 18].includes(fraction.length) ? '0' : ''}Z`);
}

function tagView({ tag, content }) {
  const form = (name, text) => `{"${name}":${jsonString(text)}}`;
  if (tag === 24) return `{"$secret":${view(content)}}`;
  if (tag === 1 || tag === 1001) return form('$date', dateText(tag, content));
  if (tag === 4) return form('$decimal', `${content[1]}e${content[0]}`);
  if (tag === 32) return form('$url', content);
  return form('$uuid', hex(content).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'));
}

function mapView(entries) {
  const texts = entries.filter(([key]) => typeof key === 'string').map(([key]) => key.normalize('NFC'));
  if (new Set(texts).size < texts.length) {
    return `{"$map":[${entries.map(([key, value]) => `[${view(key)},${view(value)}]`).join(',')}]}`;
  }
  const name = (key) => (typeof key !== 'string' || key.startsWith('$') ? `$${key}` : key);
  return `{${entries.map(([key, value]) => `${jsonString(name(key))}:${view(value)}`).join(',')}}`;
}

/** With what acts on a terminal escaped too. */
function jsonString(text) {
  const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu, (character) => character.split('').map(escaped).join(''));
}

function view(value) {
  if (value instanceof Date) value = taggedDate(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return jsonString(value);
  if (typeof value === 'bigint' && (value < -(2n ** 63n) || value >= 2n ** 64n)) return `{"$int":"${value}"}`;
  if (isInteger(value)) return String(value);
  if (typeof value === 'number' && Number.isFinite(value) && !Number.isInteger(value)) return String(value);
  if (typeof value === 'number' || value instanceof Float) return `{"$float":"${floatText(value)}"}`;
  if (value instanceof Uint8Array) return `{"$bytes":"${toBase64URL(value)}"}`;
  if (Array.isArray(value)) return `[${value.map(view).join(',')}]`;
  if (value instanceof Tagged) return tagView(value);
  return mapView(value instanceof Map ? [...value] : Object.entries(value));
}

/** A CBOR item as JSON (§8), which itemOfJSON reads back to the same item. @param {Uint8Array} item @returns {string} */
export const jsonOfItem = (item) => view(decode(item));

// ---- Key rings (§9)

/** A key's id, as six hexadecimal digits (§4). @param {Uint8Array} key 32 bytes @returns {Promise<string>} */
export async function keyID(key) {
  return hex((await cmac(key, utf8.encode('SealedCookie/1 key id'))).subarray(0, 3));
}

/**
 * @typedef {object} RingKey
 * @property {string} id
 * @property {Uint8Array} secret the 32 bytes
 * @property {number | null} from when it begins to seal; null: from the beginning
 * @property {number | null} until until when it may have sealed, though a later key was active; null: not said
 */

const later = (a, b) => (a === null ? b : b === null ? a : Math.max(a, b));
const fieldsOf = (line) => line.split(/[ \t]+/).filter((field) => field !== '');

/** The lines of a ring's text, in either of its forms. */
function ringLines(text) {
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const isOneLine = !body.includes('\n');
  const isDivided = isOneLine && body.includes(';');
  const whole = body.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  const carriage = whole.findIndex((line) => line.includes('\r'));
  if (carriage >= 0) throw new KeyRingError('carriage-return', carriage + 1);
  const lines = isDivided ? whole[0].split(';') : whole;
  const isComment = (line) => fieldsOf(line)[0]?.startsWith('#');
  if (isOneLine && isComment(whole[0]) && whole[0].includes('sck1_')) throw new KeyRingError('lost-line-breaks', 1);
  if (isDivided && lines.some(isComment)) throw new KeyRingError('comment-in-one-line', 1);
  return lines;
}

/** A key ring: reads one from its text; never changes. */
export class KeyRing {
  /** @type {Map<string, RingKey>} the keys that are not revoked, by id */
  keys = new Map();
  /** @type {Set<string>} */
  revoked = new Set();
  /** @type {number | null} sessions that began before this time have ended */
  notBefore = null;
  #ready = new Map();

  /**
   * @param {string | Uint8Array} text a whole ring or none: an invalid line throws a KeyRingError
   * @param {KeyRing} [previous] the ring before it in this process: what that one revoked stays revoked, its not-before holds on, and a text
   *   without a line does not replace it (§9)
   * @returns {Promise<KeyRing>}
   */
  static async parse(text, previous) {
    if (typeof text !== 'string') {
      try {
        text = strictUTF8.decode(text);
      } catch {
        throw new KeyRingError('not-utf8');
      }
    }
    if (text.startsWith('\ufeff')) throw new KeyRingError('byte-order-mark', 1);
    const ring = new KeyRing();
    const found = [];
    for (const [index, line] of ringLines(text).entries()) {
      const fields = fieldsOf(line);
      const number = index + 1;
      const time = (value) => {
        const seconds = readTime(value);
        if (seconds === undefined) throw new KeyRingError('not-a-time', number);
        return seconds;
      };
      if (fields.length === 0 || fields[0].startsWith('#')) continue;
      if (fields[0] === 'not-before' && fields.length === 2) {
        ring.notBefore = later(ring.notBefore, time(fields[1]));
        continue;
      }
      if (!['key', 'revoked'].includes(fields[0]) || fields.length < 2) throw new KeyRingError('unknown-line', number);
      if (!/^[0-9a-f]{6}$/.test(fields[1])) throw new KeyRingError('not-a-key-id', number);
      if (fields[0] === 'revoked') {
        if (fields.length > 2) throw new KeyRingError('unknown-line', number);
        ring.revoked.add(fields[1]);
        continue;
      }
      const [, id, ...rest] = fields;
      const from = rest[0]?.startsWith('from=') ? time(rest.shift().slice(5)) : null;
      const until = rest[0]?.startsWith('until=') ? time(rest.shift().slice(6)) : null;
      const secret = rest.length === 1 && /^sck1_.{43}$/.test(rest[0]) ? fromBase64URL(rest[0].slice(5)) : undefined;
      if (secret === undefined) throw new KeyRingError('not-a-key', number);
      if ((await keyID(secret)) !== id) throw new KeyRingError('mislabelled', number);
      found.push({ id, secret, from, until, number });
    }
    if (previous) {
      if (found.length === 0 && ring.revoked.size === 0 && ring.notBefore === null) return previous;
      previous.revoked.forEach((id) => ring.revoked.add(id));
      ring.notBefore = later(ring.notBefore, previous.notBefore);
    }
    for (const { number, ...key } of found.filter(({ id }) => !ring.revoked.has(id))) {
      const same = ring.keys.get(key.id);
      if (same && !equal(same.secret, key.secret)) throw new KeyRingError('id-collision', number);
      if (same) [key.from, key.until] = [later(same.from, key.from), later(same.until, key.until)];
      ring.keys.set(key.id, key);
    }
    return ring;
  }

  /** The active key, or null where all are pending or there is none. @param {number} [now] @returns {RingKey | null} */
  active(now = Date.now() / 1000) {
    const latest = (a, b) => (a.from ?? -Infinity) - (b.from ?? -Infinity) || parseInt(a.id, 16) - parseInt(b.id, 16);
    return [...this.keys.values()].filter(({ from }) => from === null || from <= now).sort(latest).at(-1) ?? null;
  }

  /** The key that seals: the active one, or of pending ones the one with the earliest `from`. @param {number} [now] */
  sealing(now = Date.now() / 1000) {
    const earliest = (a, b) => a.from - b.from || parseInt(b.id, 16) - parseInt(a.id, 16);
    return this.active(now) ?? [...this.keys.values()].sort(earliest)[0] ?? null;
  }

  /**
   * When a session that is sealed now begins, or null where none can be.
   * @param {number} [now] @param {number} [cutOff] of its user (§10) @returns {number | null}
   */
  begins(now = Date.now() / 1000, cutOff = -Infinity) {
    const created = Math.max(Math.floor(now), this.notBefore ?? -Infinity, Math.ceil(cutOff)) + 0; // no -0
    return this.sealing(now) === null || created - Math.floor(now) > 60 || !fits(created) ? null : created;
  }

  /** @param {string} id */
  ready(id) {
    if (!this.#ready.has(id)) this.#ready.set(id, xaesKey(this.keys.get(id).secret));
    return this.#ready.get(id);
  }
}

// ---- Payloads (§6)

/** `sealed` of what begins on a request where something sealed `after` decides: a second later, but not too far ahead (§11.2). */
const sealedAfter = (begins, now, after = -Infinity) => Math.max(begins, Math.min(after + 1, Math.floor(now) + 60));

const fits = (seconds) => seconds >= 0 && seconds < 2 ** 32;
const flag = { compressed: 1, ownLifetime: 2, padding: 4, dictionary: 8, endsWithBrowser: 16, ended: 32 };

export const standardDictionary = fromBase64URL(
  'bEFzaWEvS29sa2F0YWpBc2lhL1Rva3lvbEV1cm9wZS9QYXJpc0FtZXJpY2EvTG9zX0FuZ2VsZXNwQW1lcmljYS9OZXdfWW9ya21FdXJvcGUvTG9u' +
  'ZG9ubUV1cm9wZS9CZXJsaW5mc3RyZWV0ZGNpdHlqcG9zdGFsQ29kZWtwb3N0YWxfY29kZWdhZGRyZXNzZ2JpbGxpbmdjb3VudHJ5YkRFaHNoaXBw' +
  'aW5nY291bnRyeWJVU2RzdGVwaG9uZWZlcnJvcnNnbWVzc2FnZXRvdGFsY3NrdWlwcm9kdWN0SWRjYXJ0anByb2R1Y3RfaWRocXVhbnRpdHkBZXBy' +
  'aWNlaXRlbXNoY3VycmVuY3ljVVNEaGN1cnJlbmN5Y0VVUmhmZWF0dXJlc2dlbmFibGVk9WZhY3RpdmVmbGFnc2ZzdGF0dXNlY291bnRmY29va2ll' +
  'bm9yaWdpbmFsTWF4QWdlZHBhdGhhL2ZzZWN1cmX1Z2V4cGlyZXNoaHR0cE9ubHn1aHNhbWVTaXRlY2xheGZnaXRodWJpbWljcm9zb2Z0aHByb3Zp' +
  'ZGVyZmdvb2dsZWNtZmFqdHdvX2ZhY3Rvcml0d29GYWN0b3JmbWV0aG9kdG90cGhwYXNzd29yZGtyZW1lbWJlcl9tZfVqcmVtZW1iZXJNZfVtcmVz' +
  'cG9uc2VfdHlwZWRjb2Rlc2NvcGV0b3BlbmlkIHByb2ZpbGUgZW1haWxjb2RlVmVyaWZpZXJ1Y29kZV9jaGFsbGVuZ2VfbWV0aG9kZFMyNTZtY29k' +
  'ZV92ZXJpZmllcmxyZWRpcmVjdF91cmljbGllbnRfaWRqdG9rZW5fdHlwZWZCZWFyZXJqZXhwaXJlc19pbmhpZF90b2tlbmxhY2Nlc3NfdG9rZW5r' +
  'YWNjZXNzVG9rZW5tcmVmcmVzaF90b2tlbmxyZWZyZXNoVG9rZW4gb2ZmbGluZV9hY2Nlc3NjYW1ygWNwd2Rjc2lkY2p0aWF1dGhfdGltZRpjYXVk' +
  'Y2lzc2NpYXQaY3N1YmZncm91cHNncGljdHVyZXN0YXRlbm9uY2V4cBpncHJvZmlsZXJwcmVmZXJyZWRfdXNlcm5hbWVtYWlsVmVyaWZpZWT1amdp' +
  'dmVuX25hbWVrZmFtaWx5X25hbWVuZW1haWxfdmVyaWZpZWT1QGdtYWlsLmNvbS9hdXRoL2NhbGxiYWNrLm9yZ2kvc2V0dGluZ3NqL2Rhc2hib2Fy' +
  'ZGh0dHBzOi8vaXByaW5jaXBhbGthdXRob3JpdGllc21hdXRoZW50aWNhdGVk9WpST0xFX0FETUlOaVJPTEVfVVNFUnR3YXJkZW4udXNlci51c2Vy' +
  'LmtleYKBaHBhc3Nwb3J0oWR1c2VyWW91IGhhdmUgYmVlbiBsb2dnZWQgb3V0SW52YWxpZCBlbWFpbCBvciBwYXNzd29yZFdlbGNvbWUgYmFja1Np' +
  'Z25lZCBpbiB3YXMgc3VjY2Vzc2Z1bGx5IGhhcyBiZWVuIGxvZyBpbiB0byBhY2Nlc3MgdGhpcyBwYWdlLnNhdmVkIHN1Y2Nlc3NmdWxseS5nd2Fy' +
  'bmluZ3N1Y2Nlc3NkaW5mb2Zub3RpY2VhbGVydGVlcnJvcmZfZmxhc2htZXNzYWdlc2hfZmxhc2hlc2VmbGFzaKFkbmV4dGN1cmxqcmVkaXJlY3RU' +
  'b251c2VyX3JldHVybl90b2hyZXR1cm5Ub2lyZXR1cm5fdG9oc2V0dGluZ3NodGltZXpvbmVsaWdodGltZVpvbmV0aGVtZWRkYXJrcHJlZmVyZW5j' +
  'ZXNkbGFuZ2hsYW5ndWFnZWZyLUZSZWRlLURFZWVuLUdCZmxvY2FsZWJlbmZsb2NhbGVlZW4tVVNsb3JnYW5pemF0aW9uZm9yZ19pZHBsYW5jcHJv' +
  'amFjY291bnRfaWRpYWNjb3VudElkaXRlbmFudF9pZGh0ZW5hbnRJZGp1cGRhdGVkX2F0aXVwZGF0ZWRBdGpsYXN0X2xvZ2luaWxhc3RMb2dpbmls' +
  'YXN0X3NlZW5obGFzdFNlZW5sbGFzdEFjdGl2aXR5amNyZWF0ZWRfYXQaaWNyZWF0ZWRBdBpqZXhwaXJlc19hdBppZXhwaXJlc0F0GmdjcmVhdGVk' +
  'wRpnZXhwaXJlc8EaZmF2YXRhcmxkaXNwbGF5X25hbWVrZGlzcGxheU5hbWVqZmlyc3RfbmFtZWlmaXJzdE5hbWVpbGFzdF9uYW1laGxhc3ROYW1l' +
  'aHVzZXJOYW1laHZlcmlmaWVk9W9pc0F1dGhlbnRpY2F0ZWT1aWxvZ2dlZF9pbvVqaXNMb2dnZWRJbvVoaXNfYWRtaW70Z2lzQWRtaW70a3Blcm1p' +
  'c3Npb25zgWJpcGp1c2VyX2FnZW50aXVzZXJBZ2VudGVzdGFmZmVkaXRvcmdtYW5hZ2VyZW93bmVyZm1lbWJlcmRyb2xlZHVzZXJkcm9sZWVhZG1p' +
  'bmljc3JmVG9rZW5qY3NyZl90b2tlbngoa19jc3JmX3Rva2VuZV9jc3JmZGNzcmZYIGRjc3JmUGV0b2tlbmdzZXNzaW9uanNlc3Npb25faWR4IGlz' +
  'ZXNzaW9uSWRhdXRoX3VzZXJfaWRkYXRhY3VpZG5hbWV2YWx1ZXJvbGVzgWR1c2Vyb2xlc4FlYWRtaW5ndXNlcl9pZNglUGZ1c2VySWTYJVBodXNl' +
  'cm5hbWVlbWFpbGJpZA',
);

/** How a payload names a dictionary of an application's own (§6.4). */
async function dictionaryName(dictionary) {
  if (dictionary.length < 1 || dictionary.length > 7936) throw new TypeError('a dictionary has 1 to 7,936 bytes');
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', dictionary));
  return Uint8Array.of(16 + (digest[0] % 240), digest[1], digest[2], digest[3]);
}

function leb128(number) {
  const bytes = [];
  for (; number >= 128; number = Math.floor(number / 128)) bytes.push((number % 128) | 128);
  return Uint8Array.of(...bytes, number);
}

function readLEB128(payload, at) {
  let number = 0;
  for (let i = 0; i < 5; i++) {
    const byte = payload[at + i];
    if (byte === undefined) throw malformed('it ends early');
    number += (byte & 127) * 2 ** (7 * i);
    if (byte & 128) continue;
    if ((byte === 0 && i > 0) || number >= 2 ** 32) throw malformed('a number that is not in its form');
    return [number, at + i + 1];
  }
  throw malformed('a number that is too long');
}

/** @param {Map<string, Uint8Array>} dictionaries by name, in hexadecimal */
function readPayload(payload, dictionaries) {
  const flags = payload[0];
  if (flags & 0xc0) throw malformed('unknown flags');
  if (flags & flag.dictionary && !(flags & flag.compressed)) throw malformed('a dictionary for nothing');
  if (flags & flag.ended && flags & flag.compressed) throw malformed('what was signed out, compressed');
  if (flags & flag.padding) {
    let end = payload.length;
    while (end > 0 && payload[end - 1] === 0) end--;
    if (payload[end - 1] !== 0x80) throw malformed('padding of another form');
    payload = payload.subarray(0, end - 1);
  }
  if (payload.length < 6) throw malformed('it ends early');
  const created = new DataView(payload.buffer, payload.byteOffset).getUint32(1);
  let [age, at] = readLEB128(payload, 5);
  let own = null;
  if (flags & flag.ownLifetime) {
    let absolute, idle;
    [absolute, at] = readLEB128(payload, at);
    [idle, at] = readLEB128(payload, at);
    if (absolute === 0) throw malformed('an own lifetime of nothing');
    own = { absolute, idle: idle || null };
  }
  let dictionary = null;
  if (flags & flag.dictionary) {
    const size = payload[at] >= 16 ? 4 : 1;
    if (payload.length < at + size) throw malformed('it ends early');
    dictionary = hex(payload.subarray(at, at + size));
    if (!dictionaries.has(dictionary)) throw new OpenError('unknown-dictionary');
    at += size;
  }
  const body = payload.subarray(at);
  if (body.length === 0) throw malformed('no body');
  const ended = (flags & flag.ended) !== 0;
  if (ended && !equal(body, [0xf6])) throw malformed('what was signed out, with something');
  const item = flags & flag.compressed ? inflated(body, dictionaries.get(dictionary) ?? new Uint8Array()) : body.slice();
  return { created, sealed: created + age, own, endsWithBrowser: (flags & flag.endsWithBrowser) !== 0, ended, dictionary, item };
}

function inflated(body, dictionary) {
  const { bytes, end } = inflate(body, dictionary, mostBytes);
  return putTogether(bytes, body.subarray(end));
}

/** The compressed body where it is shorter, else the item (§6.3), with the name of the dictionary. */
function shorterBody(item, { name, bytes }) {
  const { skeleton, contents } = divide(item);
  const body = skeleton.length > 4 ? concat(deflate(skeleton, bytes), contents) : item;
  const isShorter = name.length + body.length < item.length;
  return isShorter ? { flags: flag.compressed | flag.dictionary, name, body } : { flags: 0, name: new Uint8Array(), body: item };
}

/**
 * The payload of an item, and the name of the dictionary in it.
 * @param {Uint8Array} item @param {{ name: Uint8Array, bytes: Uint8Array }} dictionary the one to compress with
 */
export function payloadOf(item, { created, sealed, own, endsWithBrowser, ended }, dictionary, padding) {
  const { flags, name, body } = ended ? { flags: flag.ended, name: new Uint8Array(), body: item } : shorterBody(item, dictionary);
  const isPadded = padding > 1;
  const allFlags = flags | (own ? flag.ownLifetime : 0) | (endsWithBrowser ? flag.endsWithBrowser : 0) | (isPadded ? flag.padding : 0);
  const fields = [Uint8Array.of(allFlags, created >>> 24, created >>> 16, created >>> 8, created), leb128(sealed - created)];
  if (own) fields.push(leb128(own.absolute), leb128(own.idle ?? 0));
  const payload = concat(...fields, name, body);
  if (!isPadded) return { payload, name };
  const padded = new Uint8Array((Math.floor(payload.length / padding) + 1) * padding);
  padded.set(payload);
  padded[payload.length] = 0x80;
  return { payload: padded, name };
}

// ---- Tokens (§3, §5)

const mostSeconds = 34560000; // 400 days

/**
 * @typedef {object} Lifetime
 * @property {number} absolute seconds from its beginning after which a session is over
 * @property {number | null} [idle] seconds after which it is over if it is not sealed again
 * @property {number} [ceiling] the most of any session's absolute lifetime; 400 days unless set
 */

/**
 * A session that was opened, or that was just sealed.
 * @typedef {object} Session
 * @property {*} value @property {Uint8Array} item its CBOR
 * @property {number} created @property {number} sealed @property {number} ends
 * @property {{ absolute: number, idle: number | null } | null} own its own lifetime
 * @property {boolean} endsWithBrowser
 * @property {string} keyID @property {string | null} dictionary the name of the one that it was compressed with
 * @property {string} name @property {string} purpose where it was opened @property {boolean} isFormer whether in a former form (§11.3)
 * @property {{ seen: number[], spared: number[] }} [parts] what the request had under the cookie's further names (§11.1)
 */

class Sealer {
  #dictionaries;

  /**
   * @param {object} options
   * @param {KeyRing | (() => KeyRing | Promise<KeyRing>)} options.ring or what returns the one of now
   * @param {string} [options.purpose] @param {Lifetime} options.lifetime
   * @param {Uint8Array[]} [options.dictionaries] the application's own; the first one seals
   * @param {number} [options.padding] payloads' lengths become multiples of it
   * @param {number} [options.itemLimit] the most bytes of a session's CBOR to seal
   */
  constructor({ ring, purpose = '', lifetime, dictionaries = [], padding = 1, itemLimit = 16384 }) {
    if (!Number.isInteger(padding) || padding < 1 || padding > 4096) throw new ConfigurationError('invalid-padding');
    if (!Number.isInteger(itemLimit) || itemLimit < 1 || itemLimit > mostBytes) throw new ConfigurationError('invalid-item-limit');
    if (/\p{Cs}/u.test(purpose)) throw new TypeError('a purpose is Unicode text');
    this.ring = async () => (typeof ring === 'function' ? ring() : ring);
    Object.assign(this, { name: '', purpose, lifetime: checkedLifetime(lifetime), padding, itemLimit });
    this.ownDictionaries = dictionaries;
  }

  async dictionaries() {
    this.#dictionaries ??= (async () => {
      const all = new Map([['01', standardDictionary]]);
      for (const bytes of this.ownDictionaries) {
        const name = hex(await dictionaryName(bytes));
        if (all.has(name) && !equal(all.get(name), bytes)) throw new ConfigurationError('ambiguous-dictionaries');
        all.set(name, bytes);
      }
      return all;
    })();
    return this.#dictionaries;
  }

  async #sealingDictionary() {
    const own = this.ownDictionaries[0];
    return own ? { name: await dictionaryName(own), bytes: own } : { name: Uint8Array.of(1), bytes: standardDictionary };
  }

  #associatedData(header, { name, purpose }) {
    return pae([utf8.encode('SealedCookie'), header, utf8.encode(name), utf8.encode(purpose)]);
  }

  #end(times) {
    return endOf(times, this.lifetime);
  }

  /** Steps 9 to 12 of §5.2, and the end of a former form (§11.3). */
  #refusal({ created, sealed, ends, isFormer }, { ended, until }, ring, now) {
    if (sealed > now + 60) return 'in-the-future';
    if (ended) return 'signed-out';
    if (isFormer && sealed > (until ?? Infinity) + 60) return 'former-cookie';
    if (now >= ends) return 'expired';
    if (ring.notBefore !== null && created < ring.notBefore) return 'ended';
    return undefined;
  }

  /** §5.2 @returns {Promise<Session>} */
  async openText(text, limit, now) {
    const ring = await this.ring();
    return this.judge(await this.authentic(text, limit, this, ring), ring, now);
  }

  /**
   * Steps 1 to 7 of §5.2. A form is a sealer or a former form: its name, purpose and policy.
   * @returns {Promise<{ form: object, payload: Uint8Array, id: string }>}
   */
  async authentic(text, limit, form, ring) {
    if (text.length > limit || utf8Length(text) > limit) throw new OpenError('too-long');
    const token = fromBase64URL(text);
    if (token === undefined) throw new OpenError('not-base64url');
    if (token.length < 47) throw new OpenError('too-short');
    if (token[0] !== 0x48) throw new OpenError('unknown-version');
    const id = hex(token.subarray(1, 4));
    if (ring.revoked.has(id)) throw new OpenError('revoked-key', `revoked key ${id}`);
    if (!ring.keys.has(id)) throw new OpenError('unknown-key', `unknown key ${id}`);
    const additional = this.#associatedData(token.subarray(0, 4), form);
    const payload = await xaesOpen(await ring.ready(id), nonceOf(token.subarray(4, 24)), token.subarray(24), additional);
    if (payload === undefined) throw new OpenError('not-authentic');
    return { form, payload, id };
  }

  /** Steps 8 to 12 of §5.2. @returns {Promise<Session>} */
  async judge({ form, payload, id }, ring, now) {
    const dictionaries = await this.dictionaries();
    const { ended, ...times } = readItem(() => readPayload(payload, dictionaries));
    const session = this.#session(times, id, form);
    const refusal = this.#refusal(session, { ended, until: form.until }, ring, now);
    if (refusal) throw new OpenError(refusal);
    return session;
  }

  #session(times, id, form) {
    const isFormer = form !== this;
    const ends = isFormer ? Math.min(this.#end(times), endOf(times, form.lifetime)) : this.#end(times);
    return { ...times, value: readItem(() => decode(times.item)), ends, keyID: id, name: form.name, purpose: form.purpose, isFormer };
  }

  /** §5.1 @returns {Promise<{ token: string, session: Session }>} */
  async sealItem(item, times, now, fit) {
    const ring = await this.ring();
    const key = ring.sealing(now);
    if (key === null) throw new SealError('no-active-key');
    if (item.length > Math.min(this.itemLimit, mostBytes)) throw new SealError('item-too-large');
    const { created, sealed, own = null, endsWithBrowser = false, ended = false } = times;
    if (!fits(created) || !fits(sealed)) throw new SealError('time-out-of-range');
    const dictionary = await this.#sealingDictionary();
    const { payload, name } = payloadOf(item, { created, sealed, own, endsWithBrowser, ended }, dictionary, this.padding);
    fit(Math.ceil((4 * (40 + payload.length)) / 3));
    const random = crypto.getRandomValues(new Uint8Array(20));
    const header = Uint8Array.of(0x48, ...key.id.match(/../g).map((byte) => parseInt(byte, 16)));
    const box = await xaesSeal(await ring.ready(key.id), nonceOf(random), payload, this.#associatedData(header, this));
    const read = { created, sealed, own, endsWithBrowser, dictionary: name.length ? hex(name) : null, item };
    return { token: toBase64URL(concat(header, random, box)), session: this.#session(read, key.id, this) };
  }

  /** Times of a new session. */
  async newTimes({ now, own, endsWithBrowser, cutOff, after }) {
    const begins = (await this.ring()).begins(now, cutOff);
    if (begins === null && (await this.ring()).sealing(now) !== null) {
      throw fits(Math.floor(now)) ? new SealError('ended', 'the clock is behind not-before, or the cut-off') : new SealError('time-out-of-range');
    }
    if (own && !(own.absolute >= 1 && [own.absolute, own.idle ?? 0].every((span) => Number.isInteger(span) && fits(span)))) {
      throw new SealError('time-out-of-range', 'an own lifetime is of whole seconds, from 1');
    }
    return { created: begins ?? 0, sealed: sealedAfter(begins ?? 0, now, after), own: own && { absolute: own.absolute, idle: own.idle || null }, endsWithBrowser };
  }

  /** The times of a session that is sealed again now, if it would open still (§10). */
  async timesAgain(session, { now, moves = false }) {
    const isHere = session.isFormer || (session.name === this.name && session.purpose === this.purpose);
    if (!isHere && !moves) throw new SealError('another-cookie');
    const ring = await this.ring();
    const ends = session.isFormer ? Math.min(session.ends, this.#end(session)) : this.#end(session);
    const refusal = this.#refusal({ ...session, ends }, {}, ring, now);
    const isKeyGone = !ring.keys.has(session.keyID);
    if (isKeyGone && refusal !== 'expired') throw new SealError(moves && !ring.revoked.has(session.keyID) ? 'foreign-key' : 'revoked-key');
    if (refusal) throw new SealError(refusal);
    return { ...session, sealed: Math.max(session.sealed, Math.floor(now)) }; // never back: the greatest decides (§11.2)
  }

  /** Whether the cookie should be written again, though nothing in it changed (§10). @param {Session} session @param {number} [now] */
  async isDue(session, now = Date.now() / 1000) {
    if (session.isFormer) return true;
    const ring = await this.ring();
    const from = ring.keys.get(session.keyID)?.from ?? null;
    if (ring.sealing(now)?.id !== session.keyID && !(from !== null && from > now)) return true;
    const { absolute, idle } = session.own ?? this.lifetime;
    const spans = [absolute, this.lifetime.ceiling, mostSeconds];
    const isOfAnother = session.dictionary !== null && session.dictionary !== hex((await this.#sealingDictionary()).name);
    if (session.endsWithBrowser && !isOfAnother) spans.length = 0;
    if (idle !== null) spans.push(idle);
    return now - session.sealed >= Math.ceil(Math.min(...spans) / 10);
  }
}

/** @param {Lifetime} lifetime */
function checkedLifetime({ absolute, idle = null, ceiling = mostSeconds }) {
  const isSpan = (seconds) => Number.isInteger(seconds) && seconds >= 1 && seconds < 2 ** 32;
  if (!isSpan(absolute) || !isSpan(ceiling) || (idle !== null && !isSpan(idle))) throw new TypeError('lifetimes are whole seconds, from 1');
  return { absolute, idle, ceiling };
}

/** The second from which a session is over (§10). */
function endOf({ created, sealed, own }, lifetime) {
  const { absolute, idle } = own ?? lifetime;
  return Math.min(created + Math.min(absolute, lifetime.ceiling), idle === null ? Infinity : sealed + idle);
}

/**
 * Whether a session began before a cut-off of its user (§10), such as a change of the password: then it is no session any longer.
 * @param {Session} session @param {number} cutOff
 */
export const beganBefore = ({ created }, cutOff) => created < Math.ceil(cutOff);

/** ItemErrors are malformed payloads behind a tag. */
function readItem(read) {
  try {
    return read();
  } catch (error) {
    throw error instanceof ItemError ? malformed(error.message) : error;
  }
}

/** Seals and opens tokens that are in no cookie: a link's parameter, a form's field, a header (§5.3). */
export class TokenSealer extends Sealer {
  /** @param {ConstructorParameters<typeof Sealer>[0] & { purpose: string, limit?: number }} options limit: the most characters; 2,000 */
  constructor({ limit = 2000, ...options }) {
    super(options);
    if (!this.purpose) throw new ConfigurationError('empty-purpose');
    if (!Number.isInteger(limit) || limit < 63 || limit > 2 ** 20) throw new ConfigurationError('invalid-token-limit');
    this.limit = limit;
  }

  /**
   * @param {*} value as `encode` takes it, or { item } for CBOR
   * @param {{ now?: number, own?: { absolute: number, idle?: number | null }, cutOff?: number }} [options]
   * @returns {Promise<string>}
   */
  async seal(value, { now = Date.now() / 1000, own, cutOff } = {}) {
    const item = itemOf(value, this.itemLimit);
    const { token } = await this.sealItem(item, await this.newTimes({ now, own, cutOff }), now, (count) => {
      if (count > this.limit) throw new SealError('too-large');
    });
    return token;
  }

  /** @param {string} token @param {{ now?: number }} [options] @returns {Promise<Session>} or throws an OpenError */
  async open(token, { now = Date.now() / 1000 } = {}) {
    return this.openText(token, this.limit, now);
  }
}

/** CBOR that is sealed as it is, after a check of its form. */
export class Item {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
  }
}

function itemOf(value, limit) {
  const isItem = value instanceof Item; // one that is none, or has what a sealer refuses beyond that, is refused on the way
  const { item, values } = encoded(isItem ? decode(value.bytes) : value, isItem ? mostBytes : limit);
  if (values > Math.max(4096, limit / 4)) throw new SealError('item-too-large', 'too many values');
  return item;
}

// ---- Cookies (§11)

const mostCharacters = 4096; // of a cookie's name and value
const mostPart = 8; // the highest number of a part's name
const mostValues = 4;
const mostTokens = 16;
const mostFormers = 4;

const isBlank = (character) => character === ' ' || character === '\t';
/** By index: a regular expression would try each run of blanks at each of its characters. */
const trimmed = (text) => {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
};

/** A header's values under the names that are asked for: the first 4 that differ (§11.2). @returns {Map<string, string[]>} */
function cookieValues(header, names) {
  const found = new Map();
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    const name = trimmed(pair.slice(0, Math.max(at, 0)));
    if (at < 0 || !names.includes(name)) continue;
    const quoted = trimmed(pair.slice(at + 1));
    const value = /^".*"$/s.test(quoted) && quoted.length > 1 ? quoted.slice(1, -1) : quoted;
    const values = found.get(name) ?? [];
    if (values.length < mostValues && !values.includes(value)) values.push(value);
    found.set(name, values);
  }
  return found;
}

const partNames = (name) => Array.from({ length: mostPart }, (_, i) => `${name}.${i + 1}`);

/** Of a candidate's payload what decides: bit 5, created and age; one whose age is malformed is never sealed. */
function timesOf(payload) {
  const created = new DataView(payload.buffer, payload.byteOffset).getUint32(1);
  try {
    return { created, sealed: created + readLEB128(payload, 5)[0], ended: payload[0] & flag.ended };
  } catch {
    return { created, sealed: Infinity, ended: 0 };
  }
}

/** The one that decides comes first. */
const decisiveFirst = (a, b) => b.sealed - a.sealed || b.ended - a.ended || b.created - a.created || b.candidate.position - a.candidate.position;

function checkAttributes(name, { path, domain, secure, httpOnly, sameSite, partitioned }) {
  const refuse = (code) => {
    throw new ConfigurationError(code);
  };
  if (!/^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/.test(name)) refuse('invalid-name');
  if (name.length > 4033) refuse('name-too-long');
  if (!/^\/[\x20-\x3a\x3c-\x7e]*$/.test(path)) refuse('invalid-path');
  if (path.length > 1024) refuse('attribute-too-long');
  if (domain !== undefined) {
    const labels = domain.replace(/^\./, '').split('.');
    const isLabel = (label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?$/.test(label) && label.length <= 63;
    const isNumber = /^([0-9]+|0[xX][0-9a-fA-F]*)$/.test(labels.at(-1));
    if (labels.length < 2 || !labels.every(isLabel) || isNumber || labels.join('.').length > 253) refuse('invalid-domain');
  }
  if (!['Strict', 'Lax', 'None'].includes(sameSite)) throw new TypeError('sameSite is Strict, Lax or None');
  if (/^__host-/i.test(name) && !secure) refuse('host-prefix-needs-secure');
  if (/^__host-/i.test(name) && domain !== undefined) refuse('host-prefix-forbids-domain');
  if (/^__host-/i.test(name) && path !== '/') refuse('host-prefix-needs-root-path');
  if (/^__secure-/i.test(name) && !secure) refuse('secure-prefix-needs-secure');
  if (/^__(http|host-http)-/i.test(name) && !secure) refuse('http-prefix-needs-secure');
  if (/^__(http|host-http)-/i.test(name) && !httpOnly) refuse('http-prefix-needs-http-only');
  if (sameSite === 'None' && !secure) refuse('same-site-none-needs-secure');
  if (partitioned && !secure) refuse('partitioned-needs-secure');
}

/**
 * Seals sessions into cookies and opens Cookie headers.
 *
 *     const sealer = new CookieSealer({ name: '__Host-session', ring, lifetime: { absolute: 14 * 86400, idle: 12 * 3600 } });
 */
export class CookieSealer extends Sealer {
  /**
   * @param {ConstructorParameters<typeof Sealer>[0] & { name: string, cookies?: number, path?: string, domain?: string,
   *   secure?: boolean, httpOnly?: boolean, sameSite?: 'Strict' | 'Lax' | 'None', partitioned?: boolean, formers?: object[] }} options
   *   cookies: how many may carry one session, 1 to 9 (§11.1)
   *   formers: up to four forms that the cookie had (§11.3): of each what differs of name, purpose, cookies, path, domain, partitioned and
   *   lifetime, and `until`, the time from which on no server seals it
   */
  constructor({ name, cookies = 1, path = '/', domain, secure = true, httpOnly = true, sameSite = 'Lax', partitioned = false, formers = [], ...options }) {
    super(options);
    const attributes = { path, domain, secure, httpOnly, sameSite, partitioned };
    Object.assign(this, { name, cookies, attributes, room: mostCharacters - name.length - 2 });
    this.formers = formers.map((former) => {
      const { name, purpose, cookies, until = null } = { ...this, until: undefined, ...former };
      const { path, domain, partitioned } = { ...attributes, ...former };
      const lifetime = checkedLifetime(former.lifetime ?? this.lifetime);
      return { name, purpose, cookies, until, lifetime, attributes: { ...attributes, path, domain, partitioned } };
    });
    if (formers.length > mostFormers) throw new TypeError('at most four former forms');
    for (const form of [this, ...this.formers]) {
      checkAttributes(form.name, form.attributes);
      if (!Number.isInteger(form.cookies) || form.cookies < 1 || form.cookies > mostPart + 1) throw new ConfigurationError('invalid-splitting');
    }
  }

  /**
   * Opens the session of a Cookie header; null where it has no such cookie, else an OpenError (§5.2, §11).
   * @param {string | null | undefined} header @param {{ now?: number }} [options] @returns {Promise<Session | null>}
   */
  async open(header, { now = Date.now() / 1000 } = {}) {
    const ring = await this.ring();
    const { candidate, refusal } = await this.#decide(header ?? '', ring, now);
    if (!candidate) {
      if (refusal) throw refusal;
      return null;
    }
    return { ...(await this.judge(candidate, ring, now)), parts: await this.partsOf(header) };
  }

  /**
   * Which of a header's values decides (§11.2), under the present form or the first former one that has a candidate (§11.3).
   * @returns {Promise<{ candidate?: object, refusal?: OpenError, after: number }>} after: its `sealed`, unless it has dropped out
   */
  async #decide(header, ring, now) {
    const attempt = { left: mostTokens, refusal: undefined };
    for (const form of [this, ...this.formers]) {
      const candidates = await this.#candidates(header, form, ring, attempt);
      if (candidates.length === 0) continue;
      const times = candidates.map((candidate) => ({ candidate, ...timesOf(candidate.payload) }));
      const [last] = times.filter(({ sealed }) => sealed <= now + 60).sort(decisiveFirst);
      // Beside a session of the present form no former one is looked at, however late it was sealed.
      return { candidate: (last ?? times[0]).candidate, after: (form === this && last?.sealed) || -Infinity };
    }
    return { refusal: attempt.refusal, after: -Infinity };
  }

  /** What is authentic of a header's values under a form, in two rounds. */
  async #candidates(header, form, ring, attempt) {
    const names = partNames(form.name);
    const found = cookieValues(header, [form.name, ...names]);
    const values = found.get(form.name) ?? [];
    const candidates = [];
    const tryText = async (text, limit, position) => {
      if (attempt.left === 0) return false;
      attempt.left--;
      try {
        candidates.push({ ...(await this.authentic(text, limit, form, ring)), position });
        return true;
      } catch (error) {
        if (!(error instanceof OpenError)) throw error;
        attempt.refusal ??= error;
        return false;
      }
    };
    const tooLong = () => {
      attempt.left = Math.max(0, attempt.left - 1);
      attempt.refusal ??= new OpenError('too-long');
      return false;
    };
    const tryCombination = async (first, chosen, position) => {
      const text = [first.slice(2), ...chosen].join('');
      const limit = form.cookies * (mostCharacters - form.name.length - 2);
      if (utf8Length(text) > limit) return tooLong();
      return tryText(text, limit, position);
    };
    const split = [];
    for (const [position, value] of values.entries()) {
      const count = /^[2-9]\./.test(value) ? Number(value[0]) : 1;
      const parts = names.slice(0, count - 1).map((name) => found.get(name));
      if (count === 1) await tryText(value, mostCharacters - form.name.length, position);
      else if (count > form.cookies) attempt.refusal ??= new OpenError('too-many-cookies');
      else if (parts.includes(undefined)) attempt.refusal ??= new OpenError('missing-part');
      else {
        const chosen = parts.map((values) => values[Math.min(position, values.length - 1)]);
        if (!(await tryCombination(value, chosen, position))) split.push({ value, parts, chosen, position });
      }
    }
    for (const { value, parts, chosen, position } of split) {
      const total = parts.reduce((product, values) => product * values.length, 1);
      for (let i = 0; i < total && attempt.left > 0; i++) {
        let rest = i; // the values of the first name vary fastest
        const others = parts.map((values) => {
          const part = values[rest % values.length];
          rest = Math.floor(rest / values.length);
          return part;
        });
        if (others.some((part, k) => part !== chosen[k]) && (await tryCombination(value, others, position))) break;
      }
    }
    // In the order of the header's values.
    return candidates.sort((a, b) => a.position - b.position);
  }

  /** The `sealed` of a session that would begin on a request (§11.2). @param {string} header @returns {Promise<number | null>} */
  async sealedOn(header, { now = Date.now() / 1000, cutOff } = {}) {
    const ring = await this.ring();
    const begins = ring.begins(now, cutOff);
    return begins === null ? null : sealedAfter(begins, now, (await this.#decide(header, ring, now)).after);
  }

  /** Which further names of the cookie the request has, and which of them are another sealer's (§11.1). */
  async partsOf(header) {
    const ring = await this.ring();
    const isToken = (value) => {
      const [start] = /^[\w-]{6}/.exec(value.replace(/^[2-9]\./, '')) ?? []; // version and key id; the rest may be cut off anywhere
      if (start === undefined) return false;
      const header = fromBase64URL(`${start}AA`);
      return header[0] === 0x48 && ring.keys.has(hex(header.subarray(1, 4)));
    };
    const parts = { seen: [], spared: [] };
    for (const [name, values] of cookieValues(header, partNames(this.name))) {
      (values.every(isToken) ? parts.spared : parts.seen).push(Number(name.at(-1)));
    }
    return parts;
  }

  /**
   * The cookies that carry a token, by name; those to expire are empty (§11.1).
   * @param {string} token @param {{ seen: number[], spared: number[] } | null} parts of the request, null: not known
   * @param {boolean} isNew whether the session is a new one @returns {Map<string, string>}
   */
  divided(token, parts, isNew) {
    const isWhole = this.name.length + token.length <= mostCharacters;
    const count = isWhole ? 1 : Math.ceil(token.length / this.room);
    if (count > this.cookies) throw new SealError('too-large');
    const cookies = new Map([[this.name, isWhole ? token : `${count}.${token.slice(0, this.room)}`]]);
    for (let i = 1; i < count; i++) cookies.set(`${this.name}.${i}`, token.slice(i * this.room, (i + 1) * this.room));
    for (let i = count; i <= mostPart; i++) {
      const isOurs = ((isNew || parts === null) && i < this.cookies) || parts?.seen.includes(i);
      if (isOurs && !parts?.spared.includes(i)) cookies.set(`${this.name}.${i}`, '');
    }
    return cookies;
  }

  /** The values of Set-Cookie: first those that expire former forms' cookies (§11.3). @param {Map<string, string>} cookies @param {number | null} maxAge */
  #setCookie(cookies, maxAge) {
    const place = ({ path, domain, partitioned }) => `${path};${(domain ?? '').toLowerCase().replace(/^\./, '')};${partitioned}`;
    const lines = new Map();
    const write = (name, value, attributes) => {
      const { path, domain, secure, httpOnly, sameSite, partitioned } = attributes;
      const age = value === '' ? '; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT' : maxAge === null ? '' : `; Max-Age=${maxAge}`;
      const where = `; Path=${path}${domain === undefined ? '' : `; Domain=${domain}`}`;
      const flags = `${secure ? '; Secure' : ''}${httpOnly ? '; HttpOnly' : ''}; SameSite=${sameSite}${partitioned ? '; Partitioned' : ''}`;
      lines.set(`${name};${place(attributes)}`, `${name}=${value}${age}${where}${flags}`);
    };
    const present = place(this.attributes);
    for (const { name, cookies: most, attributes } of this.formers) {
      const names = [name, ...partNames(name).slice(0, most - 1)];
      for (const former of names) if (!(cookies.has(former) && place(attributes) === present)) write(former, '', attributes);
    }
    for (const [name, value] of cookies) write(name, value, this.attributes);
    return [...lines.values()];
  }

  async #sealed(item, times, now, parts, isNew) {
    const { token, session } = await this.sealItem(item, times, now, (count) => void this.divided('x'.repeat(count), parts, isNew));
    const lives = (times.ended ? times.created + this.lifetime.ceiling : session.ends) - Math.floor(now);
    const maxAge = times.endsWithBrowser ? null : Math.min(lives, mostSeconds);
    const cookies = this.divided(token, parts, isNew);
    return { token, session: { ...session, parts }, cookies, maxAge, setCookie: this.#setCookie(cookies, maxAge) };
  }

  /**
   * Seals a new session: after a sign-in always a new one. Give the request's header, if it is known: parts of an older session go.
   * @param {*} value as `encode` takes it, or an Item
   * @param {{ cookieHeader?: string | null, now?: number, endsWithBrowser?: boolean, own?: { absolute: number, idle?: number | null },
   *   cutOff?: number }} [options] cutOff: before which this user's sessions have ended; the session begins no earlier (§10)
   * @returns {Promise<{ token: string, session: Session, cookies: Map<string, string>, maxAge: number | null, setCookie: string[] }>}
   */
  async seal(value, { cookieHeader, now = Date.now() / 1000, own, endsWithBrowser, cutOff } = {}) {
    const parts = typeof cookieHeader === 'string' ? await this.partsOf(cookieHeader) : null;
    const { after } = parts ? await this.#decide(cookieHeader, await this.ring(), now) : {};
    return this.#sealed(itemOf(value, this.itemLimit), await this.newTimes({ now, own, endsWithBrowser, cutOff, after }), now, parts, true);
  }

  /**
   * Seals an opened session again, with another value if one is given: its beginning, its own lifetime and whether it ends with the
   * browser stay (§10). `moves` says that it goes to another cookie or purpose than it was opened with.
   * @param {Session} session @param {{ value?: *, now?: number, moves?: boolean }} [options]
   */
  async sealAgain(session, { value = new Item(session.item), now = Date.now() / 1000, moves = false } = {}) {
    const times = await this.timesAgain(session, { now, moves });
    const isHere = session.isFormer || session.name === this.name;
    return this.#sealed(itemOf(value, this.itemLimit), times, now, isHere ? session.parts ?? null : null, !isHere);
  }

  /** The cookies that are expired to forget the session. @param {string | null} [cookieHeader] @returns {Promise<Map<string, string>>} */
  async removed(cookieHeader) {
    const parts = typeof cookieHeader === 'string' ? await this.partsOf(cookieHeader) : null;
    return new Map([...this.divided('', parts, true)].map(([name]) => [name, '']));
  }

  /** Whether signing out must say that the session ended, since another value of the request would be the session from then on (§11.2). */
  mustSayEnded(cookieHeader) {
    const names = [...new Set([this, ...this.formers].map(({ name }) => name))];
    return [...cookieValues(cookieHeader, names).values()].flat().length > 1;
  }

  /**
   * The Set-Cookie values of a sign-out. Where the request has several values, or with `saysEnded`, the cookie says from then on that the
   * session ended (§6.5), so that no other cookie of its name takes its place.
   * @param {string | null} [cookieHeader] @param {{ saysEnded?: boolean, now?: number }} [options] @returns {Promise<string[]>}
   */
  async signOut(cookieHeader, { saysEnded, now = Date.now() / 1000 } = {}) {
    const removed = await this.removed(cookieHeader);
    if (!(saysEnded ?? this.mustSayEnded(cookieHeader ?? ''))) return this.#setCookie(removed, null);
    const created = (await this.ring()).begins(now);
    const sealed = await this.sealedOn(cookieHeader ?? '', { now });
    if (created === null || sealed === null) throw new SealError('no-active-key');
    const times = { created, sealed, ended: true };
    const { token, maxAge } = await this.#sealed(Uint8Array.of(0xf6), times, now, null, true);
    return this.#setCookie(removed.set(this.name, token), maxAge);
  }
}
