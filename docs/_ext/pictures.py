"""Record the screens of the manual: real commands in a real terminal. "make pictures" writes them to docs/pictures.

A picture is text with colours (NAME.ans), of which Sphinx makes SVG. With --check the pictures are made again and compared,
but for digits, which are times and ports.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
import time

import pexpect
import pyte

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "pictures")
WIDTH, HEIGHT = 80, 40
QUIET = 2.0  # seconds without output, after which a screen is complete
COLOURS = "black red green brown blue magenta cyan white".split()
HOME = "/home/ada"


class Terminal:
    """A terminal of somebody who types rigger's commands, and a home that is as long as HOME."""

    def __init__(self, version: str):
        self.home = f"/tmp/{secrets.token_hex(2)}"
        os.mkdir(self.home, 0o700)
        self.pictures: dict[str, str] = {}
        self.version = version

    def start(self, *words: str, height: int = HEIGHT) -> None:
        """Type a command on a cleared screen."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("RIGGER_", "XDG_"))}
        env |= {"HOME": self.home, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "USER": "ada"}
        self.screen = pyte.HistoryScreen(WIDTH, height)
        self.stream = pyte.ByteStream(self.screen)
        self.stream.feed(f"$ rigger {' '.join(words)}\r\n".encode())
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "rigger", *words],
            env=env,
            cwd=self.home,
            dimensions=(height, WIDTH),
            timeout=300,
        )

    def watch(self, quiet: float = QUIET, until: str = "") -> bool:
        """Read until nothing comes for a while, or `until` is on the screen; return whether the command still runs."""
        last = time.monotonic()
        while time.monotonic() - last < quiet:
            try:
                data = self.child.read_nonblocking(4096, timeout=0.1)
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                self.child.close()
                return False
            self.stream.feed(data)
            if b"\x1b[6n" in data:  # the program asks where the cursor is
                self.child.send(f"\x1b[{self.screen.cursor.y + 1};{self.screen.cursor.x + 1}R")
            if until and until in "\n".join(self.screen.display):
                return True
            last = time.monotonic()
        return True

    def run(self, *words: str) -> None:
        self.start(*words)
        while self.watch(quiet=300):
            pass

    def picture(self, name: str) -> None:
        """Keep what is on the screen."""
        rows = [row_of(self.screen, number) for number in range(self.screen.lines)]
        while rows and not rows[-1]:
            rows.pop()
        self.pictures[name] = "\n".join(rows).replace(self.home, HOME) + "\n"


def row_of(screen: pyte.Screen, number: int) -> str:
    """Return a row of the screen as text with the colours that terminals know (ECMA-48)."""
    text, style = "", ""
    row = screen.buffer[number]
    last = max((column for column in row if row[column].data != " "), default=-1)
    for column in range(last + 1):
        char = row[column]
        codes = [code for code, on in (("1", char.bold), ("7", char.reverse), ("4", char.underscore)) if on]
        codes += [str(30 + COLOURS.index(char.fg))] if char.fg in COLOURS else []
        wanted = f"\x1b[{';'.join(codes)}m" if codes else ""
        if wanted != style:
            text += ("\x1b[0m" if style else "") + wanted
            style = wanted
        text += char.data
    return text + ("\x1b[0m" if style else "")


def record() -> dict[str, str]:
    """Live through the tutorial; return its pictures by name."""
    terminal = Terminal("3.5.0")
    try:
        wizard(terminal)
        terminal.run("provision", "-y")
        terminal.picture("provision")
        terminal.run("status")
        terminal.picture("status")
        terminal.run("test", "smoke")
        terminal.picture("test")
        stopped(terminal)
        terminal.run("test", "app-deploy")
        terminal.run("upgrade", "--version", "3.5.1", "--upgrade-style", "graceful")
        terminal.picture("upgrade")
    finally:
        terminal.run("test", "app-destroy")
        terminal.run("destroy", "-y")
        shutil.rmtree(terminal.home, ignore_errors=True)
    return terminal.pictures


def wizard(terminal: Terminal) -> None:
    """Take every default, and keep the screen of every question."""
    terminal.start("configure", "--version", terminal.version, height=24)
    number = 0
    terminal.watch(quiet=60, until="? Which")
    while terminal.watch():
        number += 1
        terminal.picture(f"wizard-{number}")
        terminal.child.send("\r")
        if number > 20:
            raise SystemExit("The wizard does not end.")
    terminal.picture("wizard-end")


def stopped(terminal: Terminal) -> None:
    """Press Ctrl-C while a member is added, then resume."""
    terminal.run("config", "set", "NODES=4")
    terminal.start("provision", "-y")
    terminal.watch(quiet=300, until="3/4 etcd deploy")
    time.sleep(0.5)  # not `watch`: the line is drawn again all the time
    terminal.child.sendintr()
    while terminal.watch(quiet=300):
        pass
    terminal.picture("stopped")
    if "nterrupted" not in terminal.pictures["stopped"]:
        raise SystemExit("The member was there before Ctrl-C was pressed: try again.")
    terminal.run("provision", "-y")
    terminal.picture("resumed")


def without_digits(text: str) -> str:
    return re.sub(r"[0-9]+ *|m |[sh](?= |$)", "", text, flags=re.M)


def main() -> None:
    pictures = record()
    if "--check" in sys.argv:
        different = [
            name for name, text in pictures.items() if without_digits(text) != without_digits(kept(name))
        ]
        sys.exit(
            f"Other than in docs/pictures: {', '.join(different)}. Type: make pictures" if different else 0
        )
    os.makedirs(FOLDER, exist_ok=True)
    for name in os.listdir(FOLDER):
        if name.endswith(".ans"):
            os.remove(os.path.join(FOLDER, name))
    for name, text in pictures.items():
        with open(os.path.join(FOLDER, f"{name}.ans"), "w", encoding="utf-8") as file:
            file.write(text)


def kept(name: str) -> str:
    try:
        with open(os.path.join(FOLDER, f"{name}.ans"), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    main()
