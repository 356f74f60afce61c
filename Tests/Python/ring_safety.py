"""What must never happen to a ring file: kills, crowds and failing disks.   usage: ring_safety.py PATH-OF-sealed-cookie [PART …]

Only the standard library, clang or cc, and the command line tool.
"""
import errno
import fcntl
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

TOOL = os.path.abspath(sys.argv[1])
ONLY = sys.argv[2:]
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
        # All but the last were succeeded years ago.
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
    # A replacement leaves its key alone, and later rotations add to it.
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
    # A ring that may not be written is replaced: its lock is another file.
    os.chmod(path, 0o400)
    owner = demoted(folder, path)
    if owner is not None:
        for place in (environment, None):
            before = entries(path)[2]
            result = subprocess.run([*owner, "rotate", path], capture_output=True, text=True, env=place)
            check(result.returncode == 0 and entries(path)[2] != before, f"a read-only ring is replaced: {result.stderr}")
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
                # Failures of fstatat, unlinkat and the close of a file that was read do not matter, nor to unlock what has been
                # removed. Nor does a failed search for secrets that are left, once the change is made: it is a warning. All
                # others must be reported.
                unlocks = made[at - 1].split()[1] == "flock" and made[at - 1].endswith("(deleted)")
                harmless = unlocks or made[at - 1].split()[1] in ("fstatat", "unlinkat", "close") or (
                    command[0] in ("revoke", "prune") and "renameat" in [line.split()[1] for line in made[:at - 1]] and "could not search for secrets" in result.stderr)
                check(result.returncode in ((0, 1) if harmless else (1,)), what)
                check(result.returncode == 0 or "sealed-cookie: " in result.stderr, what)
                check("sck1_" not in result.stdout + result.stderr, what)
                after = entries(path)
                check(after is not None, f"a ring after {what}")
                if after is None:
                    continue
                lost = {k for k in keys if after[0].get(k) != keys[k]} - removable
                check(not lost and revoked <= after[1], f"lost {lost}: {what}")
                if result.returncode and made[at - 1].split()[1] != "fsync":
                    check(after[2] == before, f"the old ring as it was: {what}")
                # An empty lock may be left: the process that waited for it must remove it.
                left = [name for name in os.listdir(disk) if name.startswith(".") and made[at - 1].split()[1] != "unlinkat"
                        and not (made[at - 1].endswith(".lock") and name == ".fault.keys.lock")]
                check(not left, f"nothing is left lying: {left}, {what}")
                for name in os.listdir(disk):
                    if name.startswith("."):
                        os.unlink(f"{disk}/{name}")
    expected = {"linkat", "openat", "read", "write", "fsync", "close", "fstat", "fstatat", "flock", "renameat", "unlinkat"}
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
    # If the standard streams are closed, a ring must not get their numbers.
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
            call = open(log).read().splitlines()[-1].split()[1]
            whole = entries(path) if os.path.exists(path) else None
            check(whole is None or len(whole[0]) == 1, f"keygen killed at {call}: a whole ring or none, not {whole}")
            for name in os.listdir(disk):
                check(re.fullmatch(r"new\.keys|\.new\.keys\.[0-9a-f]{8}\.new", name), f"keygen killed at {call} leaves {name}")
                os.unlink(f"{disk}/{name}")
            if result.returncode == 0:
                break
            killed += 1
            if call == "linkat":
                links += 1
                # A file system without them.
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
            check(all("already exists" in r.stderr for r in reports[:3] if r.returncode), "the others say that it exists")
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


