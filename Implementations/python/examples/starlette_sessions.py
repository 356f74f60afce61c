"""Sealed sessions for Starlette, FastAPI and any other ASGI application: `request.session`, kept in the visitor's cookie.

    app = SealedSessions(app, sc.Sessions(lambda: ring, sc.Form(absolute=14 * 86_400, idle=12 * 3_600)))
"""
from __future__ import annotations

import logging
from typing import Any, Awaitable, Callable, Optional

import sealed_cookie as sc

log = logging.getLogger("sealed_cookie")


class SealedSessions:
    """What is in `request.session` is sealed into the response's cookie where it changed, or a tenth of its time has passed.
    Bytes and `sc.Tag(24, value)` stay out of compression. After a sign-in, call `request.session.clear()` first: a new session begins."""

    def __init__(self, app: Any, sessions: sc.Sessions) -> None:
        self.app, self.sessions = app, sessions

    async def __call__(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)  # type: ignore[no-any-return]
        header = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")
        opened = None
        try:
            opened = self.sessions.open(header)
        except sc.Refused as refused:               # to the visitor: no session
            log.info("no session: %s", refused)
        session = scope["session"] = Session(sc.decode_item(opened.item) if opened else {})

        async def send_with_cookies(message: Any) -> None:
            if message["type"] == "http.response.start":
                lines = [(b"set-cookie", line.encode("ascii")) for line in self.cookies(header, opened, session)]
                message["headers"] = [*message.get("headers", ()), *lines]
            await send(message)

        await self.app(scope, receive, send_with_cookies if scope["type"] == "http" else send)

    def cookies(self, header: str, opened: Optional[sc.Payload], session: Session) -> list[str]:
        """The response's Set-Cookie values."""
        if not session:
            return self.sessions.sign_out(header) if opened else []
        item = sc.encode_item(dict(session))
        if opened is None or session.was_cleared:
            return self.sessions.seal(header, item)
        if item == opened.item and not self.sessions.is_due(opened):
            return []
        return self.sessions.seal_again(header, opened, item)


class Session(dict[str, Any]):
    was_cleared = False

    def clear(self) -> None:
        self.was_cleared = True
        super().clear()
