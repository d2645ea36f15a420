"""A walk over all states of a cluster: each step fails, is killed or skips, and what rigger says next leads on.

Whoever follows the commands that rigger names comes to a cluster that runs, and then to one that is destroyed.
"""

import json
import os
import re
import shlex
import signal

import pytest
from helpers.clusters import MAKE_NODES, wait_for
from helpers.second_machine import forest

UPGRADE = ("upgrade", "--version", "1.10.0", "--upgrade-style", "graceful")
BACKUP = ("restore", "-y", "the.backup")
LOOKS = ("logs", "status", "check", "history")  # commands that change nothing
NAMED = re.compile(r'(?:"|^ +)(rigger [^"\n]*)', re.M)  # in quotes, or on a line of its own
CONSENT = {"destroy": "--yes", "suspend": "-y", "restore": "-y", "provision": "-y"}

# By command: the steps that it has, and what was done before.
STEPS = {
    ("provision",): {
        "provider": ("install", "create"),
        "platform": ("setup-clients", "prepare", "install", "deploy", "check"),
    },
    ("provision", "--again"): {
        "provider": ("install", "create", "check"),
        "platform": ("prepare", "install", "deploy", "check"),
    },
    ("test", "smoke"): {"platform": ("tests/grows",)},
    ("test", "app-deploy"): {"platform": ("tests/app-deploy",)},
    ("test", "app-destroy"): {"platform": ("tests/app-destroy",)},
    ("check",): {"provider": ("check",), "platform": ("check",)},
    ("backup",): {"platform": ("backup",)},
    BACKUP: {"platform": ("restore", "check")},
    UPGRADE: {"platform": ("tests/app-test", "backup", "upgrade-graceful", "check")},
    ("upgrade", "--rollback"): {"platform": ("upgrade-graceful", "check", "tests/app-test")},
    ("suspend", "-y"): {"provider": ("suspend",), "platform": ("backup", "undeploy")},
    ("resume",): {"provider": ("resume",), "platform": ("install", "deploy", "restore", "check")},
    ("destroy", "--yes"): {"provider": ("destroy",), "platform": ("undeploy",)},
}
HOW = ("fails", "script killed", "rigger killed", "skips")
CORE = [
    (UPGRADE, "platform", "backup", "fails"),
    (UPGRADE, "platform", "upgrade-graceful", "rigger killed"),
    (BACKUP, "platform", "restore", "rigger killed"),
    (("suspend", "-y"), "platform", "undeploy", "script killed"),
    (("destroy", "--yes"), "provider", "destroy", "fails"),
]
ALL = [
    (command, role, verb, how)
    for command, roles in STEPS.items()
    for role, verbs in roles.items()
    for verb in verbs
    for how in HOW
    if how != "skips" or verb.startswith("tests/")
]