def hostile(folder, count=40):
    """As root, on a ring in another user's folder, who swaps that for a link to a ring of root's all the while."""
    if os.geteuid() or not shutil.which("setpriv"):
        return "not run: takes root"
    os.chmod(folder, 0o755)
    theirs, own = folder + "/theirs", folder + "/own"
    os.mkdir(own)
    os.mkdir(theirs)
    os.mkdir(theirs + "/ring")
    new_ring(own + "/session.keys")
    new_ring(theirs + "/ring/session.keys")
    for path in (theirs, theirs + "/ring", theirs + "/ring/session.keys"):
        os.chown(path, 1234, 1234)
    before = entries(own + "/session.keys")[2], os.stat(own + "/session.keys").st_ino

    def untouched(what):
        check((entries(own + "/session.keys")[2], os.stat(own + "/session.keys").st_ino) == before, f"root's ring is left alone: {what}")
        check(os.listdir(own) == ["session.keys"], f"and its folder: {what}, {os.listdir(own)}")

    # Links that exist from the beginning: refused, whatever their target.
    os.symlink(own, theirs + "/folder")
    os.symlink(own + "/session.keys", theirs + "/file.keys")
    os.symlink("folder", theirs + "/chain")
    for name in ("folder", "file.keys", "chain"):
        os.lchown(f"{theirs}/{name}", 1234, 1234)
    ways = [f"{theirs}/{way}" for way in ("folder/session.keys", "file.keys", "chain/session.keys", "ring/../folder/session.keys")]
    for way in ways:
        for command in (["rotate", way], ["revoke", "--all", way], ["keygen", os.path.dirname(way) + "/new.keys"]):
            if way == theirs + "/file.keys" and command[0] == "keygen":
                continue
            result = run(*command)
            check(result.returncode == 1 and "a symbolic link in its path belongs to another user" in result.stderr and "hint: " in result.stderr,
                  f"{command}: {result.returncode}, {result.stderr}")
        check(run("keys", way).returncode == 0, "looking is not changing")
        result = run("check", way)
        check(result.returncode == 2 and "belongs to another user, who can redirect it" in result.stdout, f"check {way}: {result.stdout}")
    untouched("links")
    # Root's links are followed, and so are those of their target's owner.
    os.symlink(theirs + "/ring", own + ".link")
    os.symlink("ring", theirs + "/good")
    os.lchown(theirs + "/good", 1234, 1234)
    for way in (own + ".link", theirs + "/good"):
        result = run("rotate", way + "/session.keys")
        check(result.returncode == 0, f"{way}: {result.stderr}")
    # The swap. The process that does it has only the rights of the folder's owner.
    swapper = subprocess.Popen(["setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", sys.executable, "-c", """
import os, sys
os.chdir(sys.argv[1])
while True:
    os.rename("ring", "kept"); os.rename("folder", "ring"); os.rename("ring", "folder"); os.rename("kept", "ring")
    os.rename("ring/session.keys", "ring/kept")
    try:
        os.symlink(sys.argv[2], "ring/session.keys")
        os.unlink("ring/session.keys")
    except FileExistsError:
        pass  # a change was quicker
    os.rename("ring/kept", "ring/session.keys")
""", theirs, own + "/session.keys"])
    done = 0
    try:
        for _ in range(count):
            result = run("rotate", "--from", "now", theirs + "/ring/session.keys")
            done += result.returncode == 0
            check(result.returncode in (0, 1), f"swapped meanwhile: {result.stderr}")
    finally:
        check(swapper.poll() is None, "the path was swapped all the while")
        swapper.kill()
        swapper.wait()
    untouched("swaps")
    # Files planted under the names that a change uses are not written through.
    for name in (".session.keys.new", ".session.keys.lock"):
        for plant in (lambda path: os.symlink(own + "/session.keys", path), lambda path: os.link(own + "/session.keys", path),
                      lambda path: os.mkdir(path), lambda path: os.mkfifo(path)):
            ring = folder + "/planted"
            shutil.rmtree(ring, ignore_errors=True)
            os.mkdir(ring)
            new_ring(ring + "/session.keys")
            plant(f"{ring}/{name}")
            os.lchown(f"{ring}/{name}", 1234, 1234) if not os.path.isfile(f"{ring}/{name}") else None
            for path in (ring, ring + "/session.keys"):
                os.chown(path, 1234, 1234)
            result = run("revoke", "--all", ring + "/session.keys")
            if name.endswith(".new"):
                check(result.returncode == 0, f"a planted {name} is no hindrance: {result.stderr}")
            else:
                check(result.returncode == 1 and 'session.keys.lock" in the same folder does not belong to its owner' in result.stderr.replace("\\", ""),
                      f"a planted {name} is told: {result.stderr}")
            check(os.stat(own + "/session.keys").st_uid == 0, "root's ring stays root's")
            shutil.rmtree(ring)
    check(entries(own + "/session.keys")[2] == before[0], "and as it was")
    return f"{count} changes while the path was swapped, {done} of them done; links, planted names"


