"""What must never happen to a ring file: kills, crowds and failing disks.   usage: ring_safety.py PATH-OF-sealed-cookie

Only the standard library, clang or cc, and the command line tool.
"""
import errno
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

TOOL = os.path.abspath(sys.argv[1])
passed = failed = 0


def check(condition, what):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    if not condition:
        print("FAILED", what)


def run(*arguments, **options):
    return subprocess.run([TOOL, *arguments], capture_output=True, text=True, timeout=120, **options)


def entries(path):
    """The ring's keys with their secrets, and its revoked ids; None for what is no ring."""
    with open(path) as file:
        text = file.read()
    if run("keys", path).returncode != 0:
        return None
    keys = dict(re.findall(r"^key ([0-9a-f]{6}) (?:from=\S+ )?(?:until=\S+ )?(sck1_\S{43})$", text, re.M))
    return keys, set(re.findall(r"^revoked ([0-9a-f]{6})$", text, re.M)), text


def new_ring(path, keys=3):
    """A ring whose keys took turns, a day each, and a comment."""
    if os.path.exists(path):
        os.unlink(path)
    assert run("keygen", path).returncode == 0
    for day in range(keys - 1):
        at = f"2026-08-{3 + day:02}T00:00:00Z"
        assert run("rotate", "--at", at, "--from", at, path).returncode == 0
    with open(path, "a") as file:
        file.write("# a comment\n")


def commands(path, other, keys):
    """Each kind of change, and the ids it may take away."""
    victim = random.choice(sorted(keys))
    return [
        (["rotate", path], set()),
        (["revoke", path, victim], {victim}),
        (["revoke", "--all", path], set(keys)),
        # All but the last have been succeeded for years.
        (["prune", path, "--lifetime", "1d", "--at", "2030-01-01T00:00:00Z"], set(keys)),
        (["merge", path, other], set()),
        (["end-sessions", path], set()),
    ]


def kills(folder, count=200):
    path, other = folder + "/kill.keys", folder + "/other.keys"
    new_ring(path)
    new_ring(other)
    # How long a whole run takes here.
    started = time.perf_counter()
    run("rotate", path)
    span = time.perf_counter() - started
    changed = killed = 0
    for _ in range(count):
        keys, revoked, before = entries(path)
        if len(keys) < 3 or len(keys) > 30:
            new_ring(path)
            keys, revoked, before = entries(path)
        command, removable = random.choice(commands(path, other, keys)[:5])
        process = subprocess.Popen([TOOL, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0, 1.2 * span))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        after = entries(path)
        check(after is not None, f"a ring after {command[0]} was killed")
        if after is None:
            new_ring(path)
            continue
        changed += after[2] != before
        lost = {k for k in keys if after[0].get(k) != keys[k]} - removable
        check(not lost and revoked <= after[1], f"{command[0]} killed: lost {lost}")
        if command[1] == "--all" and after[2] != before:
            check(set(keys) <= after[1] and len(after[0]) == 1, "revoke --all killed: every key revoked and a new one, or nothing")
        check("# a comment" in after[2], f"{command[0]} killed: the comment is there")
    check(killed > count // 4, f"{killed} of {count} runs were killed before their end")
    check(changed > count // 20, f"{changed} of {count} runs changed the ring")
    leftover = [name for name in os.listdir(folder) if name.endswith(".new")]
    check(run("rotate", path).returncode == 0, "a rotation after the kills")
    check(not os.path.exists(folder + "/.kill.keys.new"), f"it removes what they left: {leftover}")
    return f"{count} runs, {killed} killed, {changed} had changed the ring"


def crowd(folder, count=200, **options):
    path = folder + "/crowd.keys"
    new_ring(path)
    before = set(entries(path)[0])
    with ThreadPoolExecutor(16) as pool:
        reports = list(pool.map(lambda _: run("rotate", path, **options), range(count)))
    check(all(r.returncode == 0 for r in reports), "every rotation of the crowd succeeds")
    reported = {r.stdout.split()[0] for r in reports if r.stdout}
    check(len(reported) == count, f"{len(reported)} ids reported")
    check(set(entries(path)[0]) == before | reported, "exactly the reported keys are in the ring")
    return f"{count} rotations at once, {len(reported)} keys"


def replacements(folder, count=100):
    """Rotations while all keys are replaced, again and again: each key is in the ring or revoked."""
    path = folder + "/replace.keys"
    new_ring(path)
    before = set(entries(path)[0])
    words = [["revoke", "--all", path] if number % 10 == 5 else ["rotate", path] for number in range(count)]
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(lambda w: run(*w), words))
    check(all(r.returncode == 0 for r in reports), "every rotation and replacement succeeds")
    reported = {r.stdout.split()[0] for r in reports if r.stdout}
    keys, revoked, _ = entries(path)
    check(len(reported) == count, f"{len(reported)} ids reported")
    check(set(keys) | revoked == before | reported and not set(keys) & revoked, "each key is in the ring or revoked")
    # A replacement leaves its key alone, and later rotations add to that.
    replaced = {r.stdout.split()[0] for r, w in zip(reports, words) if w[0] == "revoke"}
    check(len(replaced & set(keys)) == 1, "of the replacements' keys the last one's is in the ring")
    check(before <= revoked and len(keys) < count - 10, f"{len(keys)} keys are left")
    return f"{count // 10} replacements among {count} runs, {len(keys)} keys left"


def preload(folder, **variables):
    """The environment with faults.c in it; None without a compiler."""
    compiler = shutil.which("clang") or shutil.which("cc")
    if not compiler:
        return None
    library = folder + "/faults.so"
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "faults.c")
    if not os.path.exists(library):
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-w", "-o", library, source, "-ldl"], check=True)
        os.chmod(library, 0o755)
    return {**os.environ, "LD_PRELOAD": library, **variables}


