"""Runs single scripts of the provider `local` and the platform `etcd`, with the environment that a step has."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field

from rigger.envfile import output as step_output
from rigger.environments import inventory

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIBEXEC = os.path.join(ROOT, "rigger", "libexec")


@dataclass
class Done:
    """How a script ended, what it said, and what it gave back."""

    code: int
    out: str
    saved: dict = field(default_factory=dict)
    figures: dict = field(default_factory=dict)

    def __str__(self):
        return f"exit {self.code}\n{self.out}"


class Steps:
    """One environment and the scripts of its two modules."""

    def __init__(self, home, cache=None, version="3.5.0", **values):
        self.id = os.urandom(5).hex()
        self.home = str(home)
        self.folder = os.path.join(self.home, ".rigger", "environments", self.id)
        self.machines = os.path.join(self.home, ".local", "share", "rigger", "machines", self.id)
        self.folders = {
            "provider": os.path.join(ROOT, "providers", "local"),
            "platform": os.path.join(ROOT, "rigger", "platforms", "etcd"),
        }
        self.values = {"NODES": "3", "ETCD_VERSION": version, **values}
        self.cache = cache or os.path.join(self.home, ".rigger", "cache")
        self.bin = os.path.join(self.folder, "bin")
        self.leaving = ""
        for folder in ("bin", "modules/provider", "modules/platform"):
            os.makedirs(os.path.join(self.folder, folder))
        inventory.write(self.file("inventory.json"), [])

    def file(self, *parts):
        return os.path.join(self.folder, *parts)

    def environment(self, role, **values):
        state = {role: self.file("modules", role) for role in self.folders}
        path = os.pathsep.join([LIBEXEC, self.bin, os.environ["PATH"]])
        return {
            **os.environ,
            **self.values,
            **values,
            "HOME": self.home,
            "PATH": path,
            "RIGGER_HOME": os.path.join(self.home, ".rigger"),
            "RIGGER_ENVIRONMENT_ID": self.id,
            "RIGGER_MODULE_DIR": self.folders[role],
            "RIGGER_STATE_DIR": state[role],
            "RIGGER_PROVIDER_DIR": self.folders["provider"],
            "RIGGER_PROVIDER_STATE_DIR": state["provider"],
            "RIGGER_INVENTORY": self.file("inventory.json"),
            "RIGGER_NODES_FILE": self.file("inventory.tsv"),
            "RIGGER_BIN_DIR": self.bin,
            "RIGGER_CACHE_DIR": self.cache,
            "RIGGER_PYTHON": sys.executable,
            "RIGGER_LEAVING": self.leaving,
            "RIGGER_OUTPUT": self.file("output"),
            "RIGGER_SECRETS_OUTPUT": self.file("secrets-output"),
            "RIGGER_FIGURES_OUTPUT": self.file("figures-output"),
            "RIGGER_INVENTORY_OUTPUT": self.file("inventory-output"),
        }

    def run(self, role, script, code=0, **values):
        """Run a script, expect its exit code, and take over the inventory it wrote."""
        for name in ("output", "secrets-output", "inventory-output", "figures-output"):
            open(self.file(name), "wb").close()
        done = subprocess.run(
            [os.path.join(self.folders[role], script)],
            cwd=self.folders[role],
            env=self.environment(role, **values),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            timeout=300,
        )
        saved, problems = step_output.parse_output(self.content("output"), "output")
        assert problems == []
        figures, problems = step_output.parse_output(self.content("figures-output"), "figures")
        assert problems == []
        result = Done(done.returncode, done.stdout.decode(errors="replace"), saved, figures)
        assert code is None or result.code == code, f"{role}/{script}: {result}"
        if (role, script) == ("provider", "create") and result.code == 0:
            nodes, problems = inventory.parse_output(self.content("inventory-output"))
            assert problems == []
            inventory.write(self.file("inventory.json"), nodes)
        return result

    def provider(self, script, code=0, **values):
        return self.run("provider", script, code, **values)

    def platform(self, script, code=0, **values):
        return self.run("platform", script, code, **values)

    def content(self, name):
        with open(self.file(name), "rb") as file:
            return file.read()

    def nodes(self):
        return json.loads(self.content("inventory.json"))

    def provision(self, nodes=3):
        """Do what rigger does for a cluster of that many nodes, on top of what exists."""
        self.leaving = " ".join(node["name"] for node in self.nodes()[nodes:])
        if self.leaving:
            self.platform("scale")
        self.leaving = ""
        self.values["NODES"] = str(nodes)
        self.provider("create")
        self.platform("install")
        done = self.platform("deploy")
        self.platform("check")
        return done

    def on(self, node, *command, **options):
        """Run a command on a node through rigger-node."""
        argv = [os.path.join(LIBEXEC, "rigger-node"), node, *command]
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 60, **options}
        return subprocess.run(argv, env=self.environment("platform"), **options)

    def etcdctl(self, *arguments, node=None):
        """Return what the client that was set up for this environment prints, asking all members, or that of a node."""
        asked = [n for n in self.nodes() if node in (None, n["name"])]
        endpoints = ",".join(f"http://{n['address']}:{2379 + n['port_offset']}" for n in asked)
        argv = [os.path.join(self.bin, "etcdctl"), "--endpoints", endpoints, *arguments]
        done = subprocess.run(argv, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode()

    def processes(self):
        """Return the ids of all processes that belong to this environment's machines."""
        found = []
        for name in os.listdir("/proc"):
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    if f"\0RIGGER_MACHINE={self.id}/".encode() in b"\0" + file.read():
                        found.append(int(name))
            except (OSError, ValueError):
                continue
        return found

    def member_process(self, node):
        """Return the process id of the member on a node."""
        with open(os.path.join(self.machines, node, "rigger-etcd", "member")) as file:
            return int(file.read().split()[0])
