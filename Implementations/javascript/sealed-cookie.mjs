// The sealed cookie format, version 1, as this repository's FORMAT.md says it: one file, no dependency, for Node 18 and
// later and for every runtime with WebCrypto. Section signs (§) are FORMAT's. Times and spans are in (Unix) seconds.
// What an application calls has its types and its documentation in sealed-cookie.d.ts.

const inNode = globalThis.process?.versions?.node !== undefined;
const builtIn = async (name) => (inNode ? process.getBuiltinModule?.(name) ?? (await import(name)) : undefined);
const node = await builtIn('node:crypto'); // a tenth of WebCrypto's time
const zlib = await builtIn('node:zlib'); // a better compressor than ours
const crypto = globalThis.crypto ?? node.webcrypto; // Node 18 has no global one

// ---- Errors

export class SealedCookieError extends Error {
  constructor(code, message = code.replaceAll('-', ' ')) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}
export class OpenError extends SealedCookieError {}
export class SealError extends SealedCookieError {}
export class ConfigurationError extends SealedCookieError {}
export class ViewError extends SealedCookieError {}
export class KeyRingError extends SealedCookieError {
  constructor(code, line) {
    super(code, `key ring${line ? `, line ${line}` : ''}: ${code.replaceAll('-', ' ')}`); // and never a key
    this.line = line;
  }
}

const malformed = (why) => new OpenError('malformed-payload', `malformed: ${why}`);
const notEncodable = (why) => new SealError('not-encodable', why);
const badView = (why) => new ViewError('not-a-view', why);

// ---- Bytes and text (§2)

const utf8 = new TextEncoder();
const strictUTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const hasHalfPair = (text) => /\p{Cs}/u.test(text);
const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const hex = (bytes) => bytes.reduce((text, byte) => text + hexPairs[byte], '');
const unhex = (text) => Uint8Array.from(text.match(/../g), (byte) => parseInt(byte, 16));
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const sextets = Uint8Array.from({ length: 128 }, (_, code) => alphabet.indexOf(String.fromCharCode(code)));
const equal = (a, b) => compare(a, b) === 0;

/** The text of UTF-8; anything else is what `failure` throws. */
function textOf(bytes, failure) {
  try {
    return strictUTF8.decode(bytes);
  } catch {
    throw failure();
  }
}

function concat(pieces) {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function compare(a, b) {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

export function toBase64URL(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
    text += alphabet[group >> 18] + alphabet[(group >> 12) & 63] + alphabet[(group >> 6) & 63] + alphabet[group & 63];
  }
  return text.slice(0, Math.ceil((bytes.length * 4) / 3));
}

/** Undefined for text that is not the one spelling of any bytes. */
export function fromBase64URL(text) {
  if (text.length % 4 === 1 || !/^[\w-]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let [bits, count, at] = [0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    bits = ((bits << 6) | sextets[text.charCodeAt(i)]) & 0xffff;
    count += 6;
    if (count >= 8) bytes[at++] = bits >> (count -= 8);
  }
  return bits & ((1 << count) - 1) ? undefined : bytes; // nothing is left behind the last byte
}

// ---- AES-256-CMAC and XAES-256-GCM (§4, §5)

const zeroBlock = new Uint8Array(16);

/** What is needed of AES-256: CBC from a zero IV, without its padding block, and GCM, the tag last. By node:crypto: */
const nodeAES = {
  key: (bytes) => bytes,
  cbc: (key, blocks) => new Uint8Array(node.createCipheriv('aes-256-cbc', key, zeroBlock).update(blocks)),
  seal(key, nonce, plaintext, additionalData) {
    const cipher = node.createCipheriv('aes-256-gcm', key, nonce).setAAD(additionalData);
    return concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  },
  open(key, nonce, ciphertext, additionalData) {
    const decipher = node.createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 }).setAAD(additionalData);
    const plaintext = decipher.setAuthTag(ciphertext.subarray(-16)).update(ciphertext.subarray(0, -16));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      return undefined;
    }
    return new Uint8Array(plaintext);
  },
};

const gcm = (iv, additionalData) => ({ name: 'AES-GCM', iv, additionalData, tagLength: 128 });

/** And by WebCrypto, which has no AES-ECB: one block in CBC mode from a zero IV is the same. */
const webAES = {
  key: (bytes, name) => crypto.subtle.importKey('raw', bytes, name, false, ['encrypt', 'decrypt']),
  cbc: async (key, blocks) =>
    new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-CBC', iv: zeroBlock }, key, blocks), 0, blocks.length),
  seal: async (key, nonce, plaintext, additionalData) =>
    new Uint8Array(await crypto.subtle.encrypt(gcm(nonce, additionalData), key, plaintext)),
  async open(key, nonce, ciphertext, additionalData) {
    const opened = await crypto.subtle.decrypt(gcm(nonce, additionalData), key, ciphertext).catch((error) => {
      if (error.name !== 'OperationError') throw error; // anything else is no verdict on the tag
    });
    return opened && new Uint8Array(opened);
  },
};

const aes = node?.createCipheriv ? nodeAES : webAES;
const xored = (block, other) => block.map((byte, i) => byte ^ other[i]);

/** Times 2 in GF(2^128). */
function doubled(block) {
  const out = block.map((byte, i) => (byte << 1) | (block[i + 1] >> 7));
  if (block[0] & 0x80) out[15] ^= 0x87;
  return out;
}

/** A key K, ready for use, with its K1. */
async function readyKey(secret) {
  const key = await aes.key(secret, 'AES-CBC');
  return { key, subkey: doubled(await aes.cbc(key, zeroBlock)) };
}

/** AES-256-CMAC (NIST SP 800-38B). */
export async function cmac(secret, message) {
  const { key, subkey } = await readyKey(secret);
  const blocks = new Uint8Array(Math.max(1, Math.ceil(message.length / 16)) * 16);
  const isFull = message.length === blocks.length;
  blocks.set(message);
  if (!isFull) blocks[message.length] = 0x80;
  blocks.set(xored(blocks.subarray(-16), isFull ? subkey : doubled(subkey)), blocks.length - 16);
  return (await aes.cbc(key, blocks)).slice(-16);
}

/** The key of one message. */
async function derivedKey(secret, nonce) {
  const { key, subkey } = secret instanceof Uint8Array ? await readyKey(secret) : secret;
  const half = (n) => aes.cbc(key, xored(concat([[0, n, 0x58, 0], nonce.subarray(0, 12)]), subkey));
  return aes.key(concat(await Promise.all([half(1), half(2)])), 'AES-GCM');
}

/** XAES-256-GCM of C2SP, by 32 bytes or a ready key, and a nonce of 24: ciphertext and tag. */
export const xaesSeal = async (key, nonce, plaintext, additionalData) =>
  aes.seal(await derivedKey(key, nonce), nonce.subarray(12), plaintext, additionalData);

/** The plaintext, or undefined where the tag does not verify. */
export const xaesOpen = async (key, nonce, ciphertext, additionalData) =>
  aes.open(await derivedKey(key, nonce), nonce.subarray(12), ciphertext, additionalData);

/** PASETO's pre-authentication encoding. */
export function pae(pieces) {
  const number = (n) => [n, n >>> 8, n >>> 16, n >>> 24, 0, 0, 0, 0];
  return concat([number(pieces.length), ...pieces.flatMap((piece) => [number(piece.length), piece])]);
}

const nonceOf = (random) => concat([random.subarray(0, 8), new Uint8Array(4), random.subarray(8)]);

// ---- DEFLATE (RFC 1951) with a preset dictionary, which DecompressionStream does not take (§6.2)

const extraBits = (count, shift) => Array.from({ length: count }, (_, i) => Math.max(0, (i >> shift) - 1));
const basesOf = (bits, first) => bits.map((_, i) => bits.slice(0, i).reduce((sum, count) => sum + 2 ** count, first));
const lengthBits = [...extraBits(28, 2), 0];
const lengthBases = [...basesOf(extraBits(28, 2), 3), 258]; // of 258 there are two, and the second takes no bits
const distanceBits = extraBits(30, 1);
const distanceBases = basesOf(distanceBits, 1);
const codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const fixedLengths = Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));

/** The symbols by their codes, each code with a 1 bit in front. */
function huffman(lengths) {
  const used = lengths.filter((length) => length > 0);
  const longest = Math.max(...used);
  const symbols = [];
  let code = 1;
  for (let length = 1; length <= longest; length++) {
    code *= 2;
    for (let symbol = 0; symbol < lengths.length; symbol++) if (lengths[symbol] === length) symbols[code++] = symbol;
  }
  // A code that leaves bits over is broken, but for none or a single one of one bit (as zlib has it).
  const isAllowed = used.length === 0 || used.join() === '1' || code === 2 ** (longest + 1);
  if (!isAllowed) throw malformed('more or fewer codes than there are');
  return symbols;
}

const fixedCodes = [huffman(fixedLengths), huffman(new Array(32).fill(5))];