def trust(folder):
    """What root does in another user's folder gives that user nothing; access lists; what check says of folders and locks."""
    if os.geteuid():
        return "not run: takes root"
    os.chmod(folder, 0o755)
    place, theirs = folder + "/trust", folder + "/trust/theirs"
    os.makedirs(theirs)
    mine = place + "/mine.keys"
    new_ring(mine)
    with open(place + "/samples", "w") as file:
        file.write('{"name": "zookeeper"}\n' * 2)
    new_ring(theirs + "/session.keys")
    with open(place + "/file", "w") as file:
        file.write("root's")
    for name, to in (("backup.keys", mine), ("d", place + "/file"), ("way", place)):
        os.symlink(to, f"{theirs}/{name}")
        os.lchown(f"{theirs}/{name}", 1234, 1234)
    os.symlink("session.keys", theirs + "/good")
    os.lchown(theirs + "/good", 1234, 1234)
    for path in (theirs, theirs + "/session.keys"):
        os.chown(path, 1234, 1234)
    before = open(theirs + "/session.keys").read()
    for other in ("backup.keys", "way/mine.keys"):
        result = run("merge", theirs + "/session.keys", f"{theirs}/{other}")
        check(result.returncode == 1 and "belongs to another user" in result.stderr, f"merge of {other}: {result.stderr}")
        check(open(theirs + "/session.keys").read() == before, "no other ring's secret comes into it")
    result = run("merge", mine, theirs + "/good")
    check(result.returncode == 0, f"an owner's link to an own ring is followed: {result.stderr}")
    for name in ("d", "way/file", "way/new"):
        result = run("train", "-o", f"{theirs}/{name}", place + "/samples")
        check(result.returncode == 1 and "belongs to another user" in result.stderr, f"train -o {name}: {result.stderr}")
        check(open(place + "/file", "rb").read() == b"root's" and not os.path.exists(place + "/new"), f"root's files stay: {name}")
    # Owner and mode stay, and a new file is created like any other.
    for owner, mode in ((1234, 0o640), (0, 0o604)):
        path = theirs + "/dictionary"
        with open(path, "w") as file:
            file.write("x")
        os.chown(path, owner, owner)
        os.chmod(path, mode)
        result = run("train", "-o", path, place + "/samples")
        status = os.stat(path)
        check((result.returncode, status.st_uid, status.st_gid, status.st_mode & 0o7777) == (0, owner, owner, mode), f"train keeps {owner}, {mode:o}: {result.stderr}")
        os.unlink(path)
    for mask, mode in ((0o022, 0o644), (0o077, 0o600)):
        result = run("train", "-o", place + "/new", place + "/samples", umask=mask)
        check(result.returncode == 0 and os.stat(place + "/new").st_mode & 0o7777 == mode, f"a new dictionary, umask {mask:o}: {result.stderr}")
        os.unlink(place + "/new")
    # Users whom an access list lets read may read the result of a change; users whom only a folder's list admits may
    # not.
    def entries_of(*entries):
        return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    nobody = 0xFFFFFFFF
    ring = place + "/listed.keys"
    new_ring(ring)
    names = [(1, 6, nobody), (2, 4, 1234), (4, 0, nobody), (16, 4, nobody), (32, 0, nobody)]
    try:
        os.setxattr(ring, "system.posix_acl_access", entries_of(*names))
    except OSError as error:
        lists = f"no access lists here: {error}"
    else:
        lists = "access lists"
        listed = os.getxattr(ring, "system.posix_acl_access")
        for command in (["rotate", ring], ["revoke", "--all", ring]):
            result = run(*command)
            check(result.returncode == 0 and "system.posix_acl_access" in os.listxattr(ring) and os.getxattr(ring, "system.posix_acl_access") == listed,
                  f"{command[0]} keeps the access list: {result.stderr}")
        os.removexattr(ring, "system.posix_acl_access")
        os.chmod(ring, 0o640)
        os.setxattr(place, "system.posix_acl_default", entries_of((1, 7, nobody), (2, 4, 4321), (4, 0, nobody), (16, 7, nobody), (32, 0, nobody)))
        check(run("rotate", ring).returncode == 0 and not os.listxattr(ring), f"the folder's list is not the ring's: {os.listxattr(ring)}")
        check(os.stat(ring).st_mode & 0o7777 == 0o640, "and its mode stays")
        os.removexattr(place, "system.posix_acl_default")
    os.chmod(ring, 0o600)
    # A lock of root's, which the owner cannot take, left by a process that died.
    lock = theirs + "/.session.keys.lock"
    open(lock, "w").close()
    time.sleep(3)
    result = run("check", theirs + "/session.keys")
    check(result.returncode == 2 and f'"{lock}" belongs to another user' in result.stdout, f"check tells of root's lock: {result.stdout}")
    os.unlink(lock)
    result = run("check", theirs + "/session.keys")
    check(result.returncode == 0, f"and is silent without it: {result.stdout}")
    # The folders above, and their owners.
    parent = place + "/a"
    os.makedirs(parent + "/b")
    deep = parent + "/b/ring.keys"
    new_ring(deep)
    for path, mode, owner, arguments, code, words in (
            (parent, 0o777, 0, [], 2, f'everyone can write to the folder "{parent}" above'), (parent, 0o777, 0, ["--folder-mode", "777"], 0, ""),
            (parent, 0o1777, 0, [], 0, ""), (parent, 0o755, 1234, [], 2, f'the folder "{parent}" belongs to a user other than root'),
            (parent + "/b", 0o755, 1234, [], 2, f'the folder "{parent}/b" belongs to a user other than root'), (deep, 0o600, 1234, [], 0, "")):
        os.chmod(path, mode)
        os.chown(path, owner, owner)
        result = run("check", *arguments, deep)
        check(result.returncode == code and words in result.stdout, f"check, {path} {mode:o} {owner} {arguments}: {result.stdout}")
        # From inside, too.
        result = subprocess.run([TOOL, "check", *arguments, "ring.keys"], cwd=parent + "/b", capture_output=True, text=True)
        check(result.returncode == code, f"check from inside, {path} {mode:o} {owner}: {result.stdout}")
        os.chown(path, 0, 0)
        os.chmod(path, 0o600 if path == deep else 0o755)
    owner = demoted(folder, deep)
    if owner is not None:
        os.chown(deep, 4321, 4321)
        os.chmod(deep, 0o644)
        result = subprocess.run([*owner, "check", "--mode", "644", deep], capture_output=True, text=True)
        check(result.returncode == 2 and "the file belongs to another user" in result.stdout, f"another's ring: {result.stdout}")
    # A pipe is not a ring, and nothing waits for it.
    pipe = place + "/pipe.keys"
    os.mkfifo(pipe)
    for command in (["check", pipe], ["keys", pipe], ["merge", mine, pipe]):
        try:
            result = subprocess.run([TOOL, *command], capture_output=True, text=True, timeout=20)
            check(result.returncode == 1 and "not a regular file" in result.stderr, f"{command[0]} of a pipe: {result.stderr}")
        except subprocess.TimeoutExpired:
            check(False, f"{command[0]} waits for a pipe")
    result = subprocess.run(["bash", "-c", '"$0" keys <(cat "$1") && cat "$1" | "$0" keys /dev/stdin && "$0" merge "$1" <(cat "$1")', TOOL, mine], capture_output=True, text=True)
    check(result.returncode == 0, f"a shell's pipes are read: {result.stderr}")
    # Made by several at once.
    fresh = place + "/fresh.keys"
    for _ in range(5):
        keys = [os.urandom(32).hex() for _ in range(6)]
        for number, key in enumerate(keys):
            with open(f"{place}/key{number}", "w") as file:
                file.write(key)
        with ThreadPoolExecutor(6) as pool:
            reports = list(pool.map(lambda number: subprocess.run(["sh", "-c", '"$0" import "$1" < "$2"', TOOL, fresh, f"{place}/key{number}"],
                                                                  capture_output=True, text=True), range(6)))
        check(all(r.returncode == 0 for r in reports) and len(entries(fresh)[0]) == 6, f"six imports at once: {[r.stderr for r in reports]}")
        os.unlink(fresh)
    # As a secret manager provides it: through a pipe.
    result = run("import", fresh, input=os.urandom(32).hex())
    check(result.returncode == 0, f"import from a pipe: {result.stderr}")
    # If no key is active after an import, as after a revocation, that is reported.
    if result.returncode == 0:
        check(run("revoke", fresh, result.stdout.split()[0]).returncode == 0, "the imported key is revoked")
        result = run("import", fresh, input=os.urandom(32).hex())
        check(result.returncode == 0 and "warning: no key is active" in result.stderr and "hint: sealed-cookie rotate --from now" in result.stderr,
              f"import where no key is active: {result.stderr}")
    # rotate.sh accepts the modes that it was told to expect.
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Examples/rotation/rotate.sh")
    os.chmod(mine, 0o640)
    for mode, code in ((None, 2), ("640", 0)):
        environment = {**os.environ, "SEALED_COOKIE": TOOL, **({"ROTATE_MODE": mode} if mode else {})}
        result = subprocess.run(["sh", script, mine], env=environment, capture_output=True, text=True)
        check(result.returncode == code, f"rotate.sh, ROTATE_MODE {mode}: {result.stderr}")
    os.chmod(mine, 0o600)
    # A lock about which a file server is inconsistent.
    environment = preload(folder, FAULT_FOLDER=place, FAULT_STALE="1", FAULT_FAST="1")
    if environment:
        try:
            result = subprocess.run([TOOL, "rotate", mine], env=environment, capture_output=True, text=True, timeout=60)
            check(result.returncode == 1, f"a stale lock: {result.stderr}")
        except subprocess.TimeoutExpired:
            check(False, "a stale lock is waited for for ever")
    return f"links of others, dictionaries, {lists}, folders, pipes, locks"


