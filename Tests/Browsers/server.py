"""A loopback web server, http and https, that sends the Set-Cookie lines it is told to and keeps the raw Cookie headers it gets."""
import itertools
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Site:
    def __init__(self, folder):
        self._numbers = itertools.count()
        self._lines = {}
        self._headers = {}
        self._heads = {}
        certificate, key = f"{folder}/certificate.pem", f"{folder}/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.ports = {"http": self._serve(None), "https": self._serve(context)}

    def _serve(self, context):
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                query = parse_qs(urlsplit(self.path).query)
                number = int(query["n"][0]) if "n" in query else None
                if number is not None:
                    site._headers[number] = self.headers.get_all("Cookie") or []
                    site._heads[number] = [self.requestline, *(f"{name}: {value}" for name, value in self.headers.items())]
                self.send_response(200)
                for line in site._lines.get(number, []):
                    self.send_header("Set-Cookie", line)
                body = b"<!doctype html><title>cookies</title>"
                self.send_header("Content-Type", "text/html")
                self.send_header("Cache-Control", "no-store")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle(self):
                try:
                    super().handle()
                except OSError:     # a connection that the browser dropped
                    pass

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        if context:
            # The handshake waits for the connection's own thread: browsers open some that they never use.
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_port

    def visit(self, browser, lines=(), path="/page", scheme="http", host="localhost"):
        """Lets the browser load a page that sets `lines`; returns the Cookie header that it sent with the request."""
        number = next(self._numbers)
        self._lines[number] = list(lines)
        browser.load(f"{scheme}://{host}:{self.ports[scheme]}{path}?n={number}")
        headers = self._headers.get(number)
        assert headers is not None, f"the browser did not ask for the page: {browser.problem}"
        assert len(headers) <= 1, "more than one Cookie header"
        self.head = self._heads[number]
        return headers[0] if headers else ""
