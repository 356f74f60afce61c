"""The fleet's Python server. README.md says what it shares with the ones in Swift and Node."""
from __future__ import annotations

import json, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Implementations" / "python"))    # or: pip install ./Implementations/python
import sealed_cookie as sc

FILE, PORT = Path(sys.argv[1]), int(sys.argv[2])
ring = sc.Ring.parse(FILE.read_bytes())
sessions = sc.Sessions(lambda: ring, sc.Form("__Host-session", absolute=14 * 86_400, idle=12 * 3_600))     # seconds


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def follow() -> None:
    """Reads the ring again every second. One that is invalid does not replace it; what was revoked once stays revoked."""
    global ring
    while True:
        time.sleep(1)
        try:
            ring = sc.Ring.parse(FILE.read_bytes(), after=ring)
        except (OSError, sc.InvalidRing) as error:
            log(f"still with the ring from before: {error}")


Answer = tuple[int, list[str], Optional[dict[str, Any]]]


def answer(method: str, path: str, query: dict[str, str], header: str) -> Answer:
    """The shop: a request's Cookie header in; a status, the response's Set-Cookie values and the session out."""
    if (method, path) == ("POST", "/sign-in"):
        session: dict[str, Any] = {"user": query.get("user", ""), "cart": []}
        # "Remember me": a lifetime of this session's own, which every server keeps when it seals it again.
        own = (90 * 86_400, 30 * 86_400) if query.get("remember") == "yes" else None
        return 200, sessions.seal(header, sc.encode_item(session), own=own), session
    if (method, path) == ("POST", "/sign-out"):
        return 200, sessions.sign_out(header), None
    if path != "/cart":
        return 404, [], None
    try:
        opened = sessions.open(header)
    except sc.Refused as refused:       # to the visitor, a cookie that is no session is the same as none
        log(f"no session: {refused}")
        opened = None
    if opened is None:
        return 401, [], None
    session = sc.decode_item(opened.item)
    if method == "POST":
        session["cart"].append(query.get("add", ""))
    elif not sessions.is_due(opened):
        return 200, [], session
    return 200, sessions.seal_again(header, opened, sc.encode_item(session)), session


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def respond(self) -> None:
        cookies = "; ".join(self.headers.get_all("Cookie") or [])
        try:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            status, lines, session = answer(self.command, url.path, query, cookies)
        except ValueError:      # a path that is no URL's
            status, lines, session = 400, [], None
        except (sc.Refused, sc.CannotSeal) as error:
            log(f"not sealed: {error}")
            status, lines, session = 503, [], None
        body = json.dumps({"server": "python", "session": session}).encode()
        self.send_response(status)
        for line in lines:
            self.send_header("Set-Cookie", line)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "private")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = respond

    def log_message(self, *arguments: object) -> None:
        """No line for each request."""


if __name__ == "__main__":
    threading.Thread(target=follow, daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
