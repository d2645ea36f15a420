"""A real etcd on machines of the provider `local`, for the add-ons that ship."""

import contextlib
import glob
import json
import os

import pytest
from helpers.processes import at_home_below


class Cluster:
    """An environment with a real etcd, and what its add-ons say."""

    def __init__(self, rigger, cache):
        self.rigger = rigger
        os.makedirs(rigger.home, mode=0o700)
        os.makedirs(cache, exist_ok=True)
        os.symlink(cache, rigger.path("cache"))

    def make(self, *words):
        self.rigger("configure", "--defaults", *words)
        self.rigger("provision", "-y")

    def path(self, *parts):
        return self.rigger.path("environments", "etcd", *parts)

    def state(self):
        with open(self.path("state.json")) as file:
            return json.load(file)

    def output(self, name):
        """Return what an add-on gave, as the state has it."""
        return self.state()["modules"][name]["output"]

    def home(self, node="node-1"):
        """Return a machine's home."""
        machines = os.path.join(self.rigger.env["HOME"], ".local", "share", "rigger", "machines")
        [mine] = os.listdir(machines)
        return os.path.join(machines, mine, node)

    def files(self, node):
        """Return the files on a machine that are neither etcd's nor rigger's own."""
        found = [os.path.join(at, name) for at, _, names in os.walk(self.home(node)) for name in names]
        others = tuple(
            os.path.join(self.home(node), part) for part in ("rigger-etcd/", ".local/state/rigger/")
        )
        return [path for path in found if not path.startswith(others)]

    def applied(self, name):
        """Return how often an add-on was applied."""
        with open(self.path("audit.jsonl")) as file:
            records = [json.loads(line) for line in file]
        return sum(
            one["event"] == "step-started" and one["module"] == f"addon/{name}" and one["step"] == "apply"
            for one in records
        )

    def process(self, name, node="node-1"):
        """Return the process of a service on a machine, as it was noted there when it began; None where none is noted."""
        with contextlib.suppress(FileNotFoundError, IndexError, ValueError):
            services = os.path.join(self.home(node), ".local", "share", "rigger-services")
            with open(glob.glob(os.path.join(services, "*", name, "process"))[0]) as file:
                return int(file.read().split()[0])
        return None


@pytest.fixture
def cluster(rigger, etcd_cache):
    made = Cluster(rigger, etcd_cache)
    yield made
    rigger("destroy", "-y", code=None)
    assert at_home_below(rigger.env["HOME"]) == []
