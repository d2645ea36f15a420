"""The nodes of a rehearsal, asked as scripts ask them: who answers, what lies there, and what if one is silent."""

from __future__ import annotations

import os
import shlex

from rigger.environments import inventory
from rigger.errors import RiggerError
from rigger.process import capture
from rigger.runs.environment import LIBEXEC, script_environment
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.environments.inventory import Node

MARK = "rigger-module-check"  # a file that is left on a node, by which it is known again
PATIENCE = 60.0  # seconds for one look at one node
NODE = os.path.join(LIBEXEC, "rigger-node")
# What rigger itself, a login and a cache keep in a home is no module's.
FIND = (
    "find . -type f ! -path './.local/share/rigger/*' ! -path './.ssh/*' ! -path './.cache/*' "
    "! -name '.rigger-copy.*' ! -name '.*_history' -exec cksum {} + 2>/dev/null; true"
)

Files = dict[str, str]  # of one node's home: name -> checksum and size


@frozen
class Machines:
    """Some nodes, and the environment by which they are reached; they may be gone already."""

    nodes: tuple[Node, ...]
    environ: Mapping[str, str] = field(repr=False)
    folder: str  # where the asking starts: an `exec` that changes no folder shows nothing of its own

    def run(self, name: str, words: Sequence[str], given: bytes = b"") -> capture.Captured | None:
        """Run a command on a node; return None where it did not end."""
        try:
            return capture.capture(
                [NODE, name, *words], env=self.environ, input=given, timeout=PATIENCE, cwd=self.folder
            )
        except RiggerError:
            return None

    def answers(self, name: str) -> bool:
        return self.exit_code(name) == 0

    def exit_code(self, name: str) -> int | None:
        """Return how a command ends that always succeeds where it runs; None where it did not end."""
        said = self.run(name, ["true"])
        return said.exit_code if said else None

    @property
    def names(self) -> list[str]:
        return [node.name for node in self.nodes]

    def files(self) -> dict[str, Files]:
        """Return what lies in the home of each node; of one that does not answer, nothing."""
        return {name: self._files_of(name) for name in self.names}

    def _files_of(self, name: str) -> Files:
        said = self.run(name, ["sh", "-c", FIND])
        lines = said.output.decode("utf-8", "replace").splitlines() if said and said.exit_code == 0 else []
        rows = [line.split(" ", 2) for line in lines]
        return {row[2].removeprefix("./"): f"{row[0]} {row[1]}" for row in rows if len(row) == 3}

    def home(self, name: str) -> str:
        """Return the folder that a command on a node starts in; empty where it does not answer."""
        said = self.run(name, ["sh", "-c", "pwd -P"])
        return said.output.decode("utf-8", "replace").strip() if said and said.exit_code == 0 else ""


def machines(environment: Environment, config: Config, folder: str) -> Machines:
    """Return the nodes of an environment as they are now; what is asked later finds them even if they are gone."""
    own = os.path.join(folder, f"nodes-{len(os.listdir(folder))}")
    nodes = tuple(environment.nodes())
    inventory.write(f"{own}.json", nodes)
    environ = {
        **script_environment(environment, config, config.platform),
        "RIGGER_NODES_FILE": inventory.text_path(f"{own}.json"),
        "RIGGER_RETRY_PAUSE": "0",
    }
    return Machines(nodes, environ, folder)


# What a script meets on its way to the nodes

WAY = """#!/bin/sh
# Summary: Stand in for the provider's exec: note which node was asked, be silent for one, hold a script at a call.
printf '%s\\n' "$1" >>"$RIGGER_CHECK_ASKED"
if [ "$1" = "$RIGGER_CHECK_SILENT" ]; then
    echo "error: rigger-node: $1 does not answer" >&2
    exit 254
fi
if [ "$RIGGER_CHECK_HELD" != 0 ] && [ "$(wc -l <"$RIGGER_CHECK_ASKED")" -eq "$RIGGER_CHECK_HELD" ]; then
    : >"$RIGGER_CHECK_ASKED.held"
    sleep 60
fi
"""


@frozen
class Way:
    """A stand-in for the provider's `exec` on the way of a platform's scripts to the nodes."""

    folder: str

    @property
    def held(self) -> str:
        """The file that is there once a script waits at the call where it was to be held."""
        return os.path.join(self.folder, "asked.held")

    @property
    def asked(self) -> list[str]:
        """The nodes that the last step asked, once for each time."""
        try:
            with open(os.path.join(self.folder, "asked"), encoding="utf-8", errors="replace") as file:
                return file.read().split()
        except FileNotFoundError:
            return []

    def environ(self, config: Config, silent: str, held: int) -> dict[str, str]:
        """Return what a step's environment needs for it, and forget what was asked before."""
        os.makedirs(self.folder, exist_ok=True)
        program, asked = (os.path.join(self.folder, name) for name in ("exec", "asked"))
        for path in (asked, self.held):
            if os.path.exists(path):
                os.unlink(path)
        real = config.provider.folder
        with open(program, "w", encoding="utf-8") as file:
            file.write(f'{WAY}RIGGER_PROVIDER_DIR={shlex.quote(real)} exec {shlex.quote(NODE)} "$@"\n')
        os.chmod(program, 0o700)
        return {
            "RIGGER_PROVIDER_DIR": self.folder,
            "RIGGER_CHECK_ASKED": asked,
            "RIGGER_CHECK_SILENT": silent,
            "RIGGER_CHECK_HELD": str(held),
            "RIGGER_RETRY_PAUSE": "0",
        }