def network(folder):
    """NFS's rules, on a disk: no NFS is at hand."""
    disk = folder + "/nfs"
    os.mkdir(disk)
    os.chmod(disk, 0o777)
    environment = preload(folder, FAULT_FOLDER=disk, FAULT_NFS="1")
    if not environment:
        return "not run: no C compiler"
    done = crowd(disk, 100, env=environment)
    path, other = disk + "/nfs.keys", disk + "/other.keys"
    new_ring(path)
    new_ring(other)
    victim = sorted(entries(path)[0])[0]
    for command in (["rotate", path], ["revoke", path, victim], ["prune", path, "--lifetime", "1d"], ["merge", path, other],
                    ["end-sessions", path], ["keygen", disk + "/new.keys"]):
        result = run(*command, env=environment)
        check(result.returncode == 0, f"{command[0]} as on NFS: {result.stderr}")
    # A ring that may not be written, by its owner's wish: told, and left as it is. On a disk it is replaced.
    os.chmod(path, 0o400)
    before = entries(path)[2]
    owner = demoted(folder, path)
    if owner is not None:
        result = subprocess.run([*owner, "rotate", path], capture_output=True, text=True, env=environment)
        check(result.returncode == 1 and "cannot be written: flock, which needs a writable file here: Permission denied" in result.stderr,
              f"a read-only ring as on NFS: {result.stderr}")
        check(entries(path)[2] == before, "a read-only ring as on NFS stays as it was")
        result = subprocess.run([*owner, "rotate", path], capture_output=True, text=True)
        check(result.returncode == 0 and entries(path)[2] != before, f"a read-only ring on a disk is replaced: {result.stderr}")
        check(os.stat(path).st_mode & 0o7777 == 0o400, "and stays read-only")
    return f"as on NFS: {done}"


def demoted(folder, path):
    """The tool as another user than root, to whom `path` is given; None where that cannot be."""
    if os.geteuid():
        return [TOOL]
    if not shutil.which("setpriv"):
        return None
    os.chmod(folder, 0o755)
    os.chown(path, 1234, 2345)
    copy = folder + "/tool"
    shutil.copy(TOOL, copy)
    os.chmod(copy, 0o755)
    return ["setpriv", "--reuid=1234", "--regid=2345", "--clear-groups", copy]


