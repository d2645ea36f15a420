"""Programs that tests put on the PATH."""

import shlex
import sys


def install_rigger(folder):
    """Make a folder with the program `rigger` of this checkout, as somebody has it who installed it."""
    folder.mkdir()
    program = folder / "rigger"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m rigger "$@"\n')
    program.chmod(0o755)
    return folder
