#!/usr/bin/env python3
"""Checks the rotation examples by running them.   usage: check.py FOLDER-OF-sealed-cookie

kubectl is a stand-in over a folder laid out as a Secret mount is: files behind ..data, which is swapped by rename.
"""
import base64, json, os, re, shutil, subprocess, sys, tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).parent
TOOL = Path(sys.argv[1]).resolve()
failed = 0


def check(condition, what, detail=""):
    global failed
    failed += not condition
    print("ok    " if condition else "FAILED", what, "" if condition else str(detail).strip())


def run(*words, **options):
    env = {**os.environ, "PATH": f"{TOOL}:{os.environ['PATH']}", **options.pop("env", {})}
    return subprocess.run(words, capture_output=True, text=True, env=env, **options)


def backdate(ring, days):
    """The ring as it would be had its key been made so long ago."""
    time = (datetime.now(timezone.utc) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    ring.write_text(re.sub(r"(key \w{6}) (from=\S+ )?", rf"\1 from={time} ", ring.read_text()))


def keys(ring):
    return [row["state"] for row in json.loads(run("sealed-cookie", "keys", "--json", str(ring)).stdout)["keys"]]


KUBECTL = r'''#!/usr/bin/env python3
import base64, json, os, shutil, sys
mount = os.environ["MOUNT"]
folder = os.path.dirname(mount)
def version(): return os.readlink(mount + "/..data")
def publish(secret, new):
    os.mkdir(f"{mount}/{new}")
    json.dump(secret, open(f"{mount}/{new}/..secret", "w"))
    if "session.keys" in secret["data"]:
        open(f"{mount}/{new}/session.keys", "wb").write(base64.b64decode(secret["data"]["session.keys"]))
    os.symlink(new, mount + "/..data_tmp")
    os.rename(mount + "/..data_tmp", mount + "/..data")
def stored(): return json.load(open(mount + "/..data/..secret"))
# What goes wrong: a file of that name; what is in it says how often.
def wrong(what):
    path = f"{folder}/{what}"
    if not os.path.exists(path): return False
    left = int(open(path).read() or 1) - 1
    open(path, "w").write(str(left)) if left else os.unlink(path)
    return True
if sys.argv[1:] == ["get", "secret", "session-keys", "-o", "json"]:
    if wrong("unreachable"): sys.exit("Unable to connect to the server: dial tcp: connection refused")
    if wrong("silent"): sys.exit(0)
    if wrong("terminated"): os.kill(os.getppid(), 15)
    secret = stored()
    secret["metadata"]["resourceVersion"] = version()
    text = json.dumps(secret)
    print(text[:200] if wrong("cut-off") else text)
    if wrong("interfere"):     # somebody else changes it now
        ring = base64.b64decode(secret["data"]["session.keys"])
        lines = ring.count(b"revoked 00000")
        secret["data"]["session.keys"] = base64.b64encode(ring + b"revoked 00000%d\n" % lines).decode()
        publish(secret, version() + "x")
elif sys.argv[1:3] == ["replace", "-f"]:
    secret = json.load(open(sys.argv[3]))
    if wrong("forbidden"): sys.exit('Error from server (Forbidden): secrets "session-keys" is forbidden')
    if secret["metadata"]["resourceVersion"] != version():
        sys.exit('Error from server (Conflict): Operation cannot be fulfilled on secrets "session-keys": the object has been modified')
    publish(secret, version() + "n")
    print("secret/session-keys replaced")
else:
    sys.exit(f"unexpected: {sys.argv}")
'''
# Writes half of what it should, and reports success.
HALF = '''#!/bin/sh
out=$(mktemp)
"{program}" "$@" > "$out"
code=$?
case "$*" in *"{when}"*) head -c "$(($(wc -c < "$out") / 2))" "$out" ;; *) cat "$out" ;; esac
rm "$out"
exit "$code"
'''

def cron(folder):
    """With cron's own environment: what is installed beside the script is found, what is not is said."""
    cron = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LOGNAME": "shop", "SHELL": "/bin/sh"}

    def start(*words, **more):
        return subprocess.run(["/bin/sh", "-c", " ".join(words)], capture_output=True, text=True, env={**cron, **more})
    ring = folder / "cron.keys"
    run("sealed-cookie", "keygen", str(ring))
    (folder / "local/bin").mkdir(parents=True)
    script = folder / "local/bin/rotate.sh"
    shutil.copy(HERE / "rotate.sh", script)
    script.chmod(0o755)
    if any(os.path.exists(f"{place}/sealed-cookie") for place in ("/usr/local/bin", "/usr/bin", "/bin")):
        print("not run: cron without the tool, which is installed on this machine")
    else:
        result = start(str(script), str(ring))
        check(result.returncode == 127 and "no sealed-cookie in /usr/bin:/bin:" in result.stderr and "SEALED_COOKIE=" in result.stderr,
              "cron: no tool: exit 127 and how to name it", result.stderr)
    result = start(f"SEALED_COOKIE={folder}/none", str(script), str(ring))
    check(result.returncode == 127 and f"no {folder}/none" in result.stderr, "cron: the wrong name for the tool", result.stderr)
    backdate(ring, 31)
    result = start(f"SEALED_COOKIE={TOOL}/sealed-cookie", str(script), str(ring))
    check(result.returncode == 0 and not result.stdout + result.stderr and keys(ring) == ["active", "pending"], "cron: the tool by its name", result.stderr)
    ring.unlink()
    run("sealed-cookie", "keygen", str(ring))
    backdate(ring, 31)
    (folder / "local/bin/sealed-cookie").symlink_to(TOOL / "sealed-cookie")
    result = start(str(script), str(ring))
    check(result.returncode == 0 and not result.stdout + result.stderr and keys(ring) == ["active", "pending"], "cron: the tool beside the script", result.stderr)
    result = start(str(script))
    check(result.returncode and "usage" in result.stderr, "cron: no ring named: the usage", result.stderr)


class Cluster:
    """A Secret with the ring and something else, and its mount in a pod."""

    def __init__(self, folder):
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        self.mount, self.work, self.bin = self.folder / "mount", self.folder / "work", self.folder / "bin"
        for path in (self.mount / "..1", self.work, self.bin):
            path.mkdir(parents=True)
        self.ring = self.mount / "session.keys"
        file = self.mount / "..1/session.keys"
        run("sealed-cookie", "keygen", str(file))
        backdate(file, 31)
        self.secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "session-keys", "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "an old ring", "team": "shop"}},
            "data": {"other": "b3RoZXI=", "session.keys": base64.b64encode(file.read_bytes()).decode()}}
        self.store()
        (self.mount / "..data").symlink_to("..1")
        self.ring.symlink_to("..data/session.keys")
        self.program("kubectl", KUBECTL)

    def store(self):
        (self.mount / "..1/..secret").write_text(json.dumps(self.secret))

    def program(self, name, text):
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def wrong(self, what, times=1):
        (self.folder / what).write_text(str(times))

    @property
    def version(self):
        return os.readlink(self.mount / "..data")

    @property
    def stored(self):
        return json.loads((self.mount / "..data/..secret").read_text())

    def run(self, script, *words, path=None):
        path = path or f"{self.bin}:{TOOL}:{os.environ['PATH']}"
        result = subprocess.run(["/bin/sh", str(HERE / "kubernetes" / script), *words], capture_output=True, text=True,
                                env={**os.environ, "PATH": path, "MOUNT": str(self.mount), "WORK": str(self.work)})
        check(not list(self.work.iterdir()), f"{script}: nothing is left in its folder", list(self.work.iterdir()))
        return result


