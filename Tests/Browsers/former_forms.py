#!/usr/bin/env python3
"""Changes a site's cookie by the guide's three steps while Chromium and Firefox use the site. FORMAT §11.3.

usage: former_forms.py PATH-OF-sealed-cookie PATH-OF-forms

Only the standard library, openssl, and the browsers: see drivers.py.
"""
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time

from drivers import Chromium, Firefox
from server import Site

TOOL, FORMS = (os.path.abspath(path) for path in sys.argv[1:3])
sites = itertools.count(1)
# What each change does without the recipe: to a session, and once a visitor has signed out and a deploy goes back. Where the name
# stays, the latest cookie decides, and signing out writes over both.
CHANGES = {"name": ("signed out", "a zombie"), "domain": ("kept", "none"), "host": ("signed out", "a zombie"), "path": ("kept", "none"),
           "partitioned": ("kept", "none"), "purpose": ("signed out", "none"), "parts": ("signed out", "a zombie")}
checks, failed = 0, 0


class Servers:
    """The site's servers, which are one process: each question says at which step of the change its server is."""

    def __init__(self, ring):
        self.process = subprocess.Popen([FORMS, ring], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


class Trial:
    def __init__(self, browser, site, servers, change, is_careless=False):
        self.browser, self.site, self.servers, self.change, self.is_careless = browser, site, servers, change, is_careless
        self.random = random.Random(change)
        self.switched_at = None

    def check(self, condition, what, detail=""):
        global checks, failed
        checks += 1
        if not condition:
            failed += 1
            print(f"FAILED {self.browser.name}, change of {self.change}: {what}: {str(detail)[:300]}", flush=True)

    def visit(self, lines=()):
        return self.site.visit(self.browser, lines, path="/app/page", scheme="https", host="www." + self.domain)

    def ask(self, kind, step, user=None):
        """A request as a server at this step answers it. The browser's header is fetched by a page that sets nothing."""
        answer = self.servers.ask(change=self.change, site=self.domain, step=step, isCareless=self.is_careless, kind=kind, user=user, header=self.visit() or None,
                                  switchedAt=self.switched_at)
        self.visit(answer["setCookies"])
        return answer.get("session")

    def sign_in(self, step, user):
        self.ask("signIn", step, user)
        self.user, self.visits = user, 0

    def use(self, steps, count=4):
        """Visits on servers of which some are at one of the steps, some at the other: each finds what the last one wrote."""
        for _ in range(count):
            step = self.random.choice(steps)
            session = self.ask("visit", step)
            self.check(session == {"user": self.user, "visits": self.visits}, f"a visit at step {step} finds the session", session)
            self.visits += 1

    def leave(self, steps):
        """Signs out on one server; then no server knows anybody, and whoever comes next is nobody else."""
        self.ask("signOut", self.random.choice(steps))
        for step in steps:
            self.check(self.ask("visit", step) is None, f"after signing out, a server at step {step} finds none")

    def begin(self):
        """A site that the browser does not know."""
        self.domain = f"s{next(sites)}.localhost"
        self.check(not self.visit(), "the browser has no cookie at the start")

    def session_survives(self):
        """One session from before the first step until after the last."""
        self.begin()
        self.sign_in(0, "ada" + "a" * (6000 if self.change == "parts" else 0))
        for steps in ([0], [0, 1], [1], [1, 2], [2], [2, 3], [3], [3, 4], [4]):
            if steps == [2]:
                self.switched_at = time.time()
            self.use(steps)
        self.leave([4])

    def nobody_is_left(self):
        """At each step of the change: sign in, sign out, sign in as somebody else."""
        self.switched_at = None
        for steps in ([0, 1], [1, 2], [2, 3], [3, 4]):
            self.begin()
            for user in ("ada", "bob"):
                self.sign_in(self.random.choice(steps), user)
                self.use(steps, count=3)
                self.leave(steps)
                if steps == [1, 2]:
                    self.switched_at = time.time()

    def carelessly(self):
        """The same change without the recipe: what a browser then does."""
        self.begin()
        self.ask("signIn", 0, "ada")
        after = self.ask("visit", 4)
        self.ask("signIn", 4, "bob")
        self.ask("signOut", 4)
        # A server that was not told, or a deploy that went back.
        return "kept" if after else "signed out", "a zombie" if self.ask("visit", 0) else "none"


def main():
    with tempfile.TemporaryDirectory() as folder:
        ring = folder + "/session.keys"
        subprocess.run([TOOL, "keygen", ring], check=True, capture_output=True)
        site, servers = Site(folder), Servers(ring)
        for kind in (Chromium, Firefox):
            with kind() as browser:
                for change, careless in CHANGES.items():
                    trial = Trial(browser, site, servers, change)
                    trial.session_survives()
                    trial.nobody_is_left()
                    found = Trial(browser, site, servers, change, is_careless=True).carelessly()
                    trial.check(found == careless, "without the recipe", found)
                    print(f"{kind.name} {browser.version}, {change}: kept, and gone after signing out; without the recipe {found[0]}, then {found[1]}", flush=True)
    print(f"{checks} checks" + (f", {failed} FAILED" if failed else ", all as the guide says"))
    sys.exit(1 if failed else 0)


main()