/** Inflates at most `limit` bytes of the stream at the start of `source`, and says where it ends. */
export function inflate(source, dictionary, limit) {
  const most = dictionary.length + limit;
  let out = concat([dictionary, new Uint8Array(1024)]);
  let [size, at, bitBuffer, bitCount] = [dictionary.length, 0, 0, 0];

  function bits(count) {
    for (; bitCount < count; bitCount += 8) {
      if (at === source.length) throw malformed('the stream ends early');
      bitBuffer |= source[at++] << bitCount;
    }
    const value = bitBuffer & ((1 << count) - 1);
    bitBuffer >>>= count;
    bitCount -= count;
    return value;
  }

  function symbol(symbols) {
    for (let code = 1; code < 2 ** 15; ) {
      code = code * 2 + bits(1);
      if (symbols[code] !== undefined) return symbols[code];
    }
    throw malformed('no such code in the stream');
  }

  function grow(count) {
    if (size + count > most) throw malformed('it inflates to too much');
    if (size + count > out.length) out = concat([out, new Uint8Array(out.length + count)]);
  }

  function stored() {
    bitBuffer = bitCount = 0; // up to the next byte
    const length = bits(16);
    const isWhole = bits(16) === (length ^ 0xffff) && at + length <= source.length;
    if (!isWhole) throw malformed('a stored block of another length');
    grow(length);
    out.set(source.subarray(at, at + length), size);
    at += length;
    size += length;
  }

  function dynamicCodes() {
    const literalCount = bits(5) + 257;
    const count = literalCount + bits(5) + 1;
    const lengthCount = bits(4) + 4;
    if (literalCount > 286 || count - literalCount > 30) throw malformed('more codes than there are symbols');
    const lengthLengths = new Array(19).fill(0);
    for (const place of codeLengthOrder.slice(0, lengthCount)) lengthLengths[place] = bits(3);
    const lengthCodes = huffman(lengthLengths);
    const lengths = [];
    while (lengths.length < count) {
      const length = symbol(lengthCodes);
      const repeated = length < 16 ? length : length === 16 ? lengths.at(-1) : 0;
      if (repeated === undefined) throw malformed('a repetition of nothing');
      const times = length < 16 ? 1 : length < 18 ? 3 + bits(length - 14) : 11 + bits(7);
      for (let i = 0; i < times; i++) lengths.push(repeated);
    }
    if (lengths.length > count) throw malformed('lengths for more codes than there are');
    if (lengths[256] === 0) throw malformed('a block without an end');
    return [huffman(lengths.slice(0, literalCount)), huffman(lengths.slice(literalCount))];
  }

  function compressed([literals, distances]) {
    for (let literal = symbol(literals); literal !== 256; literal = symbol(literals)) {
      if (literal > 285) throw malformed('no such length');
      if (literal < 256) {
        grow(1);
        out[size++] = literal;
        continue;
      }
      const length = lengthBases[literal - 257] + bits(lengthBits[literal - 257]);
      const code = symbol(distances);
      if (code > 29) throw malformed('no such distance');
      const distance = distanceBases[code] + bits(distanceBits[code]);
      if (distance > size) throw malformed('a reference back to before the start');
      grow(length);
      for (let i = 0; i < length; i++, size++) out[size] = out[size - distance];
    }
  }

  for (let last = 0; !last; ) {
    last = bits(1);
    const type = bits(2);
    if (type === 3) throw malformed('no such block');
    if (type === 0) stored();
    else compressed(type === 1 ? fixedCodes : dynamicCodes());
  }
  return { bytes: out.subarray(dictionary.length, size), end: at };
}

