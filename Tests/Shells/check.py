#!/usr/bin/env python3
"""Holds the manual page and the completions against what the tool's help lists.

usage: check.py FOLDER

FOLDER is a PREFIX with the tool and its texts in it, as `make install` leaves them. The manual page is read by man, groff and
mandoc. In each shell a completion is asked for as a user asks: in bash and zsh by the Tab key in a terminal.
"""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time

failures = 0


def check(is_good: bool, what: str, *details: object) -> None:
    global failures
    if not is_good:
        failures += 1
        print(f"FAILED {what}", *details, sep="\n  ")


def output(*command: str, **more: object) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, **more).stdout


class Help:
    """What the tool's help lists: commands, and the spellings of each one's options."""

    def __init__(self, tool: str):
        overview = output(tool, "--help")
        self.commands = re.findall(r"^  ([a-z][a-z-]*)  +[A-Z]", overview, re.M)
        self.options: dict[str, set[str]] = {}
        for command in self.commands:
            self.options[command] = {"-h", "--help"}
            text = output(tool, command, "--help")
            for short, long in re.findall(r"^  (?:(-[a-zA-Z]), |    )(--[a-z-]+)", text, re.M):
                self.options[command] |= {word for word in (short, long) if word}
        check(len(self.commands) >= 20 and sum(map(len, self.options.values())) > 80, "the help is read", self.options)


def manual(page: str, listed: Help) -> str:
    for command in (["man", "--warnings", "-l", page], ["groff", "-man", "-ww", "-Tutf8", page], ["mandoc", "-T", "lint", "-W", "style", page]):
        run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANPAGER": "cat"})
        words = run.stderr + (run.stdout if command[0] == "mandoc" else "")
        check(run.returncode == 0 and not words, f"{command[0]} has nothing to say of the page", words[:2000])
        if command[0] == "man":
            text = run.stdout
    check(output("lexgrog", page).startswith(f'{page}: "sealed-cookie - '), "the page's name is found by whatis")
    for command in listed.commands:
        part = re.search(rf"^   {command}\n(?:(?:    .*)?\n)*", text, re.M)
        check(part is not None, f"the page has {command}")
        for option in listed.options[command] - {"-h", "--help"}:
            check(part is not None and re.search(rf"(^|[ ,]){option}\b", part.group(), re.M) is not None, f"the page has {command} {option}")
    wide = [line for line in text.splitlines() if len(line) > 80]
    check(not wide, "the page fits 80 columns", *wide)
    return f"man, groff and mandoc: no warnings; {len(listed.commands)} commands with their options"


