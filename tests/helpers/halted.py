"""A rigger that stands still at one moment, until the test lets it go on: what others do meanwhile is real."""

import os
import subprocess
import sys

# It stands still in the n-th call of a function of rigger: says so in one FIFO, and waits for the other.
HALTING = """
import importlib, sys
module, _, name = sys.argv[1].rpartition(".")
number, arrived, go_on, calls = int(sys.argv[2]), sys.argv[3], sys.argv[4], []
module = importlib.import_module(module)
real = getattr(module, name)
def halting(*arguments, **options):
    calls.append(name)
    if len(calls) == number:
        open(arrived, "w").close()
        open(go_on).close()
    return real(*arguments, **options)
setattr(module, name, halting)
from rigger.__main__ import main
sys.exit(main(sys.argv[5:]))
"""


class Halted:
    """A command that stands still before the n-th call of a function, named as in `rigger.audit.log._write`."""

    def __init__(self, rigger, folder, *arguments, before, call=1):
        self.fifos = [os.path.join(folder, f"{name}-{os.urandom(4).hex()}") for name in ("arrived", "go-on")]
        for fifo in self.fifos:
            os.mkfifo(fifo)
        command = [sys.executable, "-c", HALTING, before, str(call), *self.fifos, *map(str, arguments)]
        self.process = subprocess.Popen(
            command,
            cwd=rigger.folder,
            env=rigger.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self):
        open(self.fifos[0]).close()  # until it is there
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def goes_on(self) -> tuple[int, str]:
        """Let it go on to its end; return its exit code and what it said."""
        open(self.fifos[1], "w").close()
        out, _ = self.process.communicate(timeout=120)
        return self.process.returncode, out.decode()
