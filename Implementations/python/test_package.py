"""`python test_package.py`: what Tests/Python does not hold of the package: its dictionary, when to write again, and the middleware."""
from __future__ import annotations

import asyncio, re, sys, unittest, warnings
from pathlib import Path
from typing import Any, Callable, Optional

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "examples")]
try:
    import sealed_cookie as sc
    from starlette_sessions import SealedSessions
except ImportError as error:
    print(f"not run: Python has no {error.name}")
    sys.exit(0)

KEY = bytes(range(32))
RING = sc.Ring.parse(sc.key_line(KEY).encode())
NOW = 1_785_715_200


class Package(unittest.TestCase):
    def test_the_standard_dictionary_is_FORMATs(self) -> None:
        import base64
        page = (HERE.parents[1] / "FORMAT.md").read_text()
        section = page[page.index("### 6.4"):page.index("### 6.5")]
        self.assertEqual(sc.STANDARD, base64.b64decode("".join(re.findall(r"^    (\S+)$", section, re.M))))

    def test_it_is_due_when_a_tenth_has_passed_or_another_key_seals(self) -> None:
        def opened(**options: Any) -> sc.Payload:
            return sc.open_token(RING, sc.seal(RING, sc.encode_item({"username": "zoe", "roles": ["admin"], "csrfToken": "x"}), now=NOW, **options), now=NOW)

        def due(after: int, payload: sc.Payload, ring: sc.Ring = RING, **policy: Any) -> bool:
            return sc.is_due(ring, payload, now=NOW + after, **policy)

        self.assertEqual([due(4319, opened(), idle=43_200), due(4320, opened(), idle=43_200)], [False, True])
        self.assertEqual([due(8640, opened(), absolute=86_401), due(8641, opened(), absolute=86_401)], [False, True])
        self.assertEqual([due(9, opened(own=(1000, 100))), due(10, opened(own=(1000, 100)))], [False, True])
        ends = opened(marks=sc.ENDS_WITH_BROWSER)
        self.assertEqual([due(10**6, ends), due(4320, ends, idle=43_200)], [False, True])
        self.assertTrue(due(10**6, ends, dictionary=b"another"))
        other = bytes(range(1, 33))
        newer = sc.Ring.parse((sc.key_line(KEY) + sc.key_line(other, NOW - 1)).encode())
        self.assertTrue(due(0, opened(), newer))
        ahead = sc.open_token(newer, sc.seal(newer, sc.encode_item(1), now=NOW), now=NOW)
        self.assertFalse(due(-2, ahead, newer))         # another server's clock is ahead

    def test_it_is_sealed_again_by_the_ring_of_then(self) -> None:
        opened = sc.open_token(RING, sc.seal(RING, sc.encode_item({"a": 1}), now=NOW, own=(3600, 0)), now=NOW)
        again = sc.open_token(RING, sc.seal_again(RING, opened, item=sc.encode_item({"a": 2}), now=NOW + 9), now=NOW + 9)
        self.assertEqual((again.created, again.sealed, again.own, sc.decode_item(again.item)), (NOW, NOW + 9, (3600, 0), {"a": 2}))
        for ring, now, refused in ((sc.Ring.parse(b""), NOW, sc.UnknownKey), (RING, NOW + 3600, sc.Expired)):
            with self.assertRaises(refused):
                sc.seal_again(ring, opened, now=now)


    def test_what_was_revoked_stays_revoked_in_the_rings_after_it(self) -> None:
        line, id = sc.key_line(KEY), sc.key_id(KEY)
        revoked = sc.Ring.parse(f"not-before 2026-08-03T00:00:00Z\nrevoked {id}\n{line}".encode())
        after = sc.Ring.parse(line.encode(), revoked)
        self.assertEqual((after.revoked, after.not_before, after.active(NOW)), ({id}, NOW, None))
        self.assertIs(sc.Ring.parse(b"# nothing\n", revoked), revoked)
        self.assertEqual(sc.Ring.parse(b"not-before 2027-01-01T00:00:00Z", revoked).not_before, 1_798_761_600)
        self.assertIsNone(sc.Ring.parse(line.encode(), RING).not_before)

    def test_a_session_of_a_former_form_is_sealed_in_the_present_one_and_its_cookie_expired(self) -> None:
        now = NOW
        old = sc.Form("old", "p", most=2, absolute=1000, path="/x", domain="a.example")
        before = sc.Sessions(RING, old, clock=lambda: NOW - 9)
        present = sc.Sessions(RING, formers=[old, sc.Form(purpose="before")], clock=lambda: now)
        pair = {line.split(";")[0] for line in before.seal("", sc.encode_item(7)) if not line.startswith("old.1=")}.pop()
        opened = present.open(pair)
        assert opened is not None
        self.assertEqual((sc.decode_item(opened.item), opened.former, present.is_due(opened)), (7, old, True))
        gone = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/x; Domain=a.example; Secure; HttpOnly; SameSite=Lax"
        lines = present.seal_again(pair, opened)
        self.assertEqual(lines[:-1], [f"old={gone}", f"old.1={gone}"])
        self.assertTrue(lines[-1].startswith("__Host-session=S"))   # and no line expires it, though a former form has its name
        self.assertEqual([line[:14] for line in present.sign_out(pair)], ["old=; Max-Age=", "old.1=; Max-Ag", "__Host-session"])
        both = f"{pair}; __Host-session=x"                           # of two names: the one that is left would be the session
        self.assertRegex(present.sign_out(both)[-1], r"^__Host-session=S[\w-]+; Max-Age=34560000; Path=/;")
        now += 991
        with self.assertRaises(sc.Expired):                          # by its former policy
            present.seal_again(pair, opened)

    def test_a_new_session_decides_over_what_the_request_has(self) -> None:
        sessions = sc.Sessions(RING, clock=lambda: NOW)
        [first] = sessions.seal("", sc.encode_item("first"))
        [second] = sessions.seal(first.split(";")[0], sc.encode_item("second"), own=(90 * 86_400, 30 * 86_400))
        self.assertIn("; Max-Age=2592001;", second)                  # sealed a second later than the first
        opened = sessions.open(f"{second.split(';')[0]}; {first.split(';')[0]}")
        assert opened is not None
        self.assertEqual((sc.decode_item(opened.item), opened.created, opened.sealed), ("second", NOW, NOW + 1))

    def test_a_call_has_one_time(self) -> None:
        import itertools
        seconds = itertools.count(NOW)                               # a clock that is a second further each time that it is read
        sessions = sc.Sessions(RING, sc.Form(absolute=1000), clock=lambda: next(seconds))
        [line] = sessions.seal("", sc.encode_item(1))
        self.assertIn("; Max-Age=1000;", line)
        opened = sessions.open(line.split(";")[0])
        assert opened is not None
        self.assertIn("; Max-Age=998;", sessions.seal_again("", opened)[0])


