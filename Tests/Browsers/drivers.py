"""Chromium by WebDriver, Firefox by Marionette (Debian has no geckodriver). Both headless, each with a profile of its own."""
import base64
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


# WebDriver's commands (W3C), which Marionette calls by their names.
COMMANDS = {
    "FindElements": "POST /elements", "ElementClick": "POST /element/{id}/click", "ElementSendKeys": "POST /element/{id}/value",
    "ExecuteScript": "POST /execute/sync", "PerformActions": "POST /actions", "GetCurrentURL": "GET /url",
    "GetCookies": "GET /cookie", "AddCookie": "POST /cookie", "DeleteCookie": "DELETE /cookie/{name}",
    "NewWindow": "POST /window/new", "SwitchToWindow": "POST /window", "CloseWindow": "DELETE /window", "GetWindowHandle": "GET /window",
    "SetWindowRect": "POST /window/rect", "Back": "POST /back", "Refresh": "POST /refresh", "DeleteAllCookies": "DELETE /cookie",
}


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

    def script(self, text, *arguments):
        return self.do("ExecuteScript", script=text, args=list(arguments))

    def elements(self, selector):
        return [next(iter(each.values())) for each in self.do("FindElements", using="css selector", value=selector)]

    def type(self, selector, text):
        """Clicks the first such element and types into it."""
        element = self.elements(selector)[0]
        self.do("ElementClick", id=element)
        self.do("ElementSendKeys", id=element, text=text)

    def press(self, *keys):
        self.do("PerformActions", actions=[{"type": "key", "id": "keyboard", "actions": [
            {"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]}])

    def leaving(self, act):
        """Does what leads to another page, and waits until that is there."""
        self.script("document.documentElement.dataset.isLeft = 'yes'")
        act()
        self.wait(lambda: self.script("""
            return document.readyState === "complete" && document.URL !== "about:blank" && !document.documentElement.dataset.isLeft
            """))

    def wait(self, condition):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except RuntimeError:    # between two pages
                pass
            time.sleep(0.02)
        raise TimeoutError("it does not come")

    def click(self, selector, number=0):
        """Clicks an element that leads to another page."""
        element = self.elements(selector)[number]
        self.leaving(lambda: self.do("ElementClick", id=element))

    def new_tab(self):
        return self.do("NewWindow", type="tab")["handle"]

    def tab(self, handle):
        self.do("SwitchToWindow", handle=handle)

    def cookies(self):
        # Firefox lists some for a while that Max-Age=0 has removed: empty, over, and not sent.
        return {cookie["name"]: cookie for cookie in self.do("GetCookies") if cookie.get("expiry", 1e10) > time.time() + 1}


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

    def do(self, name, /, **parameters):
        method, path = COMMANDS[name].split()
        try:
            return self.command(method, path.format(**parameters), parameters if method == "POST" else None)
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"])

    def protocol(self, name, /, **parameters):
        """A command of the browser's own protocol."""
        return self.command("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def resize(self, width, height, is_dark=False):
        # A window has a least width, a telephone has none.
        self.protocol("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        self.protocol("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}])

    def screenshot(self):
        """The whole page as PNG."""
        width, height = self.script("return [innerWidth, document.documentElement.scrollHeight]")
        return base64.b64decode(self.protocol("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "width": width, "height": height, "scale": 1})["data"])

    def close(self):
        if self.session:
            self.call("DELETE", f"/session/{self.session}")


class Firefox(Browser):
    name = "Firefox"

    def __init__(self):
        port = free_port()
        super().__init__("firefox-esr", "--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile", "PROFILE",
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

    def do(self, name, /, **parameters):
        value = self.command(f"WebDriver:{name}", parameters)
        return value["value"] if isinstance(value, dict) and list(value) == ["value"] else value

    def resize(self, width, height, is_dark=False):
        self.do("SetWindowRect", width=max(width, 600), height=height)
        # A window has a least width, the page in it has none.
        self.command("Marionette:SetContext", {"value": "chrome"})
        self.script("""
            gBrowser.selectedBrowser.style.maxWidth = arguments[0] + "px"
            Services.prefs.setIntPref("layout.css.prefers-color-scheme.content-override", arguments[1] ? 0 : 1)
            """, width, is_dark)
        self.command("Marionette:SetContext", {"value": "content"})
        self.wait(lambda: self.script("return innerWidth") == width)

    def screenshot(self):
        """The whole page as PNG."""
        return base64.b64decode(self.command("WebDriver:TakeScreenshot", {"full": True, "hash": False})["value"])

    def close(self):
        self.command("Marionette:Quit", {"flags": ["eForceQuit"]})
