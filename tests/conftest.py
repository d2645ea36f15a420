"""Every test has a home of its own, and the rigger that lies beside the tests."""

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass

import pytest

from rigger.redact import known

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
UNWANTED = (
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
    "TF_CLI_CONFIG_FILE",
    "EDITOR",
    "VISUAL",
    "NO_COLOR",
)


def pytest_configure():
    # A run in the background may have been told to ignore what Ctrl-C and Ctrl-\ send; programs would inherit that.
    for signum, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
        if signal.getsignal(signum) is signal.SIG_IGN:
            signal.signal(signum, usual)
    # In a hook of git, or in "git bisect run", these name the repository that it is about: tests would write to it.
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        del os.environ[name]


def pytest_report_header():
    from helpers.machines import left_out

    return left_out() or None


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory, monkeypatch):
    """Give the test an empty HOME and no variable that would change what rigger does."""
    known.forget()
    home = tmp_path_factory.mktemp("home")
    for name in [*UNWANTED, *(name for name in os.environ if name.startswith(("RIGGER_", "XDG_")))]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    # Downloads of several megabytes are shared by the tests of one session.
    return home


@dataclass
class Answered:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    def __str__(self):
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


class Rigger:
    """The real program, run in a home of its own."""

    argv = [sys.executable, "-m", "rigger"]

    def __init__(self, home, folder):
        self.home = os.path.join(home, ".rigger")
        self.folder = folder
        self.env = {**os.environ, "PYTHONPATH": ROOT}

    def __call__(self, *arguments, code=0, env=None, input=None, timeout=300) -> Answered:
        """Run a command and expect its exit code."""
        done = subprocess.run(
            [*self.argv, *map(str, arguments)],
            cwd=self.folder,
            env={**self.env, **(env or {})},
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            timeout=timeout,
        )
        said = Answered(
            done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        )
        assert code is None or said.code == code, f"rigger {' '.join(map(str, arguments))}: {said}"
        return said

    def start(self, *arguments, env=None) -> subprocess.Popen:
        """Start a command and leave it running."""
        return subprocess.Popen(
            [*self.argv, *map(str, arguments)],
            cwd=self.folder,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def path(self, *parts):
        return os.path.join(self.home, *parts)


@pytest.fixture
def rigger(private_home, tmp_path):
    return Rigger(str(private_home), str(tmp_path))


class Modules:
    """A folder for modules that a test writes, on rigger's search path."""

    def __init__(self, folder, rigger):
        self.folder = folder
        rigger.env["RIGGER_PROVIDER_PATH"] = os.path.join(folder, "providers")
        rigger.env["RIGGER_PLATFORM_PATH"] = os.path.join(folder, "platforms")
        rigger.env["RIGGER_ADDON_PATH"] = os.path.join(folder, "addons")

    def write(self, role, name, manifest="", **scripts):
        """Write a module: its manifest's further lines, and its scripts; `create_more` names create-more."""
        folder = os.path.join(self.folder, f"{role}s", name)
        os.makedirs(folder, exist_ok=True)
        head = f"interface: 2\nname: {name}\nrole: {role}\n"
        with open(os.path.join(folder, "rigger.yml"), "w") as file:
            file.write(head + textwrap.dedent(manifest))
        usual = {
            "provider": ("install", "create", "check", "destroy"),
            "platform": ("install", "deploy", "check", "undeploy"),
            "addon": ("apply", "destroy"),
        }
        for verb in {*usual[role], *scripts}:
            self.script(folder, verb, scripts.get(verb, ""))
        return folder

    def script(self, folder, verb, body):
        path = os.path.join(folder, verb.replace("__", "/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write("#!/bin/sh\n" + textwrap.dedent(body))
        os.chmod(path, 0o755)
        return path


@pytest.fixture
def modules(tmp_path, rigger):
    return Modules(str(tmp_path / "modules"), rigger)


@pytest.fixture(scope="session")
def etcd_cache(tmp_path_factory):
    """Programs are fetched once; workers that run at the same time share them."""
    folder = tmp_path_factory.getbasetemp()
    return str((folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "etcd-cache")
