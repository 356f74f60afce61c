"""Servers of the example shop, nginx before them, and visitors who know what their carts should hold."""
import base64
import html
import http.client
import os
import re
import socket
import subprocess
import time
import urllib.parse

LOOK = 1  # seconds between two looks of a server at its ring


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for(port):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def cpu(process):
    """Seconds that its threads have run."""
    total = 0
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        with open(f"/proc/{process.pid}/task/{thread}/schedstat") as file:
            total += int(file.read().split()[0])
    return total / 1e9


class Server:
    """One instance of the shop."""

    def __init__(self, name, binary, folder, port, ring, sessions="on", redis=0):
        self.name, self.port, self.ring = name, port, ring
        self.log = open(os.path.join(folder, f"{name}.log"), "ab")
        self.command, self.folder = [binary], folder
        self.environment = dict(
            os.environ, ENVIRONMENT="production", PORT=str(port), SESSION_KEYS=ring, SESSIONS=sessions, REDIS_PORT=str(redis),
            LOOK_SECONDS=str(LOOK), LOG_LEVEL="info")
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command, cwd=self.folder, env=self.environment, stdout=self.log, stderr=self.log)
        wait_for(self.port)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def cpu(self):
        return cpu(self.process)


class Redis:
    """A Redis server that keeps nothing on disk."""

    def __init__(self, folder, port):
        self.port = port
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(port)

    def cpu(self):
        return cpu(self.process)

    def kill(self):
        self.process.kill()
        self.process.wait()


NGINX = """
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    # Up to four cookies of 4096 bytes, in and out.
    large_client_header_buffers 4 32k;
    proxy_buffer_size 32k;
    proxy_buffers 4 32k;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    add_header X-Upstream $upstream_addr always;
    {sites}
}}
"""
SITE = """
    upstream {name} {{ {servers} keepalive 32; keepalive_requests 1000000; }}
    server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://{name}; }} }}
"""


class Nginx:
    """Round robin without stickiness: {site: (port, servers)}."""

    def __init__(self, folder, sites):
        text = "".join(
            SITE.format(name=name, port=port, servers=" ".join(
                f"server 127.0.0.1:{server.port} fail_timeout=1s;" for server in servers))
            for name, (port, servers) in sites.items())
        path = os.path.join(folder, "nginx.conf")
        with open(path, "w") as file:
            file.write(NGINX.format(folder=folder, sites=text))
        # In the foreground, so that it is our child and ends with us.
        command = ["nginx", "-p", folder, "-c", path, "-e", f"{folder}/nginx.log", "-g", "daemon off;"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        for port, _ in sites.values():
            wait_for(port)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Lost(Exception):
    """A session that should be there is not, or holds something else."""


class Unanswered(Exception):
    """The gateway lost its server on the way. No answer, no cookie: nothing has changed."""


class Visitor:
    """A browser's cookies, and what the cart behind them must hold."""

    def __init__(self, port, name):
        self.port, self.name = port, name
        self.jar, self.cart, self.csrf = {}, [], ""
        self.keeps = False
        self.connection = None
        self.servers = {}
        self.requests = 0
        self.server = None

    def copy(self, port):
        """The same cookies, at another address, whatever they are answered with: as a thief keeps them."""
        other = Visitor(port, self.name)
        other.jar, other.cart = dict(self.jar), list(self.cart)
        other.keeps = True
        return other

    @property
    def cookie(self):
        return "; ".join(f"{name}={value}" for name, value in self.jar.items())

    @property
    def key(self):
        """The id of the key that sealed the session: bytes 1 to 3 of its token."""
        token = re.sub(r"^\d\.", "", self.jar["__Host-session"])
        return base64.urlsafe_b64decode(token[:8])[1:4].hex()

    def send(self, method, path, fields=None):
        headers = {"Cookie": self.cookie} if self.jar else {}
        body = None
        if fields is not None:
            body = urllib.parse.urlencode(dict(fields, csrf=self.csrf))
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            if not self.connection:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.connection = None
            raise Unanswered(repr(error))
        self.requests += 1
        self.server = (response.getheader("X-Upstream") or f":{self.port}").split(":")[-1]
        self.servers[self.server] = self.servers.get(self.server, 0) + 1
        if response.status in (502, 504):
            raise Unanswered(f"{response.status}")
        if response.status >= 500:
            raise Lost(f"{method} {path}: {response.status}")
        for line in response.headers.get_all("Set-Cookie") or [] if not self.keeps else []:
            name, value = line.split(";")[0].split("=", 1)
            if "Max-Age=0;" in line + ";":
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        if found := re.search(r'name="csrf" value="([0-9a-f]+)"', text):
            self.csrf = found[1]
        return response.status, text

    def post(self, path, **fields):
        status, _ = self.send("POST", path, fields)
        if status != 303:
            raise Lost(f"POST {path}: {status} from {self.server}")

    def sign_in(self):
        self.jar, self.cart = {}, []
        self.send("GET", "/sign-in")
        self.post("/sign-in", name=self.name)
        self.send("GET", "/")  # for the new session's CSRF token

    def sign_out(self):
        self.post("/sign-out")
        if self.jar:
            raise Lost("cookies are left after signing out")

    def add(self, engraving, product=0):
        self.post("/cart/add", product=product, engraving=engraving)
        self.cart.append(engraving)

    def remove(self, engraving):
        self.post("/cart/remove", product=0, engraving=engraving)
        self.cart.remove(engraving)

    def check(self):
        """Reads the cart back, and holds it against what must be in it."""
        status, text = self.send("GET", "/cart")
        cart = [html.unescape(line) for line in re.findall(r"</strong><span>(.*?)</span>", text)]
        if status != 200 or f'<a href="/profile">{self.name}</a>' not in text:
            raise Lost(f"signed out by {self.server}")
        if cart != self.cart:
            raise Lost(f"a cart of {len(cart)} lines where {len(self.cart)} were, from {self.server}")

    def is_alive(self):
        """Whether the session is one. This page changes none and begins none."""
        status, _ = self.send("GET", "/profile")
        if status not in (200, 303):
            raise Lost(f"GET /profile: {status} from {self.server}")
        return status == 200
