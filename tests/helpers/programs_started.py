"""Which programs a command starts, itself and by all that it starts; counted, as no noise touches that."""

import os
import re
import subprocess

STARTED = re.compile(r'^\d+ +execve\("([^"]+)", \["[^"]*"(?:, "([^"]*)")?.*\) = 0$', re.M)


def programs_started(rigger, *arguments):
    """Run a command of rigger to its end and return the name and first argument of every program, its own left out."""
    trace = os.path.join(rigger.folder, "started")
    words = ["strace", "-f", "-qq", "-s", "200", "-e", "trace=execve", "-o", trace, *rigger.argv, *arguments]
    subprocess.run(
        words, cwd=rigger.folder, env=rigger.env, stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    with open(trace, errors="replace") as file:
        started = STARTED.findall(file.read())
    return [(os.path.basename(program), argument) for program, argument in started[1:]]