/** One block of fixed codes; for runtimes without zlib. */
export function deflateFixed(data, dictionary) {
  const all = concat([dictionary, data]);
  const places = new Map(); // of each three bytes
  const threeAt = (i) => all[i] | (all[i + 1] << 8) | (all[i + 2] << 16);
  const remember = (i) => {
    if (!places.get(threeAt(i))?.push(i)) places.set(threeAt(i), [i]);
  };
  const out = [];
  let [bitBuffer, bitCount] = [0, 0];
  const write = (value, count) => {
    bitBuffer |= value << bitCount;
    bitCount += count;
    for (; bitCount >= 8; bitCount -= 8, bitBuffer >>>= 8) out.push(bitBuffer & 0xff);
  };
  const writeCode = (code, count) => {
    for (let i = count - 1; i >= 0; i--) write((code >> i) & 1, 1);
  };
  const writeLiteral = (s) => {
    const first = s < 144 ? 0x30 : s < 256 ? 0x190 - 144 : s < 280 ? -256 : 0xc0 - 280;
    writeCode(first + s, fixedLengths[s]);
  };
  write(0b011, 3); // the last block, of fixed codes
  for (let i = 0; i < dictionary.length; i++) remember(i);
  for (let i = dictionary.length; i < all.length; ) {
    let [length, distance] = [2, 0];
    for (const place of (places.get(threeAt(i)) ?? []).slice(-64).reverse()) {
      let count = 0;
      while (count < 258 && i + count < all.length && all[place + count] === all[i + count]) count++;
      if (count > length && i - place <= 32768) [length, distance] = [count, i - place];
    }
    if (distance) {
      const l = lengthBases.findLastIndex((base) => base <= length);
      const d = distanceBases.findLastIndex((base) => base <= distance);
      writeLiteral(257 + l);
      write(length - lengthBases[l], lengthBits[l]);
      writeCode(d, 5);
      write(distance - distanceBases[d], distanceBits[d]);
    } else {
      writeLiteral(all[i]);
      length = 1;
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
  const options = { level: 9, windowBits, memLevel: 6, ...(dictionary.length && { dictionary }) };
  return zlib.deflateRawSync(skeleton, options);
}

// ---- Values and CBOR (§7)

const mostBytes = 65536;
const mostLevels = 64;
const int64 = (n) => BigInt.asIntN(64, BigInt(n)) === BigInt(n);
const isInteger = (value) => typeof value === 'bigint' || (Number.isSafeInteger(value) && !Object.is(value, -0));
const isInt64 = (value) => isInteger(value) && int64(value);
const isKey = (value) => typeof value === 'string' || isInt64(value);
const isBytes = (value) => value instanceof Uint8Array;
const small = (n) => (n >= Number.MIN_SAFE_INTEGER && n <= Number.MAX_SAFE_INTEGER ? Number(n) : n);

/** A float that a number does not tell from an integer, such as 2.0, or a NaN of other bits than the usual. */
export class Float {
  constructor(value, bits) {
    this.value = value;
    if (Number.isNaN(value)) this.bits = bits ?? usualNaN;
  }
  valueOf() {
    return this.value;
  }
}

/** A tag of §7 with its content, where JavaScript has no type of its own. */
export class Tagged {
  constructor(tag, content) {
    this.tag = tag;
    this.content = content;
  }
}

export const secret = (value) => new Tagged(24, value);
export const url = (value) => new Tagged(32, String(value));
export const uuid = (text) => {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) throw new TypeError('not a UUID');
  return new Tagged(37, unhex(text.replaceAll('-', '')));
};

const usualNaN = 0x7ff8000000000000n;
const view64 = new DataView(new ArrayBuffer(8));
const floatForms = [[5, 10], [8, 23]]; // how many bits the exponent and the fraction of a half and a single have
const isFloat = (value) => value instanceof Float || (typeof value === 'number' && !isInteger(value));
const asFloat = (number) => (isInteger(number) ? new Float(number) : number);

function doubleBits(float) {
  if (Number.isNaN(Number(float))) return float.bits ?? usualNaN;
  view64.setFloat64(0, Number(float));
  return view64.getBigUint64(0);
}

function floatOfBits(bits) {
  view64.setBigUint64(0, bits);
  const number = view64.getFloat64(0);
  return Number.isNaN(number) && bits !== usualNaN ? new Float(number, bits) : asFloat(number);
}

/** The bits of a float in a shorter form that gives it back, or undefined. Of a NaN the bits are the value. */
function narrowed(float, [exponentBits, fractionBits]) {
  const bits = doubleBits(float);
  const bias = 2 ** (exponentBits - 1) - 1;
  const exponent = Math.max(Number((bits >> 52n) & 0x7ffn) - 1023, 1 - bias); // the least is that of subnormals too
  const isFinite = exponent < 1024;
  if (isFinite && exponent > bias) return undefined;
  const significand = isFinite
    ? Math.abs(Number(float)) / 2 ** (exponent - fractionBits)
    : 2 ** fractionBits + Number(BigInt.asUintN(52, bits)) / 2 ** (52 - fractionBits);
  if (!Number.isInteger(significand)) return undefined;
  const sign = Number(bits >> 63n) * 2 ** (exponentBits + fractionBits);
  return sign + (Math.min(exponent, bias + 1) + bias - 1) * 2 ** fractionBits + significand;
}

/** The float that such bits are. */
function widened(bits, [exponentBits, fractionBits]) {
  const bias = 2 ** (exponentBits - 1) - 1;
  const isNegative = bits >= 2 ** (exponentBits + fractionBits);
  const exponent = Math.floor(bits / 2 ** fractionBits) % 2 ** exponentBits;
  const fraction = bits % 2 ** fractionBits;
  if (exponent > 2 * bias) {
    return floatOfBits(((isNegative ? 0xfffn : 0x7ffn) << 52n) | (BigInt(fraction) << BigInt(52 - fractionBits)));
  }
  const significand = exponent ? 2 ** fractionBits + fraction : fraction;
  const number = significand * 2 ** (Math.max(exponent, 1) - bias - fractionBits);
  return asFloat(isNegative ? -number : number);
}

/** A first byte, and its argument in so many bytes. */
function sized(major, size, argument) {
  view64.setBigUint64(0, BigInt(argument));
  return [(major << 5) | (24 + Math.log2(size)), ...new Uint8Array(view64.buffer, 8 - size)];
}

const sizeOf = (argument) => (argument < 2 ** 8 ? 1 : argument < 2 ** 16 ? 2 : argument < 2 ** 32 ? 4 : 8);

function head(major, argument) {
  return argument < 24 ? [(major << 5) | Number(argument)] : sized(major, sizeOf(argument), argument);
}

function floatBytes(float) {
  const [half, single] = floatForms.map((form) => narrowed(float, form));
  if (half !== undefined) return sized(7, 2, half);
  return single === undefined ? sized(7, 8, doubleBits(float)) : sized(7, 4, single);
}

function textBytes(text) {
  if (hasHalfPair(text)) throw notEncodable('text with half a surrogate pair');
  if (/\p{M}{257}/u.test(text)) throw notEncodable('more than 256 combining marks in a row');
  const bytes = utf8.encode(text);
  return concat([head(3, bytes.length), bytes]);
}

/** The head of an integer of 64 bits and a sign. */
const integerHead = (n) => (n < 0 ? head(1, -1n - BigInt(n)) : head(0, n));

function bignum(n) {
  const [tag, argument] = n < 0 ? [3, -1n - n] : [2, n];
  const digits = argument.toString(16);
  return new Tagged(tag, unhex(digits.length % 2 ? `0${digits}` : digits));
}

function dateTag(date) {
  const milliseconds = date.getTime();
  if (Number.isNaN(milliseconds)) throw notEncodable('an invalid date');
  const seconds = Math.floor(milliseconds / 1000);
  const rest = milliseconds - seconds * 1000;
  return rest ? new Tagged(1001, new Map([[1, seconds], [-9, rest * 1e6]])) : new Tagged(1, seconds);
}

function isPlain(object) {
  const isOfNoClass = [null, Object.prototype].includes(Object.getPrototypeOf(object));
  return isOfNoClass && Object.getOwnPropertySymbols(object).length === 0;
}

class Writer {
  pieces = [];
  length = 0;
  values = 0; // as §5.1 counts them
  hasTags = false;

  constructor(limit) {
    this.limit = limit;
  }

  append(...pieces) {
    for (const piece of pieces) {
      this.length += piece.length;
      if (this.length > this.limit) throw new SealError('item-too-large');
      this.pieces.push(piece);
    }
  }

  /** `depth`: how many arrays, maps and tags are around the value. */
  value(value, depth) {
    if (value instanceof Date) value = dateTag(value);
    if (value instanceof URL) value = url(value);
    if (typeof value === 'bigint' && (value < -(2n ** 64n) || value >= 2n ** 64n)) value = bignum(value);
    const isLeaf = typeof value !== 'object' || value === null || isBytes(value) || value instanceof Float;
    if (!isLeaf && depth >= mostLevels) throw notEncodable('more than 64 levels');
    this.values += isLeaf ? 1 : 2;
    if (value === null) this.append([0xf6]);
    else if (typeof value === 'boolean') this.append([value ? 0xf5 : 0xf4]);
    else if (typeof value === 'string') this.append(textBytes(value));
    else if (isInteger(value)) this.append(integerHead(value));
    else if (isFloat(value)) this.append(floatBytes(value));
    else if (isBytes(value)) this.append(head(2, value.length), value);
    else if (Array.isArray(value)) {
      this.append(head(4, value.length));
      for (const element of value) this.value(element, depth + 1);
    } else if (value instanceof Tagged) this.tagged(value, depth);
    else if (value instanceof Map) this.map([...value], depth);
    else if (!isLeaf && isPlain(value)) this.map(Object.entries(value), depth);
    else throw notEncodable(`a value that CBOR has no form for: ${Object.prototype.toString.call(value)}`);
  }

  tagged({ tag, content }, depth) {
    const { values } = this;
    this.hasTags = true;
    this.append(head(6, tag));
    if (tag === 24) {
      const inner = new Writer(this.limit);
      inner.value(content, depth + 1);
      this.append(head(2, inner.length), concat(inner.pieces));
      this.values += inner.values;
    } else {
      this.value(content, depth + 1);
      this.values = values - 1; // with its content it is one
    }
  }

  map(entries, depth) {
    const encoded = entries.map(([key, value]) => {
      if (!isKey(key)) throw notEncodable('a map key that is neither text nor an integer of 64 bits');
      return { key: typeof key === 'string' ? textBytes(key) : integerHead(key), value };
    });
    encoded.sort((a, b) => compare(a.key, b.key));
    if (encoded.some(({ key }, i) => i > 0 && equal(key, encoded[i - 1].key))) throw notEncodable('a key twice');
    this.append(head(5, encoded.length));
    for (const { key, value } of encoded) {
      this.append(key);
      this.value(value, depth + 1);
    }
  }
}

function encoded(value, limit) {
  const writer = new Writer(Math.min(limit, mostBytes));
  writer.value(value, 0);
  const item = concat(writer.pieces);
  if (writer.hasTags) checked(item); // a Tagged may hold anything
  return { item, values: writer.values };
}

/** The value of an item that somebody else has made, for sealing. */
function checked(item) {
  try {
    return decode(item);
  } catch (error) {
    throw error instanceof OpenError ? notEncodable(error.message) : error;
  }
}

/** A value as one CBOR item of at most `limit` bytes. What it cannot keep exactly, it refuses with a SealError. */
export const encode = (value, limit = mostBytes) => encoded(value, limit).item;

/** Which content a tag may have. */
const isBignum = (content) => isBytes(content) && content.length >= 9 && content.length <= 16 && content[0] !== 0;
const isContent = {
  1: (content) => isInt64(content) || isFloat(content),
  2: isBignum,
  3: isBignum,
  4: (content) => Array.isArray(content) && content.length === 2 && isInt64(content[0]) && isInteger(content[1]),
  24: isBytes,
  32: (content) => typeof content === 'string',
  37: (content) => isBytes(content) && content.length === 16,
  1001: (content) => content instanceof Map && content.size === 2 && isInt64(content.get(1)) && hasFraction(content),
};

const unitOf = (map) => (map.has(-9) ? -9 : -18);

function hasFraction(map) {
  const fraction = map.get(unitOf(map));
  return isInteger(fraction) && fraction >= 0 && BigInt(fraction) < 10n ** BigInt(-unitOf(map));
}

/** A point in time as a Date, where a Date would be written as the same item. */
function asDate(tag, content) {
  const seconds = tag === 1 ? content : content.get(1);
  const fraction = tag === 1 ? 0 : Number(content.get(-9));
  if (!isInteger(seconds) || !Number.isInteger(fraction / 1e6) || (tag === 1001 && fraction === 0)) return undefined;
  const date = new Date(Number(seconds) * 1000 + fraction / 1e6);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** Reads a payload, an item or a skeleton. */
class Reader {
  at = 0;

  constructor(bytes) {
    this.bytes = bytes;
  }

  get isAtEnd() {
    return this.at === this.bytes.length;
  }

  take(count) {
    if (count > this.bytes.length - this.at) throw malformed('it ends early');
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  byte() {
    if (this.isAtEnd) throw malformed('it ends early');
    return this.bytes[this.at++];
  }

  /** A number in up to 4 bytes. */
  uint(size) {
    let number = 0;
    for (let i = 0; i < size; i++) number = number * 256 + this.byte();
    return number;
  }

  /** Below 2^32 (§6). */
  leb128() {
    let number = 0;
    for (let i = 0; i < 5; i++) {
      const byte = this.byte();
      number += (byte & 127) * 2 ** (7 * i);
      if (byte >= 128) continue;
      if ((byte === 0 && i > 0) || number >= 2 ** 32) break;
      return number;
    }
    throw malformed('a number that is not in its form');
  }

  head() {
    const first = this.byte();
    const [major, information] = [first >> 5, first & 31];
    if (information < 24) return { major, information, argument: information };
    if (information > 27) throw malformed('an indefinite length, or no length');
    const size = 2 ** (information - 24);
    const argument = size < 8 ? this.uint(size) : small(2n ** 32n * BigInt(this.uint(4)) + BigInt(this.uint(4)));
    const isShortest = argument >= 24 && sizeOf(argument) === size;
    if (!isShortest && major !== 7) throw malformed('a length that is not the shortest');
    return { major, information, argument };
  }

  /** `depth`: how many arrays, maps and tags are around the value. */
  value(depth) {
    const { major, information, argument } = this.head();
    if (major >= 4 && major <= 6 && depth >= mostLevels) throw malformed('more than 64 levels');
    if (major === 0) return argument;
    if (major === 1) return small(-1n - BigInt(argument));
    if (major === 2) return this.take(argument).slice();
    if (major === 3) return textOf(this.take(argument), () => malformed('text that is not UTF-8'));
    if (major === 4) {
      const array = [];
      while (array.length < argument) array.push(this.value(depth + 1));
      return array;
    }
    if (major === 5) return this.map(argument, depth);
    if (major === 6) return this.tagged(argument, depth);
    if (information >= 25) return this.float(information, argument);
    if (information < 20 || information > 22) throw malformed('a simple value other than false, true and null');
    return [false, true, null][information - 20];
  }

  map(count, depth) {
    const entries = [];
    let last;
    while (entries.length < count) {
      const start = this.at;
      const key = this.value(depth + 1);
      if (!isKey(key)) throw malformed('a map key that is neither text nor an integer of 64 bits');
      const bytes = this.bytes.subarray(start, this.at);
      if (last && compare(last, bytes) >= 0) throw malformed('keys that are not sorted, or one twice');
      last = bytes;
      entries.push([key, this.value(depth + 1)]);
    }
    if (entries.some(([key]) => typeof key !== 'string')) return new Map(entries);
    const object = Object.create(null); // so that no key, such as __proto__, means more than another
    for (const [key, value] of entries) object[key] = value;
    return object;
  }

  tagged(tag, depth) {
    const content = this.value(depth + 1);
    if (!Object.hasOwn(isContent, tag) || !isContent[tag](content)) throw malformed(`tag ${tag} with such a content`);
    if (tag === 24) return secret(readWhole(content, depth + 1));
    if (tag === 2) return BigInt(`0x${hex(content)}`);
    if (tag === 3) return -1n - BigInt(`0x${hex(content)}`);
    return (tag === 1 || tag === 1001 ? asDate(tag, content) : undefined) ?? new Tagged(tag, content);
  }

  float(information, argument) {
    const form = floatForms[information - 25];
    const float = form ? widened(argument, form) : floatOfBits(BigInt(argument));
    if (floatBytes(float)[0] !== (0xe0 | information)) throw malformed('a float that is not the shortest');
    return float;
  }
}

function readWhole(bytes, depth) {
  const reader = new Reader(bytes);
  const value = reader.value(depth);
  if (!reader.isAtEnd) throw malformed('bytes after the item');
  return value;
}

/** The value of one CBOR item; throws an OpenError where it is not in the one form that §7 allows. */
export function decode(item) {
  if (item.length > mostBytes) throw malformed('more than 65,536 bytes');
  return readWhole(item, 0);
}

/** Of each value of an item the head, with a text, and a byte string's content, which may be elsewhere (§6.2). */
function pieces(reader, inside = reader) {
  const all = [];
  while (!reader.isAtEnd) {
    const start = reader.at;
    const { major, argument } = reader.head();
    if (major === 3) reader.take(argument);
    all.push(reader.bytes.subarray(start, reader.at), inside.take(major === 2 ? argument : 0));
  }
  return all;
}

// ---- The JSON view (§8)

const integerForm = /^(0|-?[1-9][0-9]*)$/;
const numberForm = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;

/**
 * JSON (RFC 8259) with every digit of its numbers, and every member of a name: JSON.parse would lose both. A string
 * comes with a number of its own and an `s` in front, a number as its text with an `n`.
 */
function parseJSON(text) {
  let serial = 0;
  const marked = (found) => (found[0] === '"' ? `"${serial++}s${found.slice(1)}` : `"n${found}"`);
  return JSON.parse(text.replace(/"(?:[^"\\]|\\[^])*"|-?[0-9][0-9.eE+-]*/g, marked));
}

function unmarked(json) {
  const [, text] = (typeof json === 'string' && /^[0-9]+s([^]*)$/.exec(json)) || [];
  if (text === undefined) throw badView('something else where text is due');
  return text;
}

function finite(text) {
  if (!numberForm.test(text) || !Number.isFinite(Number(text))) throw badView('not a number, or one beyond a double');
  return Number(text);
}

/** The integer that a finite number is, or undefined. */
function wholeOf(text) {
  const [, sign, whole, fraction = '', exponent = '0'] = numberForm.exec(text);
  const digits = (whole + fraction).replace(/0+$/, '');
  const zeros = whole.length + Number(exponent) - digits.length; // behind these digits
  if (/^0*$/.test(digits)) return 0n;
  return zeros < 0 ? undefined : BigInt(sign + digits + '0'.repeat(zeros));
}

function readNumber(text) {
  const number = finite(text);
  const whole = wholeOf(text);
  if (whole === undefined) return asFloat(number);
  if (whole >= -(2n ** 63n) && whole < 2n ** 64n) return small(whole);
  if (whole !== wholeOf(String(number))) throw badView('a number that would lose digits');
  return asFloat(number);
}

function readInteger(text) {
  if (!integerForm.test(text) || text.length > 40) throw badView('not an integer'); // of 128 bits, at most
  return small(BigInt(text));
}

const namedFloats = { inf: Infinity, '-inf': -Infinity, nan: NaN };

function readFloat(text) {
  if (Object.hasOwn(namedFloats, text)) return namedFloats[text];
  if (!/^0x[0-9a-fA-F]{16}$/.test(text)) return asFloat(finite(text));
  const float = floatOfBits(BigInt(text));
  if (!Number.isNaN(Number(float))) throw badView('not a NaN');
  return float;
}

/** In the years 1583 to 9999; else undefined. */
function isoText(seconds, fraction) {
  if (!(seconds >= -12212553600 && seconds < 253402300800)) return undefined;
  return new Date(Number(seconds) * 1000).toISOString().replace('.000Z', fraction ? `.${fraction}Z` : 'Z');
}

/** Unix seconds of `YYYY-MM-DDTHH:MM:SSZ` with a date that exists, from 1583 on; else undefined. */
function readTime(text) {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(text)) return undefined;
  const seconds = Date.parse(text) / 1000;
  return isoText(seconds) === text ? seconds : undefined;
}

function readDate(text) {
  const precise = (seconds, digits) =>
    new Tagged(1001, new Map([[1, seconds], [-digits.length, small(BigInt(digits))]]));
  const [, integer, digits] = /^@(-?[0-9]+)(?:\+([0-9]{9}|[0-9]{18}))?$/.exec(text) ?? [];
  if (digits !== undefined) return precise(readInteger(integer), digits);
  if (text.startsWith('@')) return new Tagged(1, integer ? readInteger(integer) : readFloat(text.slice(1)));
  const [, start, fraction] = /^([^.Z]+)(?:\.([0-9]+))?Z$/.exec(text) ?? [];
  const seconds = readTime(`${start}Z`);
  if (seconds === undefined) throw badView('not a point in time');
  if (fraction === undefined) return new Tagged(1, seconds);
  if (fraction.length === 9 || fraction.length === 18) return precise(seconds, fraction);
  if (seconds < 0) throw badView('a float below zero has no such form');
  return new Tagged(1, asFloat(Number(`${seconds}.${fraction}`)));
}

function readDecimal(text) {
  const form = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:e(-?[0-9]+))?$/;
  const [, sign, whole, fraction = '', exponent = '0'] = form.exec(text) ?? [];
  if (whole === undefined || !isInt64(readInteger(exponent))) throw badView('not a decimal number');
  const mantissa = BigInt(whole + fraction);
  if (sign && mantissa === 0n) throw badView('a zero below zero');
  const power = BigInt(exponent) - BigInt(fraction.length);
  return new Tagged(4, [small(power), small(sign ? -mantissa : mantissa)]);
}

function readMapForm(pairs, read) {
  const isPair = (pair) => Array.isArray(pair) && pair.length === 2;
  if (!Array.isArray(pairs) || !pairs.every(isPair)) throw badView('not pairs of key and value');
  const map = new Map(pairs.map((pair) => pair.map((json) => read(json))));
  if (map.size < pairs.length) throw badView('a key twice');
  return map;
}

const textForms = {
  $bytes: fromBase64URL, // undefined is refused when it is encoded
  $date: readDate, $uuid: uuid, $url: url, $decimal: readDecimal, $float: readFloat, $int: readInteger,
};

function fromView(json, depth = 0) {
  if (depth > mostLevels) throw badView('more than 64 levels');
  const inside = (json) => fromView(json, depth + 1);
  if (typeof json === 'string') return json[0] === 'n' ? readNumber(json.slice(1)) : unmarked(json);
  if (Array.isArray(json)) return json.map((element) => inside(element));
  if (typeof json !== 'object' || json === null) return json;
  const members = Object.entries(json).map(([name, content]) => [unmarked(name), content]);
  const canonical = new Set(members.map(([name]) => name.normalize('NFC')));
  if (canonical.size < members.length) throw badView('a member twice');
  if (members.length === 1) {
    const [[name, content]] = members;
    if (name === '$secret') return secret(inside(content));
    if (name === '$map') return readMapForm(content, inside);
    if (Object.hasOwn(textForms, name)) return textForms[name](unmarked(content));
  }
  const key = (name) => {
    if (!name.startsWith('$')) return name;
    return name.startsWith('$$') ? name.slice(1) : readInteger(name.slice(1));
  };
  return new Map(members.map(([name, content]) => [key(name), inside(content)]));
}

/** The CBOR item of a session as JSON, text or UTF-8 bytes; one byte order mark in front does not count. */
export function itemOfJSON(json) {
  try {
    const text = typeof json === 'string' ? json : strictUTF8.decode(json);
    return encode(fromView(parseJSON(text.replace(/^\ufeff/, ''))));
  } catch (error) {
    throw badView(error.message); // not UTF-8, not JSON, no view, or no item of §7
  }
}

function floatText(float) {
  const name = Object.keys(namedFloats).find((name) => Object.is(namedFloats[name], float));
  if (name) return name;
  if (Number.isNaN(Number(float))) return `0x${doubleBits(float).toString(16)}`;
  const text = Object.is(float, -0) ? '-0' : String(Number(float));
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function dateText(tag, content) {
  const digits = tag === 1001 ? String(content.get(unitOf(content))).padStart(-unitOf(content), '0') : undefined;
  if (digits) return isoText(content.get(1), digits) ?? `@${content.get(1)}+${digits}`;
  if (isInteger(content)) return isoText(content) ?? `@${content}`;
  const text = floatText(content);
  const [seconds, fraction] = text.split('.');
  const hasForm = /^[0-9.]+$/.test(text) && (Number(text) === 0 || Number(text) >= 1e-4);
  const iso = hasForm ? isoText(seconds, /^(.{9}|.{18})$/.test(fraction) ? `${fraction}0` : fraction) : undefined;
  return iso ?? `@${text}`;
}

function tagView({ tag, content }) {
  const form = (name, text) => `{"${name}":${jsonString(text)}}`;
  if (tag === 24) return `{"$secret":${view(content)}}`;
  if (tag === 4) return form('$decimal', `${content[1]}e${content[0]}`);
  if (tag === 32) return form('$url', content);
  if (tag === 37) return form('$uuid', hex(content).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'));
  return form('$date', dateText(tag, content));
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
  const active = /[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu;
  return JSON.stringify(text).replace(active, (character) => character.split('').map(escaped).join(''));
}

function view(value) {
  if (value instanceof Date) value = dateTag(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return jsonString(value);
  if (isInteger(value) && value >= -(2n ** 63n) && value < 2n ** 64n) return String(value);
  if (isInteger(value)) return `{"$int":"${value}"}`;
  if (Number.isFinite(value) && !Number.isInteger(value)) return String(value);
  if (isFloat(value)) return `{"$float":"${floatText(value)}"}`;
  if (isBytes(value)) return `{"$bytes":"${toBase64URL(value)}"}`;
  if (Array.isArray(value)) return `[${value.map(view).join(',')}]`;
  if (value instanceof Tagged) return tagView(value);
  return mapView(value instanceof Map ? [...value] : Object.entries(value));
}

/** A CBOR item as JSON, which itemOfJSON reads back to the same item. */
export const jsonOfItem = (item) => view(decode(item));

// ---- Key rings (§9)

/** A key's id, as six hexadecimal digits (§4). */
export const keyID = async (key) => hex((await cmac(key, utf8.encode('SealedCookie/1 key id'))).subarray(0, 3));

const nowInSeconds = () => Date.now() / 1000;
const later = (a, b) => (a === null ? b : b === null ? a : Math.max(a, b));
const isWithin = (number, least, most) => Number.isInteger(number) && number >= least && number <= most;
const fits = (seconds) => isWithin(seconds, 0, 2 ** 32 - 1);

/** The fields of a ring's lines, in either of its forms. */
function ringLines(text) {
  const fieldsOf = (line) => line.split(/[ \t]+/).filter((field) => field !== '');
  const isComment = (line) => fieldsOf(line)[0]?.startsWith('#');
  const lines = text.replace(/\n$/, '').split('\n').map((line) => line.replace(/\r$/, ''));
  const carriage = lines.findIndex((line) => line.includes('\r'));
  if (carriage >= 0) throw new KeyRingError('carriage-return', carriage + 1);
  if (lines.length > 1) return lines.map(fieldsOf);
  const parts = lines[0].split(';');
  if (isComment(lines[0]) && lines[0].includes('sck1_')) throw new KeyRingError('lost-line-breaks', 1);
  if (parts.length > 1 && parts.some(isComment)) throw new KeyRingError('comment-in-one-line', 1);
  return parts.map(fieldsOf);
}

/** A key ring: reads one from its text; never changes. */
export class KeyRing {
  keys = new Map(); // those that are not revoked, by id
  revoked = new Set();
  notBefore = null;
  #ready = new Map();

  static async parse(text, previous) {
    if (typeof text !== 'string') text = textOf(text, () => new KeyRingError('not-utf8'));
    if (text.startsWith('\ufeff')) throw new KeyRingError('byte-order-mark', 1);
    const ring = new KeyRing();
    const found = [];
    for (const [index, [word, ...fields]] of ringLines(text).entries()) {
      const fail = (code) => {
        throw new KeyRingError(code, index + 1);
      };
      const time = (field) => readTime(field) ?? fail('not-a-time');
      if (word === undefined || word.startsWith('#')) continue;
      const mayHave = { key: fields.length > 0, revoked: fields.length === 1, 'not-before': fields.length === 1 };
      if (!(Object.hasOwn(mayHave, word) && mayHave[word])) fail('unknown-line');
      if (word !== 'not-before' && !/^[0-9a-f]{6}$/.test(fields[0])) fail('not-a-key-id');
      if (word === 'revoked') ring.revoked.add(fields[0]);
      else if (word === 'not-before') ring.notBefore = later(ring.notBefore, time(fields[0]));
      else found.push({ key: await ringKey(fields, time, fail), fail });
    }
    if (previous) {
      if (found.length === 0 && ring.revoked.size === 0 && ring.notBefore === null) return previous;
      previous.revoked.forEach((id) => ring.revoked.add(id));
      ring.notBefore = later(ring.notBefore, previous.notBefore);
    }
    for (const { key, fail } of found.filter(({ key }) => !ring.revoked.has(key.id))) {
      const same = ring.keys.get(key.id) ?? key;
      if (!equal(same.secret, key.secret)) fail('id-collision');
      ring.keys.set(key.id, { ...key, from: later(same.from, key.from), until: later(same.until, key.until) });
    }
    return ring;
  }

  /** The active key, or null where all are pending or there is none. */
  active(now = nowInSeconds()) {
    const latest = (a, b) => (a.from ?? -Infinity) - (b.from ?? -Infinity) || parseInt(a.id, 16) - parseInt(b.id, 16);
    return [...this.keys.values()].filter(({ from }) => from === null || from <= now).sort(latest).at(-1) ?? null;
  }

  /** The key that seals: the active one, or of pending ones the one with the earliest `from`. */
  sealing(now = nowInSeconds()) {
    const earliest = (a, b) => a.from - b.from || parseInt(b.id, 16) - parseInt(a.id, 16);
    return this.active(now) ?? [...this.keys.values()].sort(earliest)[0] ?? null;
  }

  /** When a session that is sealed now begins, or null where none can be. `cutOff` is its user's (§10). */
  begins(now = nowInSeconds(), cutOff = -Infinity) {
    const created = Math.max(Math.floor(now), this.notBefore ?? -Infinity, Math.ceil(cutOff)) + 0; // no -0
    return this.sealing(now) === null || created - Math.floor(now) > 60 || !fits(created) ? null : created;
  }

  ready(id) {
    if (!this.#ready.has(id)) this.#ready.set(id, readyKey(this.keys.get(id).secret));
    return this.#ready.get(id);
  }
}

async function ringKey([id, ...fields], time, fail) {
  const from = fields[0]?.startsWith('from=') ? time(fields.shift().slice(5)) : null;
  const until = fields[0]?.startsWith('until=') ? time(fields.shift().slice(6)) : null;
  const secret = fields.length === 1 && /^sck1_.{43}$/.test(fields[0]) ? fromBase64URL(fields[0].slice(5)) : undefined;
  if (secret === undefined) fail('not-a-key');
  if ((await keyID(secret)) !== id) fail('mislabelled');
  return { id, secret, from, until };
}

// ---- Payloads (§6)

const flag = { compressed: 1, ownLifetime: 2, padding: 4, dictionary: 8, endsWithBrowser: 16, ended: 32 };

export const standardDictionary = fromBase64URL(
  'bEFzaWEvS29sa2F0YWpBc2lhL1Rva3lvbEV1cm9wZS9QYXJpc0FtZXJpY2EvTG9zX0FuZ2VsZXNwQW1lcmljYS9OZXdfWW9ya21FdXJvcGUvTG9uZG' +
  '9ubUV1cm9wZS9CZXJsaW5mc3RyZWV0ZGNpdHlqcG9zdGFsQ29kZWtwb3N0YWxfY29kZWdhZGRyZXNzZ2JpbGxpbmdjb3VudHJ5YkRFaHNoaXBwaW5n' +
  'Y291bnRyeWJVU2RzdGVwaG9uZWZlcnJvcnNnbWVzc2FnZXRvdGFsY3NrdWlwcm9kdWN0SWRjYXJ0anByb2R1Y3RfaWRocXVhbnRpdHkBZXByaWNlaX' +
  'RlbXNoY3VycmVuY3ljVVNEaGN1cnJlbmN5Y0VVUmhmZWF0dXJlc2dlbmFibGVk9WZhY3RpdmVmbGFnc2ZzdGF0dXNlY291bnRmY29va2llbm9yaWdp' +
  'bmFsTWF4QWdlZHBhdGhhL2ZzZWN1cmX1Z2V4cGlyZXNoaHR0cE9ubHn1aHNhbWVTaXRlY2xheGZnaXRodWJpbWljcm9zb2Z0aHByb3ZpZGVyZmdvb2' +
  'dsZWNtZmFqdHdvX2ZhY3Rvcml0d29GYWN0b3JmbWV0aG9kdG90cGhwYXNzd29yZGtyZW1lbWJlcl9tZfVqcmVtZW1iZXJNZfVtcmVzcG9uc2VfdHlw' +
  'ZWRjb2Rlc2NvcGV0b3BlbmlkIHByb2ZpbGUgZW1haWxjb2RlVmVyaWZpZXJ1Y29kZV9jaGFsbGVuZ2VfbWV0aG9kZFMyNTZtY29kZV92ZXJpZmllcm' +
  'xyZWRpcmVjdF91cmljbGllbnRfaWRqdG9rZW5fdHlwZWZCZWFyZXJqZXhwaXJlc19pbmhpZF90b2tlbmxhY2Nlc3NfdG9rZW5rYWNjZXNzVG9rZW5t' +
  'cmVmcmVzaF90b2tlbmxyZWZyZXNoVG9rZW4gb2ZmbGluZV9hY2Nlc3NjYW1ygWNwd2Rjc2lkY2p0aWF1dGhfdGltZRpjYXVkY2lzc2NpYXQaY3N1Ym' +
  'Zncm91cHNncGljdHVyZXN0YXRlbm9uY2V4cBpncHJvZmlsZXJwcmVmZXJyZWRfdXNlcm5hbWVtYWlsVmVyaWZpZWT1amdpdmVuX25hbWVrZmFtaWx5' +
  'X25hbWVuZW1haWxfdmVyaWZpZWT1QGdtYWlsLmNvbS9hdXRoL2NhbGxiYWNrLm9yZ2kvc2V0dGluZ3NqL2Rhc2hib2FyZGh0dHBzOi8vaXByaW5jaX' +
  'BhbGthdXRob3JpdGllc21hdXRoZW50aWNhdGVk9WpST0xFX0FETUlOaVJPTEVfVVNFUnR3YXJkZW4udXNlci51c2VyLmtleYKBaHBhc3Nwb3J0oWR1' +
  'c2VyWW91IGhhdmUgYmVlbiBsb2dnZWQgb3V0SW52YWxpZCBlbWFpbCBvciBwYXNzd29yZFdlbGNvbWUgYmFja1NpZ25lZCBpbiB3YXMgc3VjY2Vzc2' +
  'Z1bGx5IGhhcyBiZWVuIGxvZyBpbiB0byBhY2Nlc3MgdGhpcyBwYWdlLnNhdmVkIHN1Y2Nlc3NmdWxseS5nd2FybmluZ3N1Y2Nlc3NkaW5mb2Zub3Rp' +
  'Y2VhbGVydGVlcnJvcmZfZmxhc2htZXNzYWdlc2hfZmxhc2hlc2VmbGFzaKFkbmV4dGN1cmxqcmVkaXJlY3RUb251c2VyX3JldHVybl90b2hyZXR1cm' +
  '5Ub2lyZXR1cm5fdG9oc2V0dGluZ3NodGltZXpvbmVsaWdodGltZVpvbmV0aGVtZWRkYXJrcHJlZmVyZW5jZXNkbGFuZ2hsYW5ndWFnZWZyLUZSZWRl' +
  'LURFZWVuLUdCZmxvY2FsZWJlbmZsb2NhbGVlZW4tVVNsb3JnYW5pemF0aW9uZm9yZ19pZHBsYW5jcHJvamFjY291bnRfaWRpYWNjb3VudElkaXRlbm' +
  'FudF9pZGh0ZW5hbnRJZGp1cGRhdGVkX2F0aXVwZGF0ZWRBdGpsYXN0X2xvZ2luaWxhc3RMb2dpbmlsYXN0X3NlZW5obGFzdFNlZW5sbGFzdEFjdGl2' +
  'aXR5amNyZWF0ZWRfYXQaaWNyZWF0ZWRBdBpqZXhwaXJlc19hdBppZXhwaXJlc0F0GmdjcmVhdGVkwRpnZXhwaXJlc8EaZmF2YXRhcmxkaXNwbGF5X2' +
  '5hbWVrZGlzcGxheU5hbWVqZmlyc3RfbmFtZWlmaXJzdE5hbWVpbGFzdF9uYW1laGxhc3ROYW1laHVzZXJOYW1laHZlcmlmaWVk9W9pc0F1dGhlbnRp' +
  'Y2F0ZWT1aWxvZ2dlZF9pbvVqaXNMb2dnZWRJbvVoaXNfYWRtaW70Z2lzQWRtaW70a3Blcm1pc3Npb25zgWJpcGp1c2VyX2FnZW50aXVzZXJBZ2VudG' +
  'VzdGFmZmVkaXRvcmdtYW5hZ2VyZW93bmVyZm1lbWJlcmRyb2xlZHVzZXJkcm9sZWVhZG1pbmljc3JmVG9rZW5qY3NyZl90b2tlbngoa19jc3JmX3Rv' +
  'a2VuZV9jc3JmZGNzcmZYIGRjc3JmUGV0b2tlbmdzZXNzaW9uanNlc3Npb25faWR4IGlzZXNzaW9uSWRhdXRoX3VzZXJfaWRkYXRhY3VpZG5hbWV2YW' +
  'x1ZXJvbGVzgWR1c2Vyb2xlc4FlYWRtaW5ndXNlcl9pZNglUGZ1c2VySWTYJVBodXNlcm5hbWVlbWFpbGJpZA');

/** Dictionaries by name, in hexadecimal, and the one that seals: the standard one and an application's own (§6.4). */
async function namedDictionaries(ofApplication) {
  const all = new Map([['01', standardDictionary]]);
  let sealing = { name: [1], bytes: standardDictionary };
  for (const bytes of ofApplication) {
    if (bytes.length < 1 || bytes.length > 7936) throw new TypeError('a dictionary has 1 to 7,936 bytes');
    const [first, ...others] = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    const name = [16 + (first % 240), ...others.slice(0, 3)];
    if (!equal(all.get(hex(name)) ?? bytes, bytes)) throw new ConfigurationError('ambiguous-dictionaries');
    if (all.size === 1) sealing = { name, bytes };
    all.set(hex(name), bytes);
  }
  return { all, sealing };
}

function leb128(number) {
  const bytes = [];
  for (; number >= 128; number = Math.floor(number / 128)) bytes.push((number % 128) | 128);
  return [...bytes, number];
}

/** The flags and times at a payload's start. */
function readTimes(reader) {
  const flags = reader.byte();
  const created = reader.uint(4);
  return { flags, created, sealed: created + reader.leb128() };
}

/** `dictionaries`: by name, in hexadecimal. */
function readPayload(payload, dictionaries) {
  const has = (bit) => (payload[0] & bit) !== 0;
  const [isCompressed, ended, endsWithBrowser] = [has(flag.compressed), has(flag.ended), has(flag.endsWithBrowser)];
  const isCompressedWrongly = isCompressed ? ended : has(flag.dictionary);
  if (has(0xc0) || isCompressedWrongly) throw malformed('unknown flags, or two that exclude each other');
  const end = has(flag.padding) ? payload.findLastIndex((byte) => byte !== 0) : payload.length;
  if (has(flag.padding) && payload[end] !== 0x80) throw malformed('padding of another form');
  const reader = new Reader(payload.subarray(0, end));
  const { created, sealed } = readTimes(reader);
  const own = has(flag.ownLifetime) ? { absolute: reader.leb128(), idle: reader.leb128() || null } : null;
  if (own?.absolute === 0) throw malformed('an own lifetime of nothing');
  const dictionary = has(flag.dictionary) ? hex(reader.take(reader.bytes[reader.at] >= 16 ? 4 : 1)) : null;
  if (dictionary !== null && !dictionaries.has(dictionary)) throw new OpenError('unknown-dictionary');
  const body = reader.bytes.subarray(reader.at);
  if (body.length === 0) throw malformed('no body');
  if (ended && !equal(body, [0xf6])) throw malformed('what was signed out, with something');
  const item = isCompressed ? inflated(body, dictionaries.get(dictionary) ?? new Uint8Array()) : body.slice();
  return { created, sealed, own, endsWithBrowser, ended, dictionary, item };
}

function inflated(body, dictionary) {
  const { bytes: skeleton, end } = inflate(body, dictionary, mostBytes);
  const inside = new Reader(body.subarray(end));
  const item = concat(pieces(new Reader(skeleton), inside));
  if (!inside.isAtEnd) throw malformed('bytes after the contents');
  return item;
}

/** The compressed body where it is shorter, else the item (§6.3), with the name of the dictionary. */
function shorterBody(item, { name, bytes }) {
  const headsAndContents = pieces(new Reader(item));
  const [skeleton, contents] = [0, 1].map((n) => concat(headsAndContents.filter((_, i) => i % 2 === n)));
  const body = skeleton.length > 4 ? concat([deflate(skeleton, bytes), contents]) : item;
  const isShorter = name.length + body.length < item.length;
  return isShorter ? { flags: flag.compressed | flag.dictionary, name, body } : { flags: 0, name: [], body: item };
}

/** The payload of an item, and the name of the dictionary in it. `dictionary`: the one to compress with. */
export function payloadOf(item, { created, sealed, own, endsWithBrowser, ended }, dictionary, padding) {
  const { flags, name, body } = ended ? { flags: flag.ended, name: [], body: item } : shorterBody(item, dictionary);
  const isPadded = padding > 1;
  const marks = (own && flag.ownLifetime) | (endsWithBrowser && flag.endsWithBrowser) | (isPadded && flag.padding);
  const first = [flags | marks, created >>> 24, created >>> 16, created >>> 8, created];
  const lifetime = own ? [...leb128(own.absolute), ...leb128(own.idle ?? 0)] : [];
  const payload = concat([first, leb128(sealed - created), lifetime, name, body]);
  const zeros = padding - 1 - (payload.length % padding);
  return { payload: isPadded ? concat([payload, [0x80], new Uint8Array(zeros)]) : payload, name };
}

// ---- Tokens (§3, §5) and times (§10)

const mostSeconds = 34560000; // 400 days

function checkedLifetime({ absolute, idle = null, ceiling = mostSeconds }) {
  const isSpan = (seconds) => isWithin(seconds, 1, 2 ** 32 - 1);
  if (![absolute, ceiling, idle ?? 1].every(isSpan)) throw new TypeError('lifetimes are whole seconds, from 1');
  return { absolute, idle, ceiling };
}

/** The second from which a session is over. */
function endOf({ created, sealed, own }, lifetime) {
  const { absolute, idle } = own ?? lifetime;
  return Math.min(created + Math.min(absolute, lifetime.ceiling), idle === null ? Infinity : sealed + idle);
}

export const beganBefore = ({ created }, cutOff) => created < Math.ceil(cutOff);

/** `sealed` of what begins on a request where something sealed `after` decides: a second later, not more (§11.2). */
const sealedAfter = (begins, now, after = -Infinity) => Math.max(begins, Math.min(after + 1, Math.floor(now) + 60));

/** CBOR that is sealed as it is, after a check of its form. */
export class Item {
  constructor(bytes) {
    this.bytes = bytes;
  }
}

function itemOf(value, limit) {
  // An Item that is none, or has what a sealer refuses beyond that, is refused as well.
  const { item, values } = encoded(value instanceof Item ? checked(value.bytes) : value, limit);
  if (values > Math.max(4096, limit / 4)) throw new SealError('item-too-large', 'too many values');
  return item;
}

class Sealer {
  #dictionaries;

  constructor({ ring, purpose = '', lifetime, dictionaries = [], padding = 1, itemLimit = 16384 }) {
    if (!isWithin(padding, 1, 4096)) throw new ConfigurationError('invalid-padding');
    if (!isWithin(itemLimit, 1, mostBytes)) throw new ConfigurationError('invalid-item-limit');
    if (hasHalfPair(purpose)) throw new TypeError('a purpose is Unicode text');
    this.ring = async () => (typeof ring === 'function' ? ring() : ring);
    this.dictionaries = () => (this.#dictionaries ??= namedDictionaries(dictionaries));
    Object.assign(this, { name: '', purpose, lifetime: checkedLifetime(lifetime), padding, itemLimit });
  }

  #associatedData(header, { name, purpose }) {
    return pae([utf8.encode('SealedCookie'), header, utf8.encode(name), utf8.encode(purpose)]);
  }

  /** §5.2 */
  async openText(text, limit, now) {
    const ring = await this.ring();
    return this.judge(await this.authentic(text, limit, this, ring), ring, now);
  }

  /** Steps 1 to 7. A form is a sealer or a former form: its name, purpose and policy. */
  async authentic(text, limit, form, ring) {
    // Half a surrogate pair counts as the three bytes of U+FFFD.
    if (text.length > limit || utf8.encode(text).length > limit) throw new OpenError('too-long');
    const token = fromBase64URL(text);
    if (token === undefined) throw new OpenError('not-base64url');
    if (token.length < 47) throw new OpenError('too-short');
    if (token[0] !== 0x48) throw new OpenError('unknown-version');
    const id = hex(token.subarray(1, 4));
    if (ring.revoked.has(id)) throw new OpenError('revoked-key', `revoked key ${id}`);
    if (!ring.keys.has(id)) throw new OpenError('unknown-key', `unknown key ${id}`);
    const [nonce, additional] = [nonceOf(token.subarray(4, 24)), this.#associatedData(token.subarray(0, 4), form)];
    const payload = await xaesOpen(await ring.ready(id), nonce, token.subarray(24), additional);
    if (payload === undefined) throw new OpenError('not-authentic');
    return { form, payload, id };
  }

  /** Steps 8 to 12. */
  async judge({ form, payload, id }, ring, now) {
    const { ended, ...times } = readPayload(payload, (await this.dictionaries()).all);
    const session = this.#session(times, id, form);
    const refusal = this.#refusal(session, { ended, until: form.until }, ring, now);
    if (refusal) throw new OpenError(refusal);
    return session;
  }

  #session(times, id, form) {
    const { name, purpose, lifetime } = form;
    const ends = Math.min(endOf(times, this.lifetime), endOf(times, lifetime));
    return { ...times, value: decode(times.item), ends, keyID: id, name, purpose, isFormer: form !== this };
  }

  /** Steps 9 to 12, and the end of a former form (§11.3). */
  #refusal({ created, sealed, ends, isFormer }, { ended, until }, ring, now) {
    if (sealed > now + 60) return 'in-the-future';
    if (ended) return 'signed-out';
    if (isFormer && sealed > (until ?? Infinity) + 60) return 'former-cookie';
    if (now >= ends) return 'expired';
    return ring.notBefore !== null && created < ring.notBefore ? 'ended' : undefined;
  }

  /** §5.1. `fit` throws where so many characters are too many. */
  async sealItem(item, { created, sealed, own = null, endsWithBrowser = false, ended = false }, now, fit) {
    const ring = await this.ring();
    const key = ring.sealing(now);
    if (key === null) throw new SealError('no-active-key');
    if (!fits(created) || !fits(sealed)) throw new SealError('time-out-of-range');
    const { sealing } = await this.dictionaries();
    const times = { created, sealed, own, endsWithBrowser };
    const { payload, name } = payloadOf(item, { ...times, ended }, sealing, this.padding);
    fit(Math.ceil((4 * (40 + payload.length)) / 3));
    const random = crypto.getRandomValues(new Uint8Array(20));
    const header = concat([[0x48], unhex(key.id)]);
    const box = await xaesSeal(await ring.ready(key.id), nonceOf(random), payload, this.#associatedData(header, this));
    const session = this.#session({ ...times, dictionary: name.length ? hex(name) : null, item }, key.id, this);
    return { token: toBase64URL(concat([header, random, box])), session };
  }

  /** Times of a new session. */
  async newTimes({ now, own, endsWithBrowser, cutOff, after }) {
    const ring = await this.ring();
    const begins = ring.begins(now, cutOff);
    if (begins === null) {
      if (ring.sealing(now) === null) throw new SealError('no-active-key');
      if (!fits(Math.floor(now))) throw new SealError('time-out-of-range');
      throw new SealError('ended', 'the clock is behind not-before, or the cut-off');
    }
    if (own && !(own.absolute && fits(own.absolute) && fits(own.idle ?? 0))) {
      throw new SealError('time-out-of-range', 'an own lifetime is of whole seconds, from 1');
    }
    const lifetime = own && { absolute: own.absolute, idle: own.idle || null };
    return { created: begins, sealed: sealedAfter(begins, now, after), own: lifetime, endsWithBrowser };
  }

  /** The times of a session that is sealed again now, if it would open still (§10.3). */
  async timesAgain(session, { now, moves }) {
    const isHere = session.isFormer || (session.name === this.name && session.purpose === this.purpose);
    if (!isHere && !moves) throw new SealError('another-cookie');
    if (!fits(Math.floor(now))) throw new SealError('time-out-of-range');
    const ring = await this.ring();
    const ends = Math.min(session.isFormer ? session.ends : Infinity, endOf(session, this.lifetime));
    const sealed = Math.min(session.sealed, now); // that the clock was set back since is no reason
    const refusal = this.#refusal({ ...session, ends, sealed }, {}, ring, now);
    if (!ring.keys.has(session.keyID) && refusal !== 'expired') {
      throw new SealError(moves && !ring.revoked.has(session.keyID) ? 'foreign-key' : 'revoked-key');
    }
    if (refusal) throw new SealError(refusal);
    return { ...session, sealed: Math.max(session.sealed, Math.floor(now)) }; // never back: the latest decides (§11.2)
  }

  /** §10.4 */
  async isDue(session, now = nowInSeconds()) {
    if (session.isFormer) return true;
    const ring = await this.ring();
    const isPending = (ring.keys.get(session.keyID)?.from ?? -Infinity) > now;
    if (ring.sealing(now)?.id !== session.keyID && !isPending) return true;
    const { absolute, idle } = session.own ?? this.lifetime;
    const { sealing } = await this.dictionaries();
    const isOfAnother = session.dictionary !== null && session.dictionary !== hex(sealing.name);
    const spans = session.endsWithBrowser && !isOfAnother ? [] : [absolute, this.lifetime.ceiling, mostSeconds];
    return now - session.sealed >= Math.ceil(Math.min(...spans, idle ?? Infinity) / 10);
  }
}

/** Tokens that are in no cookie: a link's parameter, a form's field, a header (§5.3). */
export class TokenSealer extends Sealer {
  constructor({ limit = 2000, ...options }) {
    super(options);
    if (!this.purpose) throw new ConfigurationError('empty-purpose');
    if (!isWithin(limit, 63, 2 ** 20)) throw new ConfigurationError('invalid-token-limit');
    this.limit = limit;
  }

  async seal(value, { now = nowInSeconds(), own, cutOff } = {}) {
    const item = itemOf(value, this.itemLimit);
    const { token } = await this.sealItem(item, await this.newTimes({ now, own, cutOff }), now, (count) => {
      if (count > this.limit) throw new SealError('too-large');
    });
    return token;
  }

  async open(token, { now = nowInSeconds() } = {}) {
    return this.openText(token, this.limit, now);
  }
}

// ---- Cookies (§11)

const mostCharacters = 4096; // of a cookie's name and value
const mostPart = 8; // the highest number of a part's name
const mostValues = 4;
const mostTokens = 16;
const mostFormers = 4;
const partNames = (name) => Array.from({ length: mostPart }, (_, i) => `${name}.${i + 1}`);

/** By index: a regular expression would try each run of blanks at each of its characters. */
function trimmed(text) {
  const isBlank = (character) => character === ' ' || character === '\t';
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

/** A header's values under the names that are asked for: the first 4 of each that differ (§11.2). */
function cookieValues(header, names) {
  const found = new Map();
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    const name = trimmed(pair.slice(0, Math.max(at, 0)));
    if (at < 0 || !names.includes(name)) continue;
    const quoted = trimmed(pair.slice(at + 1));
    const value = /^".*"$/s.test(quoted) ? quoted.slice(1, -1) : quoted;
    const values = found.get(name) ?? [];
    if (values.length < mostValues && !values.includes(value)) values.push(value);
    found.set(name, values);
  }
  return found;
}

/** Every choice of one value of each list; those of the first vary fastest. */
function* choices([first, ...others]) {
  if (first === undefined) yield [];
  else for (const rest of choices(others)) for (const value of first) yield [value, ...rest];
}

/** A candidate with what decides; one whose age is malformed is never sealed. */
function timed(candidate) {
  try {
    return { candidate, ...readTimes(new Reader(candidate.payload)) };
  } catch {
    return { candidate, sealed: Infinity };
  }
}

/** The one that decides comes first. */
function decisiveFirst(a, b) {
  const byTimes = b.sealed - a.sealed || (b.flags & flag.ended) - (a.flags & flag.ended) || b.created - a.created;
  return byTimes || b.candidate.position - a.candidate.position;
}

const domainLabel = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const domainForm = new RegExp(`^\\.?(?!.{254})(${domainLabel}\\.)+(?!([0-9]+|0[xX][0-9a-fA-F]*)$)${domainLabel}$`);

function checkForm({ name, cookies, attributes: { path, domain, secure, httpOnly, sameSite, partitioned } }) {
  const begins = (prefix) => new RegExp(`^__(${prefix})-`, 'i').test(name);
  const wrong = {
    'invalid-name': !/^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/.test(name),
    'name-too-long': name.length > 4033,
    'invalid-path': !/^\/[\x20-\x3a\x3c-\x7e]*$/.test(path),
    'attribute-too-long': path.length > 1024,
    'invalid-domain': domain !== undefined && !domainForm.test(domain),
    'host-prefix-needs-secure': begins('host') && !secure,
    'host-prefix-forbids-domain': begins('host') && domain !== undefined,
    'host-prefix-needs-root-path': begins('host') && path !== '/',
    'secure-prefix-needs-secure': begins('secure') && !secure,
    'http-prefix-needs-secure': begins('http|host-http') && !secure,
    'http-prefix-needs-http-only': begins('http|host-http') && !httpOnly,
    'same-site-none-needs-secure': sameSite === 'None' && !secure,
    'partitioned-needs-secure': partitioned && !secure,
    'invalid-splitting': !isWithin(cookies, 1, mostPart + 1),
  };
  for (const [code, isWrong] of Object.entries(wrong)) if (isWrong) throw new ConfigurationError(code);
  if (!['Strict', 'Lax', 'None'].includes(sameSite)) throw new TypeError('sameSite is Strict, Lax or None');
}

/** A cookie's place in a browser. */
function placeOf(name, { path, domain = '', partitioned }) {
  return `${name};${path};${domain.toLowerCase().replace(/^\./, '')};${partitioned}`;
}

function setCookieLine(name, value, maxAge, { path, domain, secure, httpOnly, sameSite, partitioned }) {
  const age = maxAge === null ? '' : `; Max-Age=${maxAge}`;
  const end = value === '' ? '; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT' : age;
  const where = `; Path=${path}${domain === undefined ? '' : `; Domain=${domain}`}`;
  const flags = `${secure ? '; Secure' : ''}${httpOnly ? '; HttpOnly' : ''}; SameSite=${sameSite}`;
  return `${name}=${value}${end}${where}${flags}${partitioned ? '; Partitioned' : ''}`;
}

/** Seals sessions into cookies and opens Cookie headers. */
export class CookieSealer extends Sealer {
  constructor({ name, cookies = 1, formers = [], ...options }) {
    super(options);
    const { path = '/', domain, secure = true, httpOnly = true, sameSite = 'Lax', partitioned = false } = options;
    const attributes = { path, domain, secure, httpOnly, sameSite, partitioned };
    Object.assign(this, { name, cookies, attributes, room: mostCharacters - name.length - 2 });
    this.formers = formers.map((former) => {
      const { name, purpose, cookies, until = null } = { ...this, until: undefined, ...former };
      const { path, domain, partitioned } = { ...attributes, ...former };
      const lifetime = checkedLifetime(former.lifetime ?? this.lifetime);
      return { name, purpose, cookies, until, lifetime, attributes: { ...attributes, path, domain, partitioned } };
    });
    if (formers.length > mostFormers) throw new TypeError('at most four former forms');
    [this, ...this.formers].forEach(checkForm);
  }

  async open(header, { now = nowInSeconds() } = {}) {
    const ring = await this.ring();
    const { candidate, refusal } = await this.#decide(header ?? '', ring, now);
    if (refusal) throw refusal;
    return candidate ? { ...(await this.judge(candidate, ring, now)), parts: await this.partsOf(header) } : null;
  }

  /**
   * Which of a header's values decides (§11.2), under the present form or the first former one that has a candidate
   * (§11.3). `after`: its `sealed`, unless it has dropped out.
   */
  async #decide(header, ring, now) {
    const attempt = { left: mostTokens, refusal: undefined };
    for (const form of [this, ...this.formers]) {
      const candidates = await this.#candidates(header, form, ring, attempt);
      if (candidates.length === 0) continue;
      const [last] = candidates.map(timed).filter(({ sealed }) => sealed <= now + 60).sort(decisiveFirst);
      // Beside a session of the present form no former one is looked at, however late it was sealed.
      return { candidate: last?.candidate ?? candidates[0], after: (form === this && last?.sealed) || -Infinity };
    }
    return { refusal: attempt.refusal, after: -Infinity };
  }

  /** What is authentic of a header's values under a form, in two rounds. */
  async #candidates(header, form, ring, attempt) {
    const names = partNames(form.name);
    const found = cookieValues(header, [form.name, ...names]);
    const candidates = [];
    const most = mostCharacters - form.name.length;
    /** Whether a value is authentic with these of its parts. */
    const tried = async ({ value, position }, parts) => {
      if (attempt.left === 0) return false;
      attempt.left--;
      const isWhole = parts.length === 0;
      const text = isWhole ? value : [value.slice(2), ...parts].join('');
      const limit = isWhole ? most : form.cookies * (most - 2);
      try {
        candidates.push({ ...(await this.authentic(text, limit, form, ring)), position });
        return true;
      } catch (error) {
        if (!(error instanceof OpenError)) throw error;
        attempt.refusal ??= error;
        return false;
      }
    };
    const refused = [];
    for (const [position, value] of (found.get(form.name) ?? []).entries()) {
      const count = /^[2-9]\./.test(value) ? Number(value[0]) : 1;
      const parts = names.slice(0, count - 1).map((name) => found.get(name));
      if (count > form.cookies) attempt.refusal ??= new OpenError('too-many-cookies');
      else if (parts.includes(undefined)) attempt.refusal ??= new OpenError('missing-part');
      else {
        const chosen = parts.map((values) => values[Math.min(position, values.length - 1)]);
        if (!(await tried({ value, position }, chosen))) refused.push({ value, position, parts, chosen });
      }
    }
    for (const first of refused) {
      for (const parts of choices(first.parts)) {
        if (attempt.left === 0) break;
        if (parts.some((part, k) => part !== first.chosen[k]) && (await tried(first, parts))) break;
      }
    }
    return candidates.sort((a, b) => a.position - b.position); // in the order of the header's values
  }

  async sealedOn(header, { now = nowInSeconds(), cutOff } = {}) {
    const ring = await this.ring();
    const begins = ring.begins(now, cutOff);
    return begins === null ? null : sealedAfter(begins, now, (await this.#decide(header, ring, now)).after);
  }

  /** Which further names of the cookie the request has, and which of them are another sealer's (§11.1). */
  async partsOf(header) {
    const ring = await this.ring();
    const isToken = (value) => {
      const [, start = ''] = /^(?:[2-9]\.)?([\w-]{6})/.exec(value) ?? []; // the rest may be cut off anywhere
      const bytes = fromBase64URL(`${start}AA`);
      return bytes[0] === 0x48 && ring.keys.has(hex(bytes.subarray(1, 4)));
    };
    const parts = { seen: [], spared: [] };
    for (const [name, values] of cookieValues(header, partNames(this.name))) {
      (values.every(isToken) ? parts.spared : parts.seen).push(Number(name.at(-1)));
    }
    return parts;
  }

  /**
   * The cookies that carry a token, by name; those to expire are empty (§11.1).
   * `parts`: of the request, null where it is not known. `isNew`: whether the session is a new one.
   */
  divided(token, parts, isNew) {
    const isWhole = this.name.length + token.length <= mostCharacters;
    const count = isWhole ? 1 : Math.ceil(token.length / this.room);
    if (count > this.cookies) throw new SealError('too-large');
    const cookies = new Map([[this.name, isWhole ? token : `${count}.${token.slice(0, this.room)}`]]);
    for (let i = 1; i <= mostPart; i++) {
      const isOurs = ((isNew || parts === null) && i < this.cookies) || parts?.seen.includes(i);
      if (i < count) cookies.set(`${this.name}.${i}`, token.slice(i * this.room, (i + 1) * this.room));
      else if (isOurs && !parts?.spared.includes(i)) cookies.set(`${this.name}.${i}`, '');
    }
    return cookies;
  }

  /** The values of Set-Cookie: first those that expire former forms' cookies (§11.3). */
  #setCookie(cookies, maxAge) {
    const lines = new Map();
    const write = (name, value, attributes) => {
      lines.set(placeOf(name, attributes), setCookieLine(name, value, maxAge, attributes));
    };
    const written = new Set([...cookies.keys()].map((name) => placeOf(name, this.attributes)));
    for (const { name, cookies: most, attributes } of this.formers) {
      for (const former of [name, ...partNames(name).slice(0, most - 1)]) {
        if (!written.has(placeOf(former, attributes))) write(former, '', attributes);
      }
    }
    for (const [name, value] of cookies) write(name, value, this.attributes);
    return [...lines.values()];
  }

  async #sealed(item, times, now, parts, isNew) {
    const fit = (count) => void this.divided('x'.repeat(count), parts, isNew);
    const { token, session } = await this.sealItem(item, times, now, fit);
    const ends = times.ended ? times.created + this.lifetime.ceiling : session.ends;
    const maxAge = times.endsWithBrowser ? null : Math.min(ends - Math.floor(now), mostSeconds);
    const cookies = this.divided(token, parts, isNew);
    return { token, session: { ...session, parts }, cookies, maxAge, setCookie: this.#setCookie(cookies, maxAge) };
  }

  async seal(value, { cookieHeader, now = nowInSeconds(), own, endsWithBrowser, cutOff } = {}) {
    const isKnown = typeof cookieHeader === 'string';
    const parts = isKnown ? await this.partsOf(cookieHeader) : null;
    const { after } = isKnown ? await this.#decide(cookieHeader, await this.ring(), now) : {};
    const times = await this.newTimes({ now, own, endsWithBrowser, cutOff, after });
    return this.#sealed(itemOf(value, this.itemLimit), times, now, parts, true);
  }

  async sealAgain(session, { value = new Item(session.item), now = nowInSeconds(), moves = false } = {}) {
    const times = await this.timesAgain(session, { now, moves });
    const isHere = session.isFormer || session.name === this.name;
    const parts = isHere ? session.parts ?? null : null;
    return this.#sealed(itemOf(value, this.itemLimit), times, now, parts, !isHere);
  }

  /** The cookies that are expired to forget the session. */
  async removed(cookieHeader) {
    const parts = typeof cookieHeader === 'string' ? await this.partsOf(cookieHeader) : null;
    return this.divided('', parts, true);
  }

  /** Whether another value of the request would be the session once one is removed (§11.2). */
  mustSayEnded(cookieHeader) {
    const names = [...new Set([this, ...this.formers].map(({ name }) => name))];
    return [...cookieValues(cookieHeader, names).values()].flat().length > 1;
  }

  async signOut(cookieHeader, { saysEnded, now = nowInSeconds() } = {}) {
    const removed = await this.removed(cookieHeader);
    if (!(saysEnded ?? this.mustSayEnded(cookieHeader ?? ''))) return this.#setCookie(removed, null);
    const { after } = await this.#decide(cookieHeader ?? '', await this.ring(), now);
    const times = { ...(await this.newTimes({ now, after })), ended: true };
    const { token, maxAge } = await this.#sealed(Uint8Array.of(0xf6), times, now, null, true);
    return this.#setCookie(removed.set(this.name, token), maxAge);
  }
}
