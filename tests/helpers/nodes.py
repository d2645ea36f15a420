"""Nodes that commands are run on over SSH."""

import contextlib
import os
import subprocess

from helpers.machines import LOST_AFTER
from helpers.steps import LIBEXEC
from rigger.environments import inventory
from rigger.ssh import connections as ssh_connections


class Nodes:
    """An environment's folder whose inventory has the machines, and the programs of a step."""

    def __init__(self, machines, folder, **changes):
        self.machines = machines
        self.folder = str(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.known_hosts = os.path.join(self.folder, "known_hosts")
        self.env = {
            **os.environ,
            "PATH": LIBEXEC + os.pathsep + os.environ["PATH"],
            "RIGGER_ENVIRONMENT_DIR": self.folder,
            "RIGGER_NODES_FILE": os.path.join(self.folder, "inventory.tsv"),
            "RIGGER_PROVIDER_DIR": os.path.join(self.folder, "no-such-provider"),
            "RIGGER_SSH_TIMEOUT": LOST_AFTER,
            "RIGGER_RETRY_PAUSE": "1",
        }
        self.describe(**changes)

    def describe(self, **changes):
        """Write the inventory; `changes` replace what ssh needs to know of a node: node_2={"port": 1}."""
        lines = []
        for node in self.machines.nodes():
            more = changes.get(node["name"].replace("-", "_"), {})
            node["address"] = more.pop("address", node["address"])
            node["ssh"] = {name: v for name, v in {**node["ssh"], **more}.items() if v is not None}
            lines.append(inventory.Node(**node))
        inventory.write(os.path.join(self.folder, "inventory.json"), lines)

    def start(self, *argv, program="rigger-node", **options):
        options = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            **options,
        }
        return subprocess.Popen([os.path.join(LIBEXEC, program), *map(str, argv)], env=self.env, **options)

    def __call__(self, *argv, code=0, input=None, **options):
        if input is not None:
            options["stdin"] = subprocess.PIPE
        process = self.start(*argv, **options)
        out, err = process.communicate(input, timeout=60)
        said = subprocess.CompletedProcess(argv, process.returncode, out, err.decode(errors="replace"))
        assert code is None or said.returncode == code, said
        return said

    def copy(self, *argv, **options):
        return self(*argv, program="rigger-node-copy", **options)

    @contextlib.contextmanager
    def run(self):
        """Do as a run does: one connection for each node, until the end."""
        with ssh_connections.Connections(self.folder) as connections:
            self.env["RIGGER_CONNECTIONS"] = connections.path
            try:
                yield connections
            finally:
                self.env.pop("RIGGER_CONNECTIONS", None)


def processes(folder=None):
    """Return the ssh processes that have their sockets in a folder."""
    folder = os.fsencode(folder or os.environ["XDG_RUNTIME_DIR"]) + b"/"
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
            if words[0] == b"ssh" and any(word.startswith(folder) for word in words):
                found.add(name)
    return found