class Walker:
    """Somebody who types what rigger says, and knows nothing else."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.rigger = cluster.rigger
        self.typed: list[str] = []

    def state(self) -> dict:
        return json.loads(self.rigger("status", "-o", "json").out)

    def is_whole(self) -> bool:
        known = self.state()
        return (
            known["state"] == "deployed"
            and not known["upgrade"]
            and self.rigger("check", code=None).code == 0
        )

    def type(self, command: str):
        self.typed.append(command)
        words = shlex.split(command)[1:]
        if words[0] in CONSENT:
            words.insert(1, CONSENT[words[0]])
        return self.rigger(*words, code=None)

    def follow(self, said: str, towards: str = "") -> None:
        """Type the first named command that does something, until the cluster is whole."""
        for _ in range(6):
            if self.is_whole():
                return
            command = self.next(said) or self.next(self.rigger("status").out)
            assert command, f"no way on is named after {self.typed}: {said}"
            answer = self.type(command)
            said = answer.out + answer.err
        raise AssertionError(f"it goes on for ever: {self.typed}\n{said}")

    def next(self, said: str) -> str:
        named = [each for each in NAMED.findall(said) if each.split()[1] not in LOOKS]
        named = [each for each in named if each.split()[1] not in ("forget", "destroy")] or named
        return named[0] if named else ""


@pytest.fixture
def walker(rigger, modules):
    cluster = forest(rigger, modules)
    cluster.script("platform", "setup-clients", 'echo >"$RIGGER_BIN_DIR/client"')
    cluster.script("platform", "prepare")
    cluster.script("provider", "suspend")
    cluster.script("provider", "resume", MAKE_NODES)
    cluster.configure("--set", "VERSION=1.9.0")
    with open(os.path.join(rigger.folder, "the.backup"), "w") as file:
        file.write("data\n")
    return Walker(cluster)


def prepare(walker, command) -> None:
    """Bring the cluster to where the command is typed."""
    cluster = walker.cluster
    if command != ("provision",):
        walker.rigger("provision")
    if command[0] == "upgrade" or command[-1] == "app-destroy":
        walker.rigger("test", "app-deploy")
    if command[-1] == "--rollback":
        well = content(cluster, "upgrade-graceful")
        cluster.script("platform", "upgrade-graceful", "exit 3")
        walker.rigger(*UPGRADE, code=5)
        write(cluster, "platform", "upgrade-graceful", well)
    if command == ("resume",):
        walker.rigger("suspend", "-y")


def script_of(cluster, role, verb):
    return os.path.join(cluster.folders[role], verb)


def content(cluster, verb, role="platform") -> str:
    with open(script_of(cluster, role, verb)) as file:
        return file.read()


def write(cluster, role, verb, text) -> None:
    with open(script_of(cluster, role, verb), "w") as file:
        file.write(text)


BREAKS = {
    "fails": "exit 3\n",
    "skips": "exit 77\n",
    "script killed": "kill -9 $$\n",
    "rigger killed": ': >"$RIGGER_ENVIRONMENT_DIR/began"; exec sleep 300\n',
}


def broken(walker, command, role, verb, how):
    """Have a step of a command go wrong, put its script right again, and return what rigger said."""
    cluster = walker.cluster
    well = content(cluster, verb, role)
    write(cluster, role, verb, f"{well}\n{BREAKS[how]}")
    said = killed_in_step(walker, command) if how == "rigger killed" else walker.rigger(*command, code=None)
    write(cluster, role, verb, well)
    return said


def killed_in_step(walker, command):
    """Kill rigger, and then the script that outlived it, as a machine that goes down does."""
    running = walker.rigger.start(*command)
    began = walker.cluster.file("began")
    wait_for(lambda: os.path.exists(began) or running.poll() is not None)
    assert running.poll() is None, running.stdout.read()
    scripts = children(running.pid)
    running.kill()
    running.wait()
    for script in scripts:
        os.killpg(script, signal.SIGKILL)
    running.stdout.close()
    return None


def children(parent) -> list[int]:
    """Return the children of a process that lead a session of their own, as scripts do."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and int(fields[3]) == int(name):
            found.append(int(name))
    return found


def walk(walker, command, role, verb, how):
    prepare(walker, command)
    said = broken(walker, command, role, verb, how)
    if how == "skips":
        assert said.code == 0, "a test that does not apply is no failure"
    elif said is not None and said.code:
        assert NAMED.search(said.err), f"no next step is named: {said.err}"
    walker.follow(said.err if said and said.code else walker.rigger("status").out)
    walker.rigger("test", "smoke")
    walker.rigger("provision", "-y")
    walker.rigger("destroy", "--yes")
    assert walker.state()["state"] == "destroyed"
    walker.rigger("forget", "-y", "wood")


def name_of(case) -> str:
    command, role, verb, how = case
    return f"{' '.join(command[:2])}: {role} {verb} {how}"


@pytest.mark.slow
@pytest.mark.parametrize("case", CORE, ids=name_of)
def test_a_way_on(walker, case):
    walk(walker, *case)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in ALL if case not in CORE], ids=name_of)
def test_every_way_on(walker, case):
    walk(walker, *case)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["fails", "script killed", "rigger killed"])
@pytest.mark.parametrize("at", [0, 1])
def test_a_destroy_goes_on_from_where_it_stopped(walker, how, at):
    prepare(walker, ("destroy", "--yes"))
    role, verb = [("platform", "undeploy"), ("provider", "destroy")][at]
    broken(walker, ("destroy", "--yes"), role, verb, how)
    walker.rigger("destroy", "--yes")
    assert walker.state()["state"] == "destroyed"