def readers(folder):
    """Who may only read a ring, or put files beside it, holds up no change."""
    place = folder + "/readers"
    path = place + "/shared.keys"
    os.mkdir(place)
    new_ring(path)
    os.chmod(path, 0o644)
    for take in ("fcntl.flock(f, fcntl.LOCK_EX)", "fcntl.flock(f, fcntl.LOCK_SH)", "fcntl.lockf(f, fcntl.LOCK_SH)"):
        holder = subprocess.Popen([sys.executable, "-c", f"import fcntl, time\nf = open({path!r})\n{take}\nprint(1, flush=True)\ntime.sleep(99)"],
                                  stdout=subprocess.PIPE)
        holder.stdout.readline()
        started = time.monotonic()
        result = run("revoke", "--all", path)
        check(result.returncode == 0 and time.monotonic() - started < 10, f"a reader with {take} holds up a revocation: {result.stderr}")
        holder.kill()
        holder.wait()
    # The lock is only for the ring's owner, even if root creates it.
    if not os.geteuid():
        os.chown(path, 1234, 2345)
    lock = place + "/.shared.keys.lock"
    if preload(folder):
        at = 0
        while not os.path.exists(lock) or os.stat(lock).st_uid != os.stat(path).st_uid:
            at += 1
            check(at < 50, "a lock is made")
            if at == 50:
                break
            for name in os.listdir(place):
                if name != "shared.keys":
                    os.unlink(f"{place}/{name}")
            run("rotate", path, env=preload(folder, FAULT_FOLDER=place, FAULT_AT=str(at), FAULT_KILL="1"))
        status = os.stat(lock)
        check(status.st_mode & 0o7777 == 0o600, f"the lock is of mode {status.st_mode:o}")
    else:
        open(lock, "w").close()
        os.chmod(lock, 0o600)
    check(run("rotate", path).returncode == 0 and os.listdir(place) == ["shared.keys"], f"a lock that was left is taken over: {os.listdir(place)}")
    # Another change that does not end: waited for, and reported.
    holder = open(lock, "w")
    os.chmod(lock, 0o600)
    fcntl.flock(holder, fcntl.LOCK_EX)
    environment = preload(folder, FAULT_FAST="1")
    if environment:
        try:
            result = run("revoke", "--all", path, env=environment)
            check(result.returncode == 1 and "another process is changing it" in result.stderr, f"a lock that is held: {result.stderr}")
        except subprocess.TimeoutExpired:
            check(False, "a lock that is held is waited for for ever")
    waiting = subprocess.Popen([TOOL, "rotate", path], stdout=subprocess.DEVNULL)
    time.sleep(0.3)
    check(waiting.poll() is None, "a change waits for another")
    holder.close()
    check(waiting.wait(timeout=20) == 0, "and goes on when that has ended")
    # A folder in which everyone may create files, but not remove those of others.
    owner = demoted(folder, path)
    if owner is None or os.geteuid():
        return "readers' locks, a lock that was left, one that is held"
    os.chmod(place, 0o1777)
    for plant in (lambda name: open(name, "w").close(), os.mkdir):
        name = place + "/.shared.keys.new"
        plant(name)
        os.chown(name, 4321, 4321)
        result = subprocess.run([*owner, "revoke", "--all", path], capture_output=True, text=True)
        check(result.returncode == 0, f"a foreign {name}: {result.stderr}")
        result = subprocess.run([*owner, "check", path], capture_output=True, text=True)
        check(result.returncode == 2 and f'"{name}" belongs to another user' in result.stdout, f"check says so: {result.stdout}")
        os.rmdir(name) if os.path.isdir(name) else os.unlink(name)
    check(os.listdir(place) == ["shared.keys"], f"nothing is left lying: {os.listdir(place)}")
    for mode in (0o666, 0o600):
        with open(lock, "w") as file:
            os.chmod(lock, mode)
            os.chown(lock, 4321, 4321)
            fcntl.flock(file, fcntl.LOCK_EX)
            started = time.monotonic()
            result = subprocess.run([*owner, "revoke", "--all", path], capture_output=True, text=True)
            check(result.returncode == 1 and "does not belong to its owner" in result.stderr and "hint: remove it" in result.stderr
                  and "already" not in result.stderr and time.monotonic() - started < 10, f"a foreign lock: {result.stderr}")
        os.unlink(lock)
    return "readers' locks, a lock that was left, one that is held, foreign files in a sticky folder"