class Browser:
    """A client that keeps cookies, of an application in one function of the session."""

    def __init__(self, **options: Any) -> None:
        self.now, self.jar, self.written = NOW, {}, []
        self.middleware = SealedSessions(self.app, sc.Sessions(lambda: RING, sc.Form(**options), clock=lambda: self.now))
        self.handler: Callable[[dict[str, Any]], None] = lambda session: None
        self.seen: Any = None

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.handler(scope["session"])
        self.seen = dict(scope["session"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b""})

    def request(self, handler: Optional[Callable[[dict[str, Any]], Any]] = None) -> list[str]:
        self.handler = handler or (lambda session: None)
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)
        cookies = "; ".join(f"{name}={value}" for name, value in self.jar.items()).encode()
        asyncio.run(self.middleware({"type": "http", "headers": [(b"cookie", cookies)] if self.jar else []}, None, send))
        self.written = [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]
        for line in self.written:
            name, _, value = line.split(";")[0].partition("=")
            if value:
                self.jar[name] = value
            else:
                self.jar.pop(name, None)
        return self.written


class Middleware(unittest.TestCase):
    def test_a_session_lives_in_its_cookie(self) -> None:
        browser = Browser(idle=43_200)
        self.assertEqual(browser.request(), [])
        [line] = browser.request(lambda session: session.update(user=42, csrf=b"\x00\x01"))
        self.assertRegex(line, r"^__Host-session=S[\w-]+; Max-Age=43200; Path=/; Secure; HttpOnly; SameSite=Lax$")
        self.assertEqual(browser.request(), [])
        self.assertEqual(browser.seen, {"user": 42, "csrf": b"\x00\x01"})
        browser.now += 4320
        self.assertEqual(len(browser.request()), 1)             # a tenth of its idle time has passed
        browser.now += 43_199
        browser.request()
        self.assertEqual(browser.seen, {"user": 42, "csrf": b"\x00\x01"})
        browser.now += 43_200
        browser.request()
        self.assertEqual(browser.seen, {})

    def test_it_keeps_its_age_when_it_changes_and_begins_anew_after_a_sign_in(self) -> None:
        browser = Browser(absolute=3600)
        browser.request(lambda session: session.update(cart=[1]))
        browser.now += 100
        self.assertIn("; Max-Age=3500;", browser.request(lambda session: session["cart"].append(2))[0])
        self.assertEqual(browser.seen, {"cart": [1, 2]})

        def sign_in(session: dict[str, Any]) -> None:
            session.clear()
            session["user"] = 42
        self.assertIn("; Max-Age=3600;", browser.request(sign_in)[0])
        [line] = browser.request(lambda session: session.clear())
        self.assertIn("__Host-session=; Max-Age=0; Expires=", line)
        self.assertEqual((browser.jar, browser.request()), ({}, []))

    def test_a_changed_cookie_is_no_session(self) -> None:
        browser = Browser()
        browser.request(lambda session: session.update(user=42))
        token = browser.jar["__Host-session"]
        browser.jar["__Host-session"] = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
        self.assertEqual((browser.request(), browser.seen), ([], {}))

    def test_a_large_session_is_in_several_cookies_and_its_parts_go(self) -> None:
        import os
        browser = Browser(most=4)
        browser.request(lambda session: session.update(bytes=os.urandom(9000)))
        self.assertEqual(sorted(browser.jar), ["__Host-session", "__Host-session.1", "__Host-session.2"])
        browser.request(lambda session: session.update(bytes=b""))
        self.assertEqual(sorted(browser.jar), ["__Host-session"])
        self.assertEqual(browser.seen, {"bytes": b""})

    def test_starlette_finds_it_in_request_session(self) -> None:
        warnings.simplefilter("ignore")             # of the test client
        try:
            from starlette.applications import Starlette
            from starlette.responses import JSONResponse
            from starlette.routing import Route
            from starlette.testclient import TestClient
        except ImportError as error:
            self.skipTest(f"Python has no {error.name}")

        async def count(request: Any) -> Any:
            request.session["visits"] = request.session.get("visits", 0) + 1
            return JSONResponse(request.session["visits"])
        app = SealedSessions(Starlette(routes=[Route("/", count)]), sc.Sessions(RING))
        with TestClient(app, base_url="https://shop.example") as client:
            self.assertEqual([client.get("/").json() for _ in range(3)], [1, 2, 3])


if __name__ == "__main__":
    unittest.main()
