// That sealed-cookie.d.ts fits what sealed-cookie.mjs does: `deno run --check --allow-read types.ts` checks it and runs it.

// @ts-types="./sealed-cookie.d.ts"
import { beganBefore, CookieSealer, Float, Item, KeyRing, OpenError, secret, Session, TokenSealer } from './sealed-cookie.mjs';

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

const ring = await KeyRing.parse('key 113657 sck1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n');
const sessions = new CookieSealer({
  name: '__Host-session', ring: () => ring, lifetime: { absolute: 14 * 86400, idle: 12 * 3600 }, formers: [{ name: 'old', until: null }],
});
const value = { user: 42, share: new Float(2), list: [1n, secret('x')], map: new Map([[5, 'five']]) };
const { setCookie } = await sessions.seal(value, { own: { absolute: 9 } });
const opened: Session | null = await sessions.open(setCookie.at(-1)?.split(';')[0]);
check(opened?.value.user === 42 && opened.own?.absolute === 9, 'a session');
if (opened) {
  const again = await sessions.sealAgain(opened, { value: { ...opened.value, visits: 1 } });
  check(again.maxAge === 9 && again.session.value.visits === 1 && !beganBefore(again.session, 0), 'sealed again');
}
check((await sessions.signOut(null)).length === 2, 'signed out');

const tokens = new TokenSealer({ purpose: 'reset', ring, lifetime: { absolute: 60 } });
check((await tokens.open(await tokens.seal(new Item(Uint8Array.of(1))))).value === 1, 'a token');

try {
  await sessions.open('__Host-session=SAAA');
  check(false, 'opened');
} catch (error) {
  check(error instanceof OpenError && error.code === 'too-short', 'refused');
}
// @ts-expect-error: undefined cannot be kept.
await sessions.seal({ visits: undefined }).then(() => check(false, 'sealed'), (error) => check(error.code === 'not-encodable', 'kept'));
console.log(`Deno ${(globalThis as any).Deno.version.deno}: sealed-cookie.d.ts fits`);
