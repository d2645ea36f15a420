"""The files through which a step gives values, nodes and measurements back."""

from __future__ import annotations

import json
import os
import stat

from rigger.envfile.output import parse_output
from rigger.environments import inventory
from rigger.files import remove, unlink_if_there
from rigger.values import field, mutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.environments.inventory import Node


@mutable
class StepOutput:
    """What a step gave back."""

    values: dict[str, str] = field(repr=False, default_factory=dict)
    secrets: dict[str, str] = field(repr=False, default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)
    output: dict[str, Any] | None = field(
        repr=False, default=None
    )  # of an add-on: its part of the state from now on
    proposed: dict[str, str] = field(repr=False, default_factory=dict)  # answers, of an init
    uses: tuple[str, ...] = ()  # the nodes that it says it uses
    hidden: tuple[str, ...] = ()  # names of the values that turned out to hold a secret

    def take_leftovers(self) -> list[str]:
        """Take what the step named as left over out of its vars."""
        return [line for line in self.values.pop("LEFTOVERS", "").splitlines() if line.strip()]


class StepFiles:
    """The files that a step gives values back through; they outlive a killed rigger."""

    def __init__(self, stem: str):
        self.log = f"{stem}.log"
        self.vars = f"{stem}.vars"
        self.secrets = f"{stem}.secrets"
        self.nodes = f"{stem}.nodes"
        self.figures = f"{stem}.figures"
        self.state = f"{stem}.state"
        self.container = f"{stem}.container"  # the id of the container that does its work, while it runs
        self.failed = f"{stem}.failed"  # where its script ended

    @classmethod
    def of_step(cls, folder: str, number: int, verb: str, attempt: int = 1) -> StepFiles:
        """Return the files of a step in its run's folder."""
        again = f".{attempt}" if attempt > 1 else ""
        return cls(os.path.join(folder, f"{number:02d}-{verb.replace('/', '-')}{again}"))

    @classmethod
    def of_log(cls, path: str) -> StepFiles:
        """Return the files of the step that has this log."""
        return cls(path.removesuffix(".log"))

    def create(self) -> None:
        for path in (self.log, self.vars, self.secrets, self.nodes):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    def collect(self, shown: str) -> StepOutput:
        given = StepOutput()
        for path in (self.vars, self.secrets, self.nodes, self.figures, self.state):
            if not _is_plain(path):
                given.problems.append(f"{shown} made something else than a file of {os.path.basename(path)}")
                remove(path)
        odd = given.problems
        given.values, given.problems = parse_output(content_of(self.vars), shown)
        given.secrets, problems = parse_output(content_of(self.secrets), shown)
        given.problems += problems
        given.nodes, problems = inventory.parse_output(content_of(self.nodes))
        given.problems += problems
        given.figures, _ = parse_output(content_of(self.figures), shown)
        given.output, problems = parse_state(content_of(self.state), shown)
        given.problems += [*problems, *odd]
        return given

    def remove(self) -> None:
        for path in (
            self.vars,
            self.secrets,
            self.nodes,
            self.figures,
            self.state,
            self.failed,
            self.container,
        ):
            unlink_if_there(path)


LONGEST_STATE = 256 << 10  # bytes of the output of one module: all of them are read by every script


def parse_state(data: bytes, shown: str) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the JSON object that a step wrote as its part of the state, None where it wrote none, and what is wrong."""
    if not data.strip():
        return None, []
    if len(data) > LONGEST_STATE:
        return None, [f"{shown}: its output ($RIGGER_STATE_OUTPUT) is longer than {LONGEST_STATE >> 10} KiB"]
    try:
        output = json.loads(data)
    except (ValueError, RecursionError) as problem:
        return None, [f"{shown}: its output ($RIGGER_STATE_OUTPUT) is not JSON: {problem}"]
    if not isinstance(output, dict):
        return None, [f"{shown}: its output ($RIGGER_STATE_OUTPUT) is not one JSON object"]
    return output, []


def _is_plain(path: str) -> bool:
    """Return whether a path can be read without waiting: an ordinary file, or nothing."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except FileNotFoundError:
        return True


def content_of(path: str) -> bytes:
    if not _is_plain(path):
        return b""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
