// What sealed-cookie.mjs exports. Section signs (§) are those of the repository's FORMAT.md. All times are Unix seconds,
// all spans are seconds.

/** What went wrong, for the server's log and metrics. `code` is a short word that stays the same. */
export class SealedCookieError extends Error {
  readonly code: string;
}

/**
 * Why a cookie is no session (§5.2, §11). A visitor is told one thing: there is no session.
 */
export class OpenError extends SealedCookieError {
  readonly code:
    | 'too-long' | 'too-many-cookies' | 'missing-part' | 'not-base64url' | 'too-short' | 'unknown-version' | 'revoked-key'
    | 'unknown-key' | 'not-authentic' | 'malformed-payload' | 'unknown-dictionary' | 'in-the-future' | 'signed-out'
    | 'former-cookie' | 'expired' | 'ended';
}

/** Why nothing was sealed. */
export class SealError extends SealedCookieError {
  readonly code:
    | 'no-active-key' | 'too-large' | 'item-too-large' | 'not-encodable' | 'time-out-of-range' | 'in-the-future' | 'expired'
    | 'ended' | 'revoked-key' | 'foreign-key' | 'another-cookie';
}

/** Why a key ring's text is invalid (§9). The message never holds a key. */
export class KeyRingError extends SealedCookieError {
  /** Counted from 1; undefined where the whole text is meant. */
  readonly line?: number;
}

/** Why a sealer cannot be made, in Swift's words, such as `invalid-name` or `host-prefix-needs-secure`. */
export class ConfigurationError extends SealedCookieError {}

/** Why JSON text is no view of a session (§8). */
export class ViewError extends SealedCookieError {}

// ---- Key rings (§9)

export interface RingKey {
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Uint8Array;
  /** When it begins to seal; null: from the beginning. */
  readonly from: number | null;
  /** Until when it may have sealed, though a later key was active; null: not said. */
  readonly until: number | null;
}

/** A key ring. It never changes; a sealer's `ring` may be a function that returns the current one. */
export class KeyRing {
  /**
   * Reads a whole ring, or throws a KeyRingError.
   * @param previous The ring before it in this process: what that one revoked stays revoked, its `not-before` holds on,
   *   and a text without a line does not replace it.
   */
  static parse(text: string | Uint8Array, previous?: KeyRing): Promise<KeyRing>;
  /** The keys that are not revoked, by id. */
  readonly keys: ReadonlyMap<string, RingKey>;
  readonly revoked: ReadonlySet<string>;
  /** Sessions that began before this time have ended. */
  readonly notBefore: number | null;
  /** The active key, or null where all are pending or there is none. */
  active(now?: number): RingKey | null;
  /** The key that seals: the active one, or of pending ones the one with the earliest `from`. */
  sealing(now?: number): RingKey | null;
  /** When a session that is sealed now begins, or null where none can be. `cutOff` is its user's (§10). */
  begins(now?: number, cutOff?: number): number | null;
}

/** A key's id, as six hexadecimal digits (§4). */
export function keyID(key: Uint8Array): Promise<string>;

// ---- Sessions

/** The server's policy (§10). */
export interface Lifetime {
  /** Seconds from its beginning after which a session is over. */
  absolute: number;
  /** Seconds after which it is over if it is not sealed again; null: it does not end for want of use. */
  idle?: number | null;
  /** The most of any session's absolute lifetime; 400 days unless set. */
  ceiling?: number;
}

/** A session that was opened, or that was just sealed. */
export interface Session {
  /** Plain objects without a prototype, arrays, and what `Value` has beside them. */
  readonly value: any;
  /** Its CBOR. */
  readonly item: Uint8Array;
  readonly created: number;
  readonly sealed: number;
  readonly ends: number;
  /** Its own lifetime, in place of the policy's `absolute` and `idle`. */
  readonly own: { absolute: number; idle: number | null } | null;
  readonly endsWithBrowser: boolean;
  readonly keyID: string;
  /** The name of the dictionary that it was compressed with, in hexadecimal. */
  readonly dictionary: string | null;
  /** Where it was opened. */
  readonly name: string;
  readonly purpose: string;
  /** Whether it was in a former form of the cookie (§11.3). */
  readonly isFormer: boolean;
  /** What the request had under the cookie's further names (§11.1). */
  readonly parts?: Parts | null;
}