def kubernetes(folder):
    cluster = Cluster(folder)
    cluster.wrong("interfere")
    result = cluster.run("rotate-secret.sh")
    check(result.returncode == 0 and "attempt 1" in result.stderr, "CronJob: somebody else was quicker, begun again", result.stderr)
    check(keys(cluster.ring) == ["active", "pending", "revoked"], "… both changes are in the Secret", keys(cluster.ring))
    check(cluster.stored["data"]["other"] == "b3RoZXI=" and cluster.stored["metadata"]["annotations"] == {"team": "shop"},
          "… what else is in the Secret stays, but for kubectl's copy of the old ring", cluster.stored)
    before = cluster.version
    result = cluster.run("rotate-secret.sh")
    check(result.returncode == 0 and cluster.version == before, "CronJob: nothing to do, nothing written", result.stderr)

    # Revoking, out of a ring of several keys.
    def sealed():
        return run("sealed-cookie", "seal", "-k", str(cluster.ring), input='{"user": 42}').stdout.strip()

    def opens(token):
        return run("sealed-cookie", "open", "-k", str(cluster.ring), input=token).returncode
    cluster = Cluster(folder)
    cluster.run("rotate-secret.sh")
    listed = json.loads(run("sealed-cookie", "keys", "--json", str(cluster.ring)).stdout)["keys"]
    active, pending = (next(key["id"] for key in listed if key["state"] == state) for state in ("active", "pending"))
    token = sealed()
    result = cluster.run("revoke-secret.sh", pending)
    check(result.returncode == 0 and keys(cluster.ring) == ["active", "revoked"] and opens(token) == 0, "revoking one key of two", result.stderr)
    cluster.wrong("interfere")
    result = cluster.run("revoke-secret.sh", active)
    check(result.returncode == 0 and "attempt 1" in result.stderr and opens(token) == 3, "revoking the key that sealed, in spite of a conflict", result.stderr)
    check(sorted(keys(cluster.ring)) == ["active", "revoked", "revoked", "revoked"] and opens(sealed()) == 0,
          "… another takes over in the same step", keys(cluster.ring))
    check(cluster.stored["data"]["other"] == "b3RoZXI=", "… and what else is in the Secret stays", cluster.stored)
    token = sealed()
    result = cluster.run("revoke-secret.sh", "--all")
    check(result.returncode == 0 and opens(token) == 3 and opens(sealed()) == 0, "revoking all", result.stderr)
    check(base64.b64decode(cluster.stored["data"]["session.keys"]).count(b"sck1_") == 1, "… and the Secret holds the new key's secret alone")
    before = cluster.version
    for words in ([], ["--all", active], ["--everything"], ["fffffe"], [active, "fffffe"], ["not-an-id"]):
        result = cluster.run("revoke-secret.sh", *words)
        check(result.returncode and result.stderr and cluster.version == before, f"revoke-secret.sh {' '.join(words)}: refused, nothing written", result.stderr)

    # What goes wrong.
    def fails(what, words, script="rotate-secret.sh", prepare=lambda cluster: None, says="", path=None):
        cluster = Cluster(folder)
        prepare(cluster)
        before, ring = cluster.stored, cluster.ring.read_bytes()
        result = cluster.run(script, *words, path=path and path(cluster))
        check(result.returncode not in (0, 2) and says in result.stderr, f"{script}: {what}: exit {result.returncode} and its words", result.stderr)
        stored = cluster.stored
        kept = {line for line in ring.splitlines() if line.startswith(b"key")}
        now = base64.b64decode(stored["data"].get("session.keys", ""))
        check(stored == before or kept <= set(now.splitlines()), "… no key is lost", now)
        return cluster

    def without(program):
        """A folder with all that the scripts use but for one program."""
        def path(cluster):
            for name in ("sh", "env", "python3", "jq", "base64", "cp", "cmp", "cat", "grep", "mktemp", "rm", "sleep", "dirname", "basename"):
                if name != program:
                    (cluster.bin / name).symlink_to(shutil.which(name))
            if program == "kubectl":
                (cluster.bin / program).unlink()
            return f"{cluster.bin}" + ("" if program == "sealed-cookie" else f":{TOOL}")
        return path

    def half(program, when):
        return lambda cluster: cluster.program(program, HALF.format(program=shutil.which(program), when=when))

    def data(**changes):
        def prepare(cluster):
            cluster.secret["data"] = {name: value for name, value in {**cluster.secret["data"], **changes}.items() if value is not None}
            cluster.store()
        return prepare
    for script, words in (("rotate-secret.sh", []), ("revoke-secret.sh", ["--all"])):
        for program in ("sealed-cookie", "kubectl", "jq"):
            fails(f"no {program}", words, script, path=without(program), says=f"there is no {program} in ")
        fails("the server is not there", words, script, lambda c: c.wrong("unreachable"), "was not read")
        fails("kubectl prints nothing", words, script, lambda c: c.wrong("silent"), "printed nothing")
        fails("ended from outside", words, script, lambda c: c.wrong("terminated"))
        fails("kubectl prints half", words, script, lambda c: c.wrong("cut-off"), "has no session.keys")
        fails("a Secret without a ring", words, script, data(**{"session.keys": None}), "has no session.keys")
        fails("an empty ring", words, script, data(**{"session.keys": ""}), "is empty")
        fails("a ring that is not base64", words, script, data(**{"session.keys": "%%%"}), "is not base64")
        fails("a ring that is none", words, script, data(**{"session.keys": base64.b64encode(b"broken\n").decode()}), "line 1")
        fails("no right to write", words, script, lambda c: c.wrong("forbidden"), "Forbidden")
        fails("base64 writes half of the ring", words, script, half("base64", "-w"), "incomplete")
        fails("jq writes half of the Secret", words, script, half("jq", "--rawfile"))
    cluster = fails("five conflicts", [], prepare=lambda c: c.wrong("interfere", 9), says="gave up")
    check(keys(cluster.ring) == ["active"] + ["revoked"] * 5, "… what the others wrote is there", keys(cluster.ring))


