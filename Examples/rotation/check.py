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
import base64, json, os, sys
mount = os.environ["MOUNT"]
def version(): return os.readlink(mount + "/..data")
if sys.argv[1:] == ["get", "secret", "session-keys", "-o", "json"]:
    data = open(mount + "/session.keys", "rb").read()
    print(json.dumps({"metadata": {"name": "session-keys", "resourceVersion": version()},
                      "data": {"session.keys": base64.b64encode(data).decode()}}))
    if os.path.exists(mount + "/../interfere"):     # somebody else changes it now
        os.unlink(mount + "/../interfere")
        new = version() + "x"
        os.mkdir(f"{mount}/{new}")
        open(f"{mount}/{new}/session.keys", "wb").write(data + b"revoked 000000\n")
        os.symlink(new, mount + "/..data_tmp")
        os.rename(mount + "/..data_tmp", mount + "/..data")
elif sys.argv[1] == "replace":
    secret = json.load(open(sys.argv[3]))
    if secret["metadata"]["resourceVersion"] != version():
        sys.exit("Error from server (Conflict): the object has been modified")
    new = version() + "n"
    os.mkdir(f"{mount}/{new}")
    open(f"{mount}/{new}/session.keys", "wb").write(base64.b64decode(secret["data"]["session.keys"]))
    os.symlink(new, mount + "/..data_tmp")
    os.rename(mount + "/..data_tmp", mount + "/..data")
else:
    sys.exit(f"unexpected: {sys.argv}")
'''

for script in ("rotate.sh", "kubernetes/rotate-secret.sh"):
    result = run("shellcheck", str(HERE / script))
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

    # systemd
    units = folder / "units"
    units.mkdir()
    for unit in ("session-keys-rotate.service", "session-keys-rotate.timer"):
        text = (HERE / unit).read_text().replace("/usr/local/bin/rotate.sh", str(HERE.resolve() / "rotate.sh"))
        (units / unit).write_text(text)
    result = run("systemd-analyze", "verify", "--man=no", *[str(unit) for unit in sorted(units.iterdir())])
    ours = [line for line in result.stderr.splitlines() if "session-keys-rotate" in line]
    check(result.returncode == 0 and not ours, "systemd-analyze verify", result.stderr)

    # Kubernetes
    mount = folder / "mount"
    (mount / "..1").mkdir(parents=True)
    run("sealed-cookie", "keygen", str(mount / "..1/session.keys"))
    backdate(mount / "..1/session.keys", 31)
    (mount / "..data").symlink_to("..1")
    (mount / "session.keys").symlink_to("..data/session.keys")
    (folder / "bin").mkdir()
    (folder / "bin/kubectl").write_text(KUBECTL)
    (folder / "bin/kubectl").chmod(0o755)
    env = {"PATH": f"{folder}/bin:{TOOL}:{os.environ['PATH']}", "MOUNT": str(mount), "WORK": str(folder)}
    script = str(HERE / "kubernetes/rotate-secret.sh")
    (folder / "interfere").touch()
    result = run("sh", script, env=env)
    check(result.returncode == 0 and "attempt 1" in result.stderr, "CronJob: somebody else was quicker, begun again", result.stderr)
    check(keys(mount / "session.keys") == ["active", "pending", "revoked"], "… both changes are in the Secret", keys(mount / "session.keys"))
    before = os.readlink(mount / "..data")
    result = run("sh", script, env=env)
    check(result.returncode == 0 and os.readlink(mount / "..data") == before, "CronJob: nothing to do, nothing written", result.stderr)
    check(not list(folder.glob("rotate.*")), "… and nothing left in its folder")

    import yaml
    documents = list(yaml.safe_load_all((HERE / "kubernetes/cronjob.yaml").read_text()))
    check([d["kind"] for d in documents] == ["ServiceAccount", "Role", "RoleBinding", "CronJob"], "cronjob.yaml is YAML of four objects")
    pod = documents[3]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    mounts = {m["mountPath"]: m["name"] for m in pod["containers"][0]["volumeMounts"]}
    check(set(mounts.values()) == {v["name"] for v in pod["volumes"]} and "/work" in mounts, "… whose volumes are those it mounts")
    check(set(documents[1]["rules"][0]["verbs"]) == {"get", "update"}, "… with the rights that the script uses and no others")

print("failed" if failed else "all checks passed")
sys.exit(1 if failed else 0)
