"""Which programs a command starts, itself and by all that it starts; counted, as no noise touches that."""

import os
import re
import subprocess
import time

STARTED = re.compile(r'^([\d.]+) execve\("([^"]+)", \["[^"]*"(?:, "([^"]*)")?.*\) = 0$', re.M)


def programs_started(rigger, *arguments):
    """Run a command of rigger to its end and return the name and first argument of every program, its own left out."""
    folder = os.path.join(rigger.folder, "started")
    os.makedirs(folder)
    ended = os.path.join(rigger.folder, "ended")
    words = ["sh", "-c", 'exec 3>"$0"; "$@"; echo $? >&3', ended, *rigger.argv, *arguments]
    # A file for each process: in a single one they would cut each other's lines.
    trace = ["-ff", "-ttt", "-s", "200", "-e", "trace=execve", "-o", os.path.join(folder, "process")]
    with subprocess.Popen(
        ["strace", "-I", "2", "-qq", *trace, *words],
        cwd=rigger.folder,
        env=rigger.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as tracer:
        while tracer.poll() is None and not (os.path.exists(ended) and os.path.getsize(ended)):
            time.sleep(0.1)
        tracer.terminate()  # it would wait for what lives on, such as services
    with open(ended) as file:
        assert file.read() == "0\n"
    started = []
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), errors="replace") as file:
            started += STARTED.findall(file.read())
        os.unlink(os.path.join(folder, name))
    os.rmdir(folder)
    os.unlink(ended)
    return [(os.path.basename(program), argument) for _, program, argument in sorted(started)[2:]]
