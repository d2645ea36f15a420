"""How the nodes are reached while a command works: connections that all its steps share, and an agent with its keys."""

from __future__ import annotations

import contextlib
import os

from rigger.later import later
from rigger.runs.environment import LIBEXEC, script_environment
from rigger.ssh.agent import key_problem
from rigger.ssh.connections import Connections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.process import capture
    from rigger.runs.reporter import Reporter
    from rigger.ssh import agent
else:
    capture = later("rigger.process.capture")
    agent = later("rigger.ssh.agent")


PATIENCE = "5"  # seconds that a node has to answer, unless RIGGER_SSH_TIMEOUT says otherwise
AT_ONCE = 100
ROUND = 120.0  # seconds that all of them have


class Reach:
    """The way to an environment's nodes; what opens it first closes it again."""

    def __init__(self, environment: Environment, config: Config, reporter: Reporter):
        self.environment = environment
        self.config = config
        self.reporter = reporter
        self.connections = Connections(environment.path)
        self.served: Mapping[str, str] = {}  # the variables by which programs find the ssh agent
        self._open = False

    @contextlib.contextmanager
    def opened(self, command: str) -> Iterator[None]:
        """Have connections, and an agent with the keys that the platform names, until the end; raises NotReady."""
        if self._open:
            yield
            return
        with self._keys_served(command), self.connections:
            self._open = True
            try:
                yield
            finally:
                self._open = False

    @contextlib.contextmanager
    def _keys_served(self, command: str) -> Iterator[None]:
        keys = keys_to_serve(self.config)
        if not keys or command == "setup-clients":
            yield
            return
        if command == "destroy":  # what is there must be removable without the keys, too
            keys = [key for key in keys if key_problem(key) is None]
        with agent.serving(keys, self.environment.path, self.reporter.line) as variables:
            self.served = variables
            yield

    def environ(self) -> dict[str, str]:
        """Return the environment of a program that reaches nodes; only while it is open."""
        values = script_environment(self.environment, self.config, self.config.provider)
        return {**values, **self.served, "RIGGER_CONNECTIONS": self.connections.path}

    def ask(
        self, names: Sequence[str], words: Sequence[str], more: Mapping[str, str] | None = None
    ) -> capture.Captured:
        """Run a command on nodes, all at once, and return what rigger-node says of it; raises StepFailed.

        `more` goes into its environment.
        """
        argv = [
            os.path.join(LIBEXEC, "rigger-node"),
            "--all",
            "--parallel",
            str(min(len(names), AT_ONCE)),  # those that are silent are waited for together
            "--only",
            " ".join(names),
        ]
        environ = {"RIGGER_SSH_TIMEOUT": PATIENCE, **self.environ(), **(more or {})}
        return capture.capture([*argv, "--", *words], env=environ, timeout=ROUND)


def keys_to_serve(config: Config) -> list[str]:
    """Return the files of the keys that the platform wants an ssh agent for."""
    return [config.values[name] for name in config.platform.ssh_agent if config.values.get(name)]
