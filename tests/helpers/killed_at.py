"""A rigger that is killed just before one of the calls by which it changes files, or whose disk is full from there on."""

import os
import subprocess
import sys

CALLS = ("fsync", "replace", "rename", "mkdir", "unlink", "ftruncate", "write", "pwrite")
KILLING = """
import errno, os, signal, sys
number, told, calls, full = int(sys.argv[1]), sys.argv[2], [], sys.argv[4] == "full"
def killing(name):
    real, own = getattr(os, name), os.getpid()
    def call(*arguments, **options):
        if os.getpid() == own:
            calls.append(name)
            if number and len(calls) >= number and full:
                named = [one for one in arguments[:1] if isinstance(one, str)]
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), *named)
            if len(calls) == number:
                os.kill(own, signal.SIGKILL)
        return real(*arguments, **options)
    setattr(os, name, call)
for name in sys.argv[3].split(","):
    killing(name)
from rigger.__main__ import main
code = main(sys.argv[5:])
with open(told, "w") as file:
    file.write(str(len(calls)))
sys.exit(code)
"""


def killed_at(number, rigger, *words, calls=CALLS, fault="kill", timeout=60):
    """Run a command that is killed before the n-th of such calls; return its exit code, and how many it made if it ended.

    With the fault `full` these calls fail from there on, as on a full disk.
    """
    told = os.path.join(rigger.folder, "calls-made")
    if os.path.exists(told):
        os.unlink(told)
    done = subprocess.run(
        [sys.executable, "-c", KILLING, str(number), told, ",".join(calls), fault, *words],
        cwd=rigger.folder,
        env=rigger.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
    )
    made = 0
    if os.path.exists(told):
        with open(told) as file:
            made = int(file.read())
    return done.returncode, made
