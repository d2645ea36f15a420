"""Shells that read files of values, and hostile values for them."""

from __future__ import annotations

import os
import random
import shutil
import subprocess

from hypothesis import strategies as st

from rigger import text as texts

SHELLS = {
    "bash": ["bash", "--norc", "--noprofile"],
    "bash --posix": ["bash", "--posix"],
    "dash": ["dash"],
    "zsh": ["zsh", "-f"],
    "busybox sh": ["busybox", "sh"],
}

ENV = shutil.which("env")


def run(shell, script, folder, locale="C.UTF-8"):
    """What a shell prints, from a nearly empty environment."""
    surroundings = {"PATH": os.defpath, "HOME": str(folder), "LC_ALL": locale}
    return subprocess.run(
        [*shell, "-c", script], cwd=folder, env=surroundings, timeout=120, capture_output=True, check=False
    )


def sourced(shell, folder, locale="C.UTF-8"):
    """The environment after a shell has read the file `vars`, which it has to do without a word."""
    result = run(shell, f". ./vars && exec {ENV} -0", folder, locale)
    assert (result.returncode, result.stderr) == (0, b"")
    return environment(result.stdout)


def environment(printed):
    entries = (entry.split(b"=", 1) for entry in printed.split(b"\0") if entry)
    return {texts.decode(name): texts.decode(value) for name, value in entries}


def differences(expected, found):
    """The variables that came back otherwise, short enough to read in a report."""
    return {
        name: (value[:60], found.get(name, "(unset)")[:60])
        for name, value in expected.items()
        if found.get(name) != value
    }


HOSTILE = [
    "",
    " ",
    "\n",
    "\t",
    "\r",
    "\r\n",
    "\\",
    "\\\\",
    "\\\n",
    '"',
    "'",
    '\\"',
    "`",
    "$",
    "$$",
    "$x",
    "${x}",
    "!",
    "!!",
    "!$",
    "~",
    "~root",
    "a:~",
    "*",
    "?",
    "[a-z]*",
    "{a,b}",
    "#",
    " #",
    "=",
    "==ls",
    "&",
    "|",
    ";",
    "<",
    ">",
    "(",
    ")",
    "-n",
    "-e x",
    "$(touch canary)",
    "`touch canary`",
    '"; touch canary; "',
    "'; touch canary; '",
    "$(touch canary\n)",
    "\n touch canary\n",
    "\\`touch canary\\`",
    "\\$(touch canary)",
    "${x:-$(touch canary)}",
    "$((`touch canary`))",
    "<(touch canary)",
    "() { :; }; touch canary",
    "a\nexport B=$(touch canary)\n",
    "\x01\x02\x7f",
    "\x1b[31m",
    "%s%n",
    "é",
    "日本語",
    "\u2028",
    *(texts.decode(bytes([byte])) for byte in range(1, 256)),
    *(texts.decode(b"x" + bytes([byte]) + b"\\$y") for byte in range(0x80, 0x100)),
]

FRAGMENTS = [texts.encode(text) for text in HOSTILE] + [
    b"word",
    b"two words",
    b"\xff\xfe",
    b"\x81\x88",
    b"\xc3",
]


def hostile_value(source):
    if source.random() < 0.3:
        return texts.decode(bytes(source.choices(range(1, 256), k=source.randrange(60))))
    return texts.decode(b"".join(source.choices(FRAGMENTS, k=source.randrange(1, 7))))


def hostile_values(count):
    """`count` values: each awkward one alone, mixtures of them, random bytes, and two of 100 KB."""
    source = random.Random(20261120)
    values = HOSTILE + ["x" * 100_000, "\\\"$`'\n" * 17_000]
    values += [hostile_value(source) for _ in range(count - len(values))]
    return {f"V{number}": value for number, value in enumerate(values)}


def batches(values, size=2500):
    entries = list(values.items())
    return [dict(entries[start : start + size]) for start in range(0, len(entries), size)]


BATCHES = batches(hostile_values(10_400))
BYTES_WITHOUT_NUL = st.lists(st.integers(1, 255)).map(lambda values: texts.decode(bytes(values)))