def durable(folder):
    """What is written is on the disk before it has its name, and its name before success is told; no call is taken at its best."""
    disk, other = folder + "/durable", folder + "/durable.other"
    path = disk + "/ring.keys"
    os.mkdir(disk)
    if not preload(folder):
        return "not run: no C compiler"
    new_ring(other)
    log = folder + "/durable.log"
    for number in range(7):
        new_ring(path)
        command = (commands(path, other, entries(path)[0]) + [(["keygen", disk + "/new.keys"], set())])[number][0]
        if os.path.exists(log):
            os.unlink(log)
        check(run(*command, env=preload(folder, FAULT_FOLDER=disk, FAULT_LOG=log)).returncode == 0, f"{command[0]} with a log")
        with open(log) as file:
            lines = [line.split(" ", 2) for line in file.read().splitlines()]
        inherited = [line for line in lines if line[2].endswith("OPEN-ON-EXEC")]
        check(not inherited, f"{command[0]}: what another program would inherit: {inherited}")
        lines = [[*line[:2], line[2].removesuffix(" OPEN-ON-EXEC")] for line in lines]
        calls = [line[1] + (" folder" if line[2] == disk else " file" if line[2].endswith(".new") else "") for line in lines]
        placed = "linkat file" if command[0] == "keygen" else "renameat file"
        check(calls.count(placed) == 1, f"{command[0]}: {calls}")
        at = calls.index(placed)
        written = max(index for index, call in enumerate(calls) if call == "write file")
        check("fsync file" in calls[written:at], f"{command[0]}: the file is on the disk before it has its name: {calls}")
        check("fsync folder" in calls[at:], f"{command[0]}: the name is on the disk: {calls}")
        if os.path.exists(disk + "/new.keys"):
            os.unlink(disk + "/new.keys")
    # Only part of the data is written or read at a time, with occasional interruptions.
    for environment in (dict(FAULT_SHORT="7"), dict(FAULT_INTERRUPTED="1"), dict(FAULT_SHORT="1", FAULT_INTERRUPTED="1")):
        for links in ({}, dict(FAULT_NO_LINKS="1")):
            common = preload(folder, FAULT_FOLDER=disk, **environment, **links)
            new = disk + "/short.keys"
            result = run("keygen", new, env=common)
            check(result.returncode == 0 and len(entries(new)[0]) == 1, f"keygen, {environment}: {result.stderr}")
            os.unlink(new)
        new_ring(path)
        keys, _, before = entries(path)
        for command in (["rotate", path], ["merge", path, other], ["keys", path], ["check", path]):
            result = run(*command, env=common)
            check(result.returncode == 0, f"{command[0]}, {environment}: {result.stderr}")
        after = entries(path)
        check(set(keys) < set(after[0]) and len(after[0]) == 7 and "# a comment" in after[2], f"every key is there, {environment}")
    # A file system that synchronizes no folder: what can be done is done.
    common = preload(folder, FAULT_FOLDER=disk, FAULT_NO_FOLDER_SYNC="1")
    for command in (["keygen", new], ["rotate", path], ["end-sessions", path]):
        result = run(*command, env=common)
        check(result.returncode == 0, f"{command[0]}, no folder is synchronized: {result.stderr}")
    os.unlink(new)
    # A write that takes nothing and says nothing must not go on for ever.
    new_ring(path)
    before = entries(path)[2]
    for command in (["rotate", path], ["keygen", disk + "/none.keys"]):
        try:
            result = run(*command, env=preload(folder, FAULT_FOLDER=disk, FAULT_SHORT="0"))
            check(result.returncode == 1 and "write: Input/output error" in result.stderr, f"{command[0]}, nothing written: {result.stderr}")
        except subprocess.TimeoutExpired:
            check(False, f"{command[0]} writes for ever")
    check(entries(path)[2] == before and os.listdir(disk) == ["ring.keys"], f"and nothing is changed: {os.listdir(disk)}")
    # A file system without links: there, too, an existing file is not overwritten.
    link, dangling = disk + "/link.keys", disk + "/dangling.keys"
    os.symlink("ring.keys", link)
    os.symlink("nothing.keys", dangling)
    for links in ({}, dict(FAULT_NO_LINKS="1")):
        for name in (path, link, dangling):
            result = run("keygen", name, env=preload(folder, FAULT_FOLDER=disk, **links))
            check(result.returncode == 1 and "already exists" in result.stderr, f"keygen on {name}, {links}: {result.stderr}")
        check(entries(path)[2] == before and sorted(os.listdir(disk)) == ["dangling.keys", "link.keys", "ring.keys"], f"it is left as it was, {links}")
    os.unlink(link)
    os.unlink(dangling)
    # A ring of 1 MiB is accepted, and no byte more; no change creates one that could not be read.
    limit = 1_048_576
    base = entries(path)[2]
    for size in (limit, limit + 1):
        with open(path, "w") as file:
            file.write(base + "#" * (size - len(base) - 1) + "\n")
        codes = [run(*command).returncode for command in (["keys", path], ["check", path], ["rotate", "--dry-run", path], ["rotate", "--if-older-than", "40000d", path])]
        check(codes == ([0, 0, 0, 0] if size == limit else [1, 1, 1, 1]), f"a ring of {size} bytes: {codes}")
        if size == limit:
            whole = open(path).read()
            result = run("rotate", path)
            check(result.returncode == 1 and f"more than {limit} bytes" in result.stderr, f"a change that would be over the limit: {result.stderr}")
            check(open(path).read() == whole and os.listdir(disk) == ["ring.keys"], "it is left as it was")
    line = "revoked %06x\n"
    with open(path, "w") as file:
        file.write(base)
    with open(disk + "/many.keys", "w") as file:
        file.write("".join(line % number for number in range(69_900)))
    check(run("keys", disk + "/many.keys").returncode == 0, "a ring of many lines")
    result = run("merge", path, disk + "/many.keys")
    check(result.returncode == 1 and f"more than {limit} bytes" in result.stderr and open(path).read() == base, f"a merge over the limit: {result.stderr}")
    return "order of writes, partial and interrupted ones, no links, 1 MiB, no descriptor for others"


