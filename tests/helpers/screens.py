"""What a command shows on a terminal of a given size."""

import sys

import pexpect

from helpers.wizards import ESCAPE


def screen(rigger, *arguments, size=(24, 80), code=0, **env) -> list[str]:
    """Run a command on a terminal and return its lines without colours; they are not folded at the terminal's edge."""
    child = pexpect.spawn(
        sys.executable,
        ["-m", "rigger", *arguments],
        env={**rigger.env, "TERM": "xterm", **env},
        cwd=rigger.folder,
        dimensions=size,
        timeout=60,
    )
    said = child.read()
    child.close()
    assert child.exitstatus == code, said
    text = ESCAPE.sub("", said.decode())
    return [line.rpartition("\r")[2] for line in text.replace("\r\n", "\n").splitlines()]
