"""Chromium by WebDriver, Firefox by Marionette (Debian has no geckodriver). Both headless, each with a profile of its own."""
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

PATIENCE = 60


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), PATIENCE)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


class Browser:
    def __init__(self, *words, preferences=""):
        self.profile = tempfile.mkdtemp(prefix="sealed-cookie-browser-")
        with open(f"{self.profile}/user.js", "w") as file:
            file.write(preferences)
        self.process = subprocess.Popen([w.replace("PROFILE", self.profile) for w in words], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env={**os.environ, "HOME": self.profile}, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.close()
        except Exception:
            pass
        try:
            os.killpg(self.process.pid, 9)
        except ProcessLookupError:
            pass
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


class Chromium(Browser):
    name = "Chromium"

    def __init__(self):
        self.port = free_port()
        super().__init__("chromedriver", f"--port={self.port}")
        wait_for(self.port).close()
        options = {"binary": shutil.which("chromium"),
                   "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
                            f"--user-data-dir={self.profile}/data"]}
        try:
            value = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "acceptInsecureCerts": True, "goog:chromeOptions": options}}})
        except Exception:
            self.session = None
            self.__exit__()
            raise
        self.session = value["sessionId"]
        self.version = value["capabilities"]["browserVersion"]

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode(), headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]

    problem = None

    def load(self, url):
        try:
            self.call("POST", f"/session/{self.session}/url", {"url": url})
        except urllib.error.HTTPError as error:     # a failed page is an answer too
            self.problem = error.read()

    def command(self, method, path, body=None):
        return self.call(method, f"/session/{self.session}{path}", body)

    def close(self):
        if self.session:
            self.call("DELETE", f"/session/{self.session}")


class Firefox(Browser):
    name = "Firefox"

    def __init__(self):
        port = free_port()
        super().__init__("firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", "PROFILE",
                         preferences=f'user_pref("marionette.port", {port});\n'
                                     'user_pref("datareporting.policy.dataSubmissionEnabled", false);\n'
                                     'user_pref("browser.shell.checkDefaultBrowser", false);\n')
        self.messages = 0
        try:
            self.socket = wait_for(port)
            self.socket.settimeout(PATIENCE)
            self.stream = self.socket.makefile("rb")
            self.receive()
            value = self.command("WebDriver:NewSession", {"acceptInsecureCerts": True})
        except Exception:
            self.__exit__()
            raise
        self.version = value["capabilities"]["browserVersion"]

    def receive(self):
        length = b""
        while (byte := self.stream.read(1)) != b":":
            assert byte, "Firefox has gone"
            length += byte
        return json.loads(self.stream.read(int(length)))

    def command(self, name, parameters=None):
        self.messages += 1
        data = json.dumps([0, self.messages, name, parameters or {}]).encode()
        self.socket.sendall(str(len(data)).encode() + b":" + data)
        _, number, error, value = self.receive()
        assert number == self.messages
        if error:
            raise RuntimeError(error["message"])
        return value

    problem = None

    def load(self, url):
        try:
            self.command("WebDriver:Navigate", {"url": url})
        except RuntimeError as error:       # a failed page is an answer too
            self.problem = error

    def close(self):
        self.command("Marionette:Quit", {"flags": ["eForceQuit"]})
