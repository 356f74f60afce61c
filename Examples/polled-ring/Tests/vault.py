"""A Vault of one secret, as its key-value store of version 2 answers. Prints its port, and ends
when its standard input does.   usage: vault.py FILE-WITH-THE-RING TOKEN"""
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get("X-Vault-Token") != sys.argv[2]:
            return self.answer(403, {"errors": ["permission denied"]})
        if self.path != "/v1/secret/data/shop":
            return self.answer(404, {"errors": []})
        with open(sys.argv[1]) as file:
            ring = file.read()
        self.answer(200, {"data": {"data": {"session.keys": ring}, "metadata": {"version": 1}}})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