class Terminal:
    """A shell in a terminal, to type into."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: str):
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 200, 0, 0))
        self.drop()

    def read(self, until: str, limit: float = 60) -> str:
        """What is shown until a text comes, without what moves the cursor."""
        shown, end = b"", time.time() + limit
        while True:
            text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\r|\x07|[^\n]\x08", "", shown.decode(errors="replace"))
            ready, _, _ = select.select([self.terminal], [], [], 0 if until in text else max(0, end - time.time()))
            if not ready:
                check(until in text, f"a shell answers with {until!r}", text)
                return text
            try:
                shown += os.read(self.terminal, 65536)
            except OSError:
                return text

    def complete(self, line: str) -> str:
        """The screen after a line and the Tab key: the line completed, or what it may become. The line is then dropped."""
        os.write(self.terminal, (line + "\t").encode())
        # The next key is worked at when the completion is done.
        time.sleep(0.05)
        os.write(self.terminal, b"~")
        screen = self.read(until="~")
        self.drop()
        return screen

    def drop(self) -> None:
        """Drops the line that is being typed."""
        os.write(self.terminal, b"\x15echo do''ne\r")
        self.read(until="done")

    def close(self) -> None:
        os.write(self.terminal, b"\x15exit\r")
        os.close(self.terminal)
        os.waitpid(self.process, 0)


def words(screen: str) -> set[str]:
    """The options on a screen. zsh shows both spellings before one explanation."""
    return set(re.findall(r"(?<![\w\"-])(--?[a-zA-Z][a-z-]*)(?![\w-])", screen))


def typed(shell: Terminal, name: str) -> None:
    """What must hold in any shell, by Tab."""
    for line, end in (("sealed-cookie ins", "pect "), ("sealed-cookie check session-r", "ing.keys "), ("sealed-cookie open -k session-r", "ing.keys "),
                      ("sealed-cookie open --key-ring session-r", "ing.keys "), ("sealed-cookie open --key-ring=session-r", "ing.keys "),
                      ("sealed-cookie train -o session-r", "ing.keys "), ("sealed-cookie size --dictionary session-r", "ing.keys "),
                      ("sealed-cookie seal --same-site str", "ict "), ("sealed-cookie seal --same-site=str", "ict "), ("sealed-cookie completions fi", "sh "),
                      ("sealed-cookie help insp", "ect "), ("sealed-cookie seal --ends-w", "ith-browser ")):
        screen = shell.complete(line)
        check(end + "~" in screen, f"{name}: {line}", screen)
    for line in ("sealed-cookie open --at session-r", "sealed-cookie demo session-r", "sealed-cookie limits session-r"):
        screen = shell.complete(line)
        check("ing.keys" not in screen, f"{name}: no file after {line}", screen)


def bash(prefix: str, listed: Help, folder: str) -> str:
    script = f"{prefix}/share/bash-completion/completions/sealed-cookie"
    output("bash", "-n", script)

    def reply(*line: str) -> set[str]:
        call = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; _sealed_cookie; printf "%s\\n" "${COMPREPLY[@]}"'
        return set(output("bash", "--norc", "-c", call, script, "sealed-cookie", *line).split())

    check(reply("") == {*listed.commands, "help", "--help", "--version"}, "bash: the commands", reply(""))
    for command in listed.commands:
        check(reply(command, "-") == listed.options[command], f"bash: {command}'s options", reply(command, "-") ^ listed.options[command])
    check(reply("seal", "--", "-") == set(), "bash: no options after --")
    check(reply("help", "s") == {word for word in listed.commands if word[0] == "s"}, "bash: help's commands")
    # As bash-completion finds it where it is installed.
    with open(f"{folder}/.bashrc", "w") as file:
        file.write('PS1="$ "; PATH="$TOOL:$PATH"; source /usr/share/bash-completion/bash_completion\n')
    environment = {**os.environ, "XDG_DATA_DIRS": f"{prefix}/share:/usr/share", "TOOL": f"{prefix}/bin", "TERM": "dumb", "HOME": folder, "LC_ALL": "C.UTF-8"}
    shell = Terminal(["bash", "--rcfile", f"{folder}/.bashrc", "-i"], environment, folder)
    typed(shell, "bash")
    shell.close()
    return output("bash", "--version").split("\n")[0]


def zsh(prefix: str, listed: Help, folder: str) -> str:
    site = f"{prefix}/share/zsh/site-functions"
    output("zsh", "-n", f"{site}/_sealed-cookie")
    environment = {**os.environ, "TERM": "dumb", "HOME": folder, "ZDOTDIR": folder, "LC_ALL": "C.UTF-8", "PATH": f"{prefix}/bin:{os.environ['PATH']}"}
    with open(f"{folder}/.zshrc", "w") as file:
        file.write(f'PS1="$ "; unsetopt PROMPT_SP; unset zle_bracketed_paste; LISTMAX=10000; fpath=({site} $fpath)\nautoload -Uz compinit; compinit -u -d "$HOME/.dump"\n')
    shell = Terminal(["zsh", "-d", "-i"], environment, folder)
    typed(shell, "zsh")
    screen = shell.complete("sealed-cookie ")
    for command in [*listed.commands, "help"]:
        check(re.search(rf"^{command} +--? ", screen, re.M) is not None, f"zsh: {command} is offered", screen)
    for command in listed.commands:
        found = words(shell.complete(f"sealed-cookie {command} -"))
        check(listed.options[command] <= found, f"zsh: {command}'s options", listed.options[command] - found)
    shell.close()
    # Another way to load it.
    run = subprocess.run(["zsh", "-f", "-c", f'autoload -Uz compinit; compinit -u -D; source "{site}/_sealed-cookie"; echo $_comps[sealed-cookie]'],
                         capture_output=True, text=True)
    check(run.stdout == "_sealed_cookie\n" and not run.stderr, "zsh: sourced", run.stdout + run.stderr)
    return output("zsh", "--version").strip()


def fish(prefix: str, listed: Help, folder: str) -> str:
    script = f"{prefix}/share/fish/vendor_completions.d/sealed-cookie.fish"
    output("fish", "-n", script)
    environment = {**os.environ, "XDG_DATA_DIRS": f"{prefix}/share:/usr/share", "HOME": folder, "XDG_CONFIG_HOME": f"{folder}/config", "LC_ALL": "C.UTF-8",
                   "PATH": f"{prefix}/bin:{os.environ['PATH']}"}

    def complete(*lines: str) -> list[dict[str, str]]:
        asks = "; echo '=='; ".join(f"complete -C '{line}'" for line in lines)
        run = subprocess.run(["fish", "-c", asks], capture_output=True, text=True, env=environment, cwd=folder)
        check(not run.stderr, "fish is silent", run.stderr)
        return [dict((row + "\t").split("\t")[:2] for row in part.strip("\n").split("\n")) for part in run.stdout.split("==\n")]

    (some, begun, files, named, values, none, told, after) = complete(
        "sealed-cookie ", "sealed-cookie se", "sealed-cookie check session-r", "sealed-cookie open --key-ring=session-r", "sealed-cookie seal --same-site ",
        "sealed-cookie demo session-r", "sealed-cookie help ", "sealed-cookie open --at session-r")
    check(set(some) >= {*listed.commands, "help"} and all(some.values()), "fish: the commands, explained", some)
    check(set(begun) == {"seal"}, "fish: sealed-cookie se", begun)
    check(set(files) == {"session-ring.keys"}, "fish: a file", files)
    check(set(named) == {"--key-ring=session-ring.keys"}, "fish: an option's file", named)
    check(set(values) == {"strict", "lax", "none", "unset"}, "fish: an option's values", values)
    check("session-ring.keys" not in none and "session-ring.keys" not in after, "fish: no file", none, after)
    check(set(told) == set(listed.commands), "fish: help's commands", told)
    lines = [f"sealed-cookie {command} -" for command in listed.commands]
    long = [f"sealed-cookie {command} --" for command in listed.commands]
    for command, short, options in zip(listed.commands, complete(*lines), complete(*long)):
        found = {word for word in {*short, *options} if word}
        check(found == listed.options[command], f"fish: {command}'s options", found ^ listed.options[command])
    return output("fish", "--version").strip()


def main() -> None:
    prefix = os.path.abspath(sys.argv[1])
    listed = Help(f"{prefix}/bin/sealed-cookie")
    said = manual(f"{prefix}/share/man/man1/sealed-cookie.1", listed)
    print(said if not failures else "the manual page has faults")
    for shell in (bash, zsh, fish):
        with tempfile.TemporaryDirectory() as folder:
            open(f"{folder}/session-ring.keys", "w").close()
            before = failures
            version = shell(prefix, listed, folder)
            print(f"{version}: {'commands, options, their values and files' if failures == before else 'has faults'}")
    sys.exit(1 if failures else 0)


main()
