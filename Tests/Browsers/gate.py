"""A proxy before the shop: keeps what each request brought and got, and can hold answers back."""
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Seen:
    """One request and its answer."""

    def __init__(self, method, path, cookie, body):
        self.method, self.path, self.cookie, self.body = method, path, cookie, body
        self.status, self.headers = None, None


class Gate:
    def __init__(self, shop):
        self.seen, self.shop = [], shop
        self.lock, self.held, self.wanted = threading.Lock(), [], 0
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                seen = Seen(self.command, self.path, self.headers.get("Cookie", ""), body.decode())
                gate.seen.append(seen)
                shop = http.client.HTTPConnection("127.0.0.1", gate.shop, timeout=30)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
                shop.request(self.command, self.path, body or None, headers)
                response = shop.getresponse()
                content = response.read()
                shop.close()
                seen.headers = response.headers
                if self.command == "POST":
                    gate.hold_back()
                seen.status = response.status
                self.send_response(response.status)
                for name, value in response.headers.items():
                    if name.lower() not in HOP_BY_HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

            def handle(self):
                try:
                    super().handle()
                except OSError:     # a connection that the browser dropped
                    pass

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.port = server.server_port

    def hold(self, count):
        """Holds the answers of the next POSTs until the shop has given so many; then lets them go in order."""
        self.held, self.wanted = [], count

    def hold_back(self):
        with self.lock:
            if not self.wanted:
                return
            mine = threading.Event()
            self.held.append(mine)
            if len(self.held) == self.wanted:
                self.wanted = 0
                for number, event in enumerate(self.held):
                    threading.Timer(0.5 * number, event.set).start()
        mine.wait(30)

    def last(self, method, path):
        return next(seen for seen in reversed(self.seen) if (seen.method, seen.path) == (method, path) and seen.status)
