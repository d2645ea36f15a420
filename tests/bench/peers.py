"""Others that run commands one after another, each doing the same four things as `rigger test four`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from place import TESTS, Place

TASKS = "from invoke import task\n\n\n@task\ndef four(c):\n" + "".join(
    f"    c.run('{{tests}}/{test}')\n" for test in TESTS
)
SESSIONS = "import nox\n\n\n@nox.session(venv_backend='none')\ndef four(session):\n" + "".join(
    f"    session.run('{{tests}}/{test}', external=True)\n" for test in TESTS
)
DEPLOY = "from pyinfra.operations import server\n\n" + "".join(
    f"server.shell(name='{test}', commands=['{{tests}}/{test}'])\n" for test in TESTS
)
PLAYBOOK = "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n" + "".join(
    f"    - command: {{tests}}/{test}\n" for test in TESTS
)
MAKEFILE = "four:\n" + "".join(f"\t{{tests}}/{test}\n" for test in TESTS)


def peers(place: Place, tests: str) -> dict[str, list[str]]:
    """Return those that can be installed here, each with the command that runs the four scripts."""
    work = place.file("peers")
    files = {
        "tasks.py": TASKS,
        "noxfile.py": SESSIONS,
        "deploy.py": DEPLOY,
        "four.yml": PLAYBOOK,
        "Makefile": MAKEFILE,
    }
    for name, text in files.items():
        place.write(f"peers/{name}", text.format(tests=tests))
    found = {"make": ["make", "-s", "-C", work, "four"]} if shutil.which("make") else {}
    commands = {
        "invoke": ("invoke", "invoke", "-r", work, "four"),
        "nox": ("nox", "nox", "-f", os.path.join(work, "noxfile.py"), "-s", "four"),
        "pyinfra": ("pyinfra", "pyinfra", "-y", "@local", os.path.join(work, "deploy.py")),
        "ansible": (
            "ansible-core",
            "ansible-playbook",
            "-i",
            "localhost,",
            "-e",
            f"ansible_python_interpreter={place.python}",
            os.path.join(work, "four.yml"),
        ),
    }
    venv = place.file("peers-venv")
    place.run(sys.executable, "-m", "venv", venv)
    for name, (package, *argv) in commands.items():
        program = os.path.join(venv, "bin", argv[0])
        try:
            install = (place.file("peers-venv", "bin", "python"), "-m", "pip", "install", "--quiet", package)
            subprocess.run(install, env=place.env, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            print(f"{name} cannot be installed here, and is left out.", file=sys.stderr)
            continue
        found[name] = [program, *argv[1:]]
    return found
