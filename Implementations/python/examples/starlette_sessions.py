"""Sealed sessions for Starlette, FastAPI and any other ASGI application: `request.session`, kept in the visitor's cookie.

    app = SealedSessions(app, ring=lambda: ring, absolute=14 * 86_400, idle=12 * 3_600)
"""
from __future__ import annotations

import logging, time
from typing import Any, Awaitable, Callable, Iterable, Optional

import sealed_cookie as sc

log = logging.getLogger("sealed_cookie")


class SealedSessions:
    """What is in `request.session` is sealed into the response's cookie where it changed, or a tenth of its time has passed.
    Bytes and `sc.Tag(24, value)` stay out of compression. After a sign-in, call `request.session.clear()` first: a new session begins."""

    def __init__(self, app: Any, ring: Callable[[], sc.Ring], *, name: str = sc.DEFAULT_NAME, purpose: str = "",
                 absolute: int = sc.DEFAULT_ABSOLUTE, idle: Optional[int] = None, cookies: int = 1, clock: Callable[[], float] = time.time) -> None:
        self.app, self.ring, self.cookies, self.clock = app, ring, cookies, clock
        self.context: dict[str, Any] = {"name": name, "purpose": purpose, "most": cookies}
        self.policy = {"absolute": absolute, "idle": idle}

    async def __call__(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        header = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")
        ring, now = self.ring(), int(self.clock())
        opened = None
        try:
            opened = sc.open_header(ring, header, now=now, **self.context, **self.policy)
        except sc.Refused as refused:               # to the visitor: no session
            log.info("no session: %s", refused)
        session = scope["session"] = Session(sc.decode_item(opened.item) if opened else {})

        async def send_with_cookies(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self.set_cookies(ring, header, opened, session, now)]
            await send(message)

        await self.app(scope, receive, send_with_cookies if scope["type"] == "http" else send)

    def set_cookies(self, ring: sc.Ring, header: str, opened: Optional[sc.Payload], session: "Session", now: int) -> Iterable[tuple[bytes, bytes]]:
        name, most = self.context["name"], self.cookies
        seen, others = sc.parts_of(header, name, ring)
        if not session:
            cookies, age = sc.sign_out(ring, header, now=now, **self.context) if opened else ({}, 0)
        else:
            item, is_new = sc.encode_item(dict(session)), opened is None or session.was_cleared
            if opened is None or session.was_cleared:
                token = sc.seal(ring, item, now=now, least_age=sc.least_age(ring, header, now=now, **self.context), **self.context)
            elif item != opened.item or sc.is_due(ring, opened, now=now, **self.policy):
                token = sc.seal_again(ring, opened, item=item, now=now, **self.context, **self.policy)
            else:
                return
            age = sc.max_age(sc.open_token(ring, token, now=now, **self.context, **self.policy), now, **self.policy)
            cookies = {part: value for part, value in sc.split_token(token, name, most, seen, is_new).items() if value or int(part[-1]) not in others}
        for part, value in cookies.items():
            kept = "" if value and age is None else f"; Max-Age={age}" if value else "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
            yield b"set-cookie", f"{part}={value}{kept}; Path=/; Secure; HttpOnly; SameSite=Lax".encode("ascii")


class Session(dict[str, Any]):
    was_cleared = False

    def clear(self) -> None:
        self.was_cleared = True
        super().clear()