def faults(folder):
    if not preload(folder):
        return "not run: no C compiler"
    disk, path, other = folder + "/disk", folder + "/disk/fault.keys", folder + "/whole.keys"
    os.mkdir(disk)
    new_ring(other)
    tried = 0
    calls = set()
    for number in range(7):
        for code in (errno.ENOSPC, errno.EIO):
            at = 0
            while True:
                at += 1
                new_ring(path)
                keys, revoked, before = entries(path)
                command, removable = (commands(path, other, keys) + [(["keygen", disk + "/new.keys"], set())])[number]
                log = folder + "/log"
                if os.path.exists(log):
                    os.unlink(log)
                result = run(*command, env=preload(folder, FAULT_FOLDER=disk, FAULT_AT=str(at), FAULT_ERRNO=str(code), FAULT_LOG=log))
                with open(log) as file:
                    made = file.read().splitlines()
                if os.path.exists(disk + "/new.keys"):
                    whole = entries(disk + "/new.keys")
                    check(whole and len(whole[0]) == 1, f"{command[0]}, call {at}: a whole new ring or none")
                    os.unlink(disk + "/new.keys")
                if len(made) < at:
                    check(result.returncode == 0, f"{command[0]} without a fault")
                    break
                tried += 1
                calls.add(made[at - 1].split()[1])
                what = f"{command[0]}, {errno.errorcode[code]} at call {made[at - 1]}: exit {result.returncode}, {result.stderr.strip()!r}"
                # stat, unlink and the close of what was read matter to nobody; all else is to be told.
                # So does the look at what is left, when the change is made: it is a warning.
                harmless = made[at - 1].split()[1] in ("stat", "unlink", "close") or (
                    command[0] in ("revoke", "prune") and "rename" in [line.split()[1] for line in made[:at - 1]] and "could not be looked for" in result.stderr)
                check(result.returncode in ((0, 1) if harmless else (1,)), what)
                check(result.returncode == 0 or "sealed-cookie: " in result.stderr, what)
                check("sck1_" not in result.stdout + result.stderr, what)
                after = entries(path)
                check(after is not None, f"a ring after {what}")
                if after is None:
                    continue
                lost = {k for k in keys if after[0].get(k) != keys[k]} - removable
                check(not lost and revoked <= after[1], f"lost {lost}: {what}")
                if result.returncode and made[at - 1].split()[1] not in ("fsync", "open"):
                    check(after[2] == before, f"the old ring as it was: {what}")
                left = [name for name in os.listdir(disk) if name.startswith(".") and made[at - 1].split()[1] != "unlink"]
                check(not left, f"nothing is left lying: {left}, {what}")
                for name in os.listdir(disk):
                    if name.startswith("."):
                        os.unlink(f"{disk}/{name}")
    expected = {"link", "open", "read", "write", "fsync", "close", "fstat", "stat", "flock", "rename", "realpath", "unlink"}
    check(expected <= calls, f"calls that were made to fail: {sorted(calls)}")
    return f"{tried} runs, one fault each, in {', '.join(sorted(calls))}"


def output(folder):
    """A disk that is full of what is printed, which some file systems tell at the end only."""
    path, disk = folder + "/printing.keys", folder + "/output"
    os.mkdir(disk)
    if not preload(folder):
        return "not run: no C compiler"
    new_ring(path)
    for command, what in ((["rotate", path], f'added key (\\w+) from \\S+ to key ring "{path}", but '), (["keys", path], "")):
        for at, call, done in ((1, "write", what), (2, "close", "the command has done its work, but ")):
            before = set(entries(path)[0])
            with open(disk + "/printed", "w") as file:
                result = subprocess.run([TOOL, *command], stdout=file, stderr=subprocess.PIPE, text=True,
                                        env=preload(folder, FAULT_FOLDER=disk, FAULT_AT=str(at), FAULT_ERRNO=str(errno.ENOSPC)))
            message = re.fullmatch(f"sealed-cookie: {done}the standard output cannot be written: No space left on device\n", result.stderr)
            check(result.returncode == 1 and message, f"{command[0]}, {call} fails: exit {result.returncode}, {result.stderr!r}")
            check(len(set(entries(path)[0]) - before) == (command[0] == "rotate"), f"{command[0]}, {call} fails: what is said to be done is")
    # With the standard streams closed a ring must not get their numbers.
    for closed in ("2>&-", "<&- 2>&-", "<&- >&- 2>&-"):
        before = set(entries(path)[0])
        environment = preload(folder, FAULT_FOLDER=folder, FAULT_STREAMS="1")
        code = subprocess.run(["sh", "-c", f'exec "$0" rotate "$1" {closed}', TOOL, path], env=environment, stdout=subprocess.DEVNULL).returncode
        check(code == (">&- 2" in closed) and len(set(entries(path)[0]) - before) == 1, f"rotate {closed}: exit {code}")
    return "lost at write and at close, streams closed"