export interface Parts {
  seen: number[];
  spared: number[];
}

export interface SealerOptions {
  /** The key ring, or what returns the current one. */
  ring: KeyRing | (() => KeyRing | Promise<KeyRing>);
  lifetime: Lifetime;
  /** Keeps tokens apart that must not be taken for one another. */
  purpose?: string;
  /** The application's own (§6.4). The first one seals. */
  dictionaries?: Uint8Array[];
  /** Payloads' lengths become multiples of it; 1 to 4,096. */
  padding?: number;
  /** The most bytes of a session's CBOR to seal; 16,384 unless set. */
  itemLimit?: number;
}

export interface CookieForm {
  name: string;
  purpose?: string;
  /** How many cookies may carry one session, 1 to 9 (§11.1). */
  cookies?: number;
  path?: string;
  domain?: string;
  partitioned?: boolean;
}

/** A form that the cookie had (§11.3). What it leaves out is as in the present one. */
export interface FormerForm extends Partial<CookieForm> {
  lifetime?: Lifetime;
  /** The time from which on no server seals it. */
  until?: number | null;
}

export interface CookieOptions extends SealerOptions, CookieForm {
  secure?: boolean;
  httpOnly?: boolean;
  sameSite?: 'Strict' | 'Lax' | 'None';
  /** At most four. */
  formers?: FormerForm[];
}

export interface Sealed {
  readonly token: string;
  readonly session: Session;
  /** By name; those to expire are empty. */
  readonly cookies: Map<string, string>;
  /** Null: the session ends with the browser. */
  readonly maxAge: number | null;
  /** The values of Set-Cookie. */
  readonly setCookie: string[];
}

export interface SealOptions {
  now?: number;
  /** A lifetime of this session's own, in place of the policy's. */
  own?: { absolute: number; idle?: number | null };
  /** Before this time the user's sessions have ended; the session begins no earlier (§10). */
  cutOff?: number;
}

/**
 * Seals sessions into cookies and opens Cookie headers.
 *
 *     const lifetime = { absolute: 14 * 86400, idle: 12 * 3600 };
 *     const sessions = new CookieSealer({ name: '__Host-session', ring, lifetime });
 */
export class CookieSealer {
  constructor(options: CookieOptions);
  /** The session of a Cookie header; null where it has no such cookie. Throws an OpenError for one that is no session. */
  open(header: string | null | undefined, options?: { now?: number }): Promise<Session | null>;
  /**
   * Seals a new session: after a sign-in always a new one. Give it the request's header, if it is known. Then parts of an
   * older session go, and the new one decides over what the browser has.
   */
  seal(value: Value | Item, options?: SealOptions & { cookieHeader?: string | null; endsWithBrowser?: boolean }): Promise<Sealed>;
  /**
   * Seals an opened session again, with another value if one is given. Its beginning, its own lifetime and whether it ends
   * with the browser stay (§10). `moves` says that it goes to another cookie or purpose than it was opened with.
   */
  sealAgain(session: Session, options?: { value?: Value | Item; now?: number; moves?: boolean }): Promise<Sealed>;
  /** Whether the cookie should be written again, though nothing in it changed (§10). */
  isDue(session: Session, now?: number): Promise<boolean>;
  /**
   * The Set-Cookie values of a sign-out. Where the request has several values of the cookie, or with `saysEnded`, the cookie
   * says from then on that the session ended, so that no other cookie of its name takes its place (§11.2).
   */
  signOut(cookieHeader?: string | null, options?: { saysEnded?: boolean; now?: number }): Promise<string[]>;
  /** The cookies that are expired to forget the session: names, with empty values (§11.1). */
  removed(cookieHeader?: string | null): Promise<Map<string, string>>;
  /** Whether a sign-out must say that the session ended, in place of removing the cookie (§11.2). */
  mustSayEnded(cookieHeader: string): boolean;
  /** The `sealed` of a session that would begin on a request (§11.2), or null where none can. */
  sealedOn(header: string, options?: { now?: number; cutOff?: number }): Promise<number | null>;
}

/** Tokens that are in no cookie: a link's parameter, a form's field, a header (§5.3). They need a purpose. */
export class TokenSealer {
  /** `limit`: the most characters of a token, 63 to 1,048,576; 2,000 unless set. */
  constructor(options: SealerOptions & { purpose: string; limit?: number });
  seal(value: Value | Item, options?: SealOptions): Promise<string>;
  /** Throws an OpenError. */
  open(token: string, options?: { now?: number }): Promise<Session>;
}