def mounts(folder):
    """A file that is mounted by itself, in a mount namespace of our own."""
    if os.geteuid() or not shutil.which("unshare"):
        return "not run: takes root"
    place = folder + "/mounts"
    os.mkdir(place)
    new_ring(place + "/source.keys")
    open(place + "/target.keys", "w").close()
    script = """
mount --bind "$1/source.keys" "$1/target.keys" || exit 9
"$0" check "$1/target.keys"; echo "exit $?"
"$0" rotate "$1/target.keys"; echo "exit $?"
"$0" rotate "$1/source.keys" > /dev/null
"$0" check "$1/target.keys"; echo "exit $?"
"$0" rotate "$1/target.keys"; echo "exit $?"
mkdir "$1/folder"; mount --bind "$1" "$1/folder"; mount --make-private "$1/folder"
"$0" check "$1/folder/source.keys"; echo "exit $?"
"""
    result = subprocess.run(["unshare", "-m", "sh", "-c", script, TOOL, place], capture_output=True, text=True, timeout=120)
    if result.returncode == 9 or "exit" not in result.stdout:
        return "not run: no mounts here"
    words = result.stdout.replace("\n", " ")
    check(re.fullmatch(r"fault: the file is mounted by itself: .*?exit 2 exit 1 fault: the file was replaced where it was mounted from.*?exit 2 exit 1 "
                       r"(note: .*? )*exit 0 ", words), f"mounted rings: {words}")
    check("busy" in result.stderr and "hint: the file is mounted by itself" in result.stderr, f"a change of a mounted file: {result.stderr}")
    check("hint: the file was replaced where it was mounted from" in result.stderr, f"a change of a file that is gone: {result.stderr}")
    return "a file mounted by itself, and replaced where it came from"


random.seed(7)
with tempfile.TemporaryDirectory() as temporary:
    temporary = os.path.realpath(temporary)
    for part in (folders, hostile, trust, readers, mounts, durable, network, output, births, faults, crowd, replacements, kills):
        if ONLY and part.__name__ not in ONLY:
            continue
        print(f"{part.__name__}: {part(temporary)}", flush=True)
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