def births(folder, count=40):
    """New rings: killed at each call; together with others that make or change the same one; without links."""
    disk = folder + "/births"
    path = disk + "/new.keys"
    os.mkdir(disk)
    at = killed = links = 0
    if preload(folder):
        while True:
            at += 1
            log = folder + "/births.log"
            with open(log, "w"):
                pass
            common = dict(FAULT_FOLDER=disk, FAULT_AT=str(at), FAULT_LOG=log)
            result = run("keygen", path, env=preload(folder, FAULT_KILL="1", **common))
            call = open(log).read().split()[-1]
            whole = entries(path) if os.path.exists(path) else None
            check(whole is None or len(whole[0]) == 1, f"keygen killed at {call}: a whole ring or none, not {whole}")
            for name in os.listdir(disk):
                check(re.fullmatch(r"new\.keys|\.new\.keys\.[0-9a-f]{8}\.new", name), f"keygen killed at {call} leaves {name}")
                os.unlink(f"{disk}/{name}")
            if result.returncode == 0:
                break
            killed += 1
            if call == "link":
                links += 1
                # A file system that has none.
                result = run("keygen", path, env=preload(folder, FAULT_ERRNO=str(errno.EPERM), **common))
                check(result.returncode == 0 and len(entries(path)[0]) == 1, f"keygen without links: {result.stderr}")
                check(os.listdir(disk) == ["new.keys"], f"nothing is left lying: {os.listdir(disk)}")
                os.unlink(path)
        check(killed > 5 and links == 1, f"keygen was killed at {killed} calls")
    rotated = 0
    with ThreadPoolExecutor(6) as pool:
        for _ in range(count):
            words = [["keygen", path]] * 3 + [["rotate", "--from", "now", path]] * 3
            reports = list(pool.map(lambda w: run(*w), words))
            made = [r.stderr.split()[-1] for r in reports[:3] if r.returncode == 0]
            added = [r.stdout.split()[0] for r in reports[3:] if r.returncode == 0]
            check(len(made) == 1, f"one of three makes the ring: {[r.stderr for r in reports[:3]]}")
            check(all("exists already" in r.stderr for r in reports[:3] if r.returncode), "the others say that it exists")
            check(set(entries(path)[0]) == set(made + added), f"the ring has the keys that were reported, {made} and {added}")
            rotated += len(added)
            check(os.listdir(disk) == ["new.keys"], f"nothing is left lying: {os.listdir(disk)}")
            os.unlink(path)
    return f"killed at {killed} calls; {count} times made three times at once, {rotated} rotations meanwhile"


def folders(folder):
    """Modes, owners, links, read-only folders."""
    path, link = folder + "/real/ring.keys", folder + "/link.keys"
    os.mkdir(folder + "/real")
    new_ring(path)
    os.chmod(path, 0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 2345)
    os.symlink("real/ring.keys", link)
    check(run("rotate", link).returncode == 0, "rotation through a link")
    check(os.path.islink(link), "the link stays a link")
    status = os.stat(path)
    check(len(entries(path)[0]) == 4, "the ring behind the link is changed")
    check(status.st_mode & 0o7777 == 0o640, "the mode is kept")
    if os.geteuid() == 0:
        check((status.st_uid, status.st_gid) == (1234, 2345), "the owner is kept")
    with open(path) as file:
        before = file.read()
    os.chmod(folder + "/real", 0o555)
    owner = demoted(folder, path)
    if owner is not None:
        result = subprocess.run([*owner, "rotate", path], capture_output=True, text=True)
        check(result.returncode == 1 and "cannot be written: open: Permission denied" in result.stderr, f"a read-only folder: {result.stderr}")
    os.chmod(folder + "/real", 0o755)
    with open(path) as file:
        check(file.read() == before, "a read-only folder leaves the ring as it was")
    return "links, modes, owners, read-only folders"


random.seed(7)
with tempfile.TemporaryDirectory() as temporary:
    temporary = os.path.realpath(temporary)
    for part in (folders, network, output, births, faults, crowd, replacements, kills):
        print(f"{part.__name__}: {part(temporary)}", flush=True)
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