/** Whether a session began before a cut-off of its user, such as a change of the password: then it is over (§10). */
export function beganBefore(session: Pick<Session, 'created'>, cutOff: number): boolean;

// ---- Values and CBOR (§7)

/** What can be sealed. What cannot be kept exactly, such as undefined, is refused with a SealError. */
export type Value =
  | null | boolean | number | bigint | string | Uint8Array | Date | URL | Float | Tagged | Value[] | Map<string | number | bigint, Value>
  | { [key: string]: Value };

/**
 * A float that a number of JavaScript does not tell from an integer, such as 2.0, or a NaN of other bits than the usual.
 * (Every number that is no safe integer, and -0, is a float by itself.) In arithmetic it is its number.
 */
export class Float {
  /** `bits`: the 64 of a NaN. */
  constructor(value: number, bits?: bigint);
  readonly value: number;
  readonly bits?: bigint;
  valueOf(): number;
}

/**
 * A tag of §7 with its content, where JavaScript has no type of its own: 1 and 1001 (points in time that a Date does not
 * hold), 4 (decimal numbers, [exponent, mantissa]), 24 (a secret), 32 (a URL's text), 37 (a UUID's 16 bytes).
 */
export class Tagged {
  constructor(tag: number, content: any);
  readonly tag: number;
  readonly content: any;
}

/** Keeps a value out of compression, so that only its length shows (§6.3). */
export function secret(value: Value): Tagged;
/** Of text such as "123e4567-e89b-12d3-a456-426614174000". */
export function uuid(text: string): Tagged;
export function url(value: string | URL): Tagged;

/** CBOR that is sealed as it is, after a check of its form: what is not of §7 is refused with a SealError. */
export class Item {
  constructor(bytes: Uint8Array);
  readonly bytes: Uint8Array;
}

/** A value as one CBOR item of at most `limit` bytes; 65,536 unless set. */
export function encode(value: Value, limit?: number): Uint8Array;
/** The value of one CBOR item; throws an OpenError where it is not in the one form that §7 allows. */
export function decode(item: Uint8Array): any;
/** The CBOR item of a session as JSON (§8), text or UTF-8. Throws a ViewError. */
export function itemOfJSON(json: string | Uint8Array): Uint8Array;
/** A CBOR item as JSON, which itemOfJSON reads back to the same item. */
export function jsonOfItem(item: Uint8Array): string;

// ---- The stages by themselves, for tests and tools

export function toBase64URL(bytes: Uint8Array): string;
/** Undefined for text that is not the one spelling of any bytes (§2). */
export function fromBase64URL(text: string): Uint8Array | undefined;
/** AES-256-CMAC (§4). */
export function cmac(key: Uint8Array, message: Uint8Array): Promise<Uint8Array>;
/** XAES-256-GCM (§5) with a key of 32 bytes and a nonce of 24: ciphertext and tag. */
export function xaesSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, additionalData: Uint8Array): Promise<Uint8Array>;
/** The plaintext, or undefined where the tag does not verify. */
export function xaesOpen(
  key: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array, additionalData: Uint8Array,
): Promise<Uint8Array | undefined>;
/** PASETO's pre-authentication encoding (§5). */
export function pae(pieces: Uint8Array[]): Uint8Array;
/** Inflates at most `limit` bytes of a raw DEFLATE stream with a preset dictionary, and says where it ends. */
export function inflate(source: Uint8Array, dictionary: Uint8Array, limit: number): { bytes: Uint8Array; end: number };
/** One block of fixed codes, for runtimes without zlib. */
export function deflateFixed(data: Uint8Array, dictionary: Uint8Array): Uint8Array;
/** The dictionary that every opener knows (§6.4). */
export const standardDictionary: Uint8Array;
/** The payload of an item (§6), and the name of the dictionary in it; empty: none. */
export function payloadOf(
  item: Uint8Array,
  times: { created: number; sealed: number; own?: Session['own']; endsWithBrowser?: boolean; ended?: boolean },
  dictionary: { name: Uint8Array; bytes: Uint8Array }, padding: number,
): { payload: Uint8Array; name: ArrayLike<number> };
