"""Nodes that are folders of this machine, as a provider with a script `exec` has them."""

import os
import re
import shutil
import subprocess

from helpers.processes import at_home_below
from helpers.steps import LIBEXEC
from rigger.environments import inventory

EXEC = """#!/bin/sh
cd "$HOMES/$1" || exit 255
shift
exec env -i HOME="$PWD" PATH="$PROGRAMS" USER=root LANG=C "$@"
"""


class Folders:
    """Nodes that are folders, reached by a provider's `exec`, with nothing but a certain shell and its programs."""

    def __init__(self, tmp, shell):
        self.tmp = tmp
        self.id = os.urandom(5).hex()
        provider, programs = tmp / "provider", tmp / "programs"
        for folder in (provider, programs, tmp / "homes" / "node-1", tmp / "homes" / "node-2"):
            folder.mkdir(parents=True)
        (provider / "exec").write_text(EXEC)
        (provider / "exec").chmod(0o755)
        path = str(programs)
        if shell == "busybox":
            subprocess.run([shutil.which("busybox"), "--install", "-s", path], check=True)
        else:
            (programs / "sh").symlink_to(shutil.which(shell))
            path += os.pathsep + os.defpath
        nodes = [inventory.Node(name, "127.0.0.1") for name in ("node-1", "node-2")]
        inventory.write(str(tmp / "inventory.json"), nodes)
        self.env = {
            "PATH": LIBEXEC + os.pathsep + os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "RIGGER_NODES_FILE": str(tmp / "inventory.tsv"),
            "RIGGER_PROVIDER_DIR": str(provider),
            "RIGGER_ENVIRONMENT_ID": self.id,
            "HOMES": str(tmp / "homes"),
            "PROGRAMS": path,
            "LEAK": "a variable of the script",
        }

    def home(self, node="node-1"):
        return self.tmp / "homes" / node

    def service(self, *argv, code=0, **more):
        done = subprocess.run(
            [os.path.join(LIBEXEC, "rigger-service"), *argv],
            env={**self.env, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert code is None or done.returncode == code, done
        return done.stdout + done.stderr

    def pid(self, name="web"):
        return int(re.search(r"process (\d+)", self.service("status", "node-1", name)).group(1))

    def processes(self):
        """Return what runs with one of the homes in its environment."""
        return at_home_below(self.tmp / "homes")