scripts = sorted(str(path.relative_to(HERE)) for path in HERE.rglob("*.sh"))
check(scripts == ["kubernetes/revoke-secret.sh", "kubernetes/rotate-secret.sh", "kubernetes/secret-ring.sh", "rotate.sh"], "all scripts are known here", scripts)
for script in scripts:
    result = run("shellcheck", "-x", "-P", "SCRIPTDIR", str(HERE / script))
    check(result.returncode == 0, f"shellcheck {script}", result.stdout)

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    # cron
    ring = folder / "session.keys"
    run("sealed-cookie", "keygen", str(ring))
    backdate(ring, 29)
    result = run("sh", str(HERE / "rotate.sh"), str(ring))
    check(result.returncode == 0 and not result.stdout + result.stderr, "a young ring: silence", result.stderr)
    check(keys(ring) == ["active"], "… and no new key")
    backdate(ring, 31)
    result = run("sh", str(HERE / "rotate.sh"), str(ring))
    check(result.returncode == 0 and not result.stdout + result.stderr, "an old ring: silence", result.stderr)
    check(keys(ring) == ["active", "pending"], "… and the next key", keys(ring))
    run("sh", str(HERE / "rotate.sh"), str(ring))
    check(keys(ring) == ["active", "pending"], "run again: nothing more", keys(ring))
    ring.chmod(0o644)
    result = run("sh", str(HERE / "rotate.sh"), str(ring))
    check(result.returncode == 2 and "chmod 600" in result.stderr, "a fault: exit 2 and its words", result.stderr)
    ring.write_text("broken\n")
    result = run("sh", str(HERE / "rotate.sh"), str(ring))
    check(result.returncode == 1 and "line 1" in result.stderr, "a broken ring: exit 1 and its words", result.stderr)
    cron(folder)

    # systemd
    units = folder / "units"
    units.mkdir()
    for unit in ("session-keys-rotate.service", "session-keys-rotate.timer"):
        text = (HERE / unit).read_text().replace("/usr/local/bin/rotate.sh", str(HERE.resolve() / "rotate.sh"))
        (units / unit).write_text(text)
    result = run("systemd-analyze", "verify", "--man=no", *[str(unit) for unit in sorted(units.iterdir())])
    ours = [line for line in result.stderr.splitlines() if "session-keys-rotate" in line]
    check(result.returncode == 0 and not ours, "systemd-analyze verify", result.stderr)

    kubernetes(folder)

    import yaml
    documents = list(yaml.safe_load_all((HERE / "kubernetes/cronjob.yaml").read_text()))
    check([d["kind"] for d in documents] == ["ServiceAccount", "Role", "RoleBinding", "CronJob"], "cronjob.yaml is YAML of four objects")
    pod = documents[3]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    mounts = {m["mountPath"]: m["name"] for m in pod["containers"][0]["volumeMounts"]}
    check(set(mounts.values()) == {v["name"] for v in pod["volumes"]} and "/work" in mounts, "… whose volumes are those it mounts")
    check(set(documents[1]["rules"][0]["verbs"]) == {"get", "update"}, "… with the rights that the script uses and no others")

print("failed" if failed else "all checks passed")
sys.exit(1 if failed else 0)
