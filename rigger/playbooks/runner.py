"""Runs a playbook, and reads its events (the one home of ansible_runner)."""

from __future__ import annotations

import os
import sys

from rigger.errors import NotReady
from rigger.values import field, mutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

FAILED = ("runner_on_failed", "runner_on_unreachable", "runner_on_async_failed")
GET_IT = "pip install 'rigger[ansible]'"
CANCELLED = 130


@mutable
class Played:
    """What the events of a playbook said."""

    code: int = 0
    changed: list[str] = field(default_factory=list)  # the tasks that changed something, or would
    failed: list[str] = field(default_factory=list)
    given: dict[str, Any] = field(repr=False, default_factory=dict)  # by set_stats, for all hosts

    def hear(self, event: Mapping[str, Any]) -> None:
        """Take one event in. Statistics would not do: they count what a check mode skipped as well."""
        kind, data = event.get("event", ""), event.get("event_data") or {}
        result = data.get("res") or {}
        place = f"{data.get('task', '')} ({data.get('host', '')})"
        if kind == "runner_on_ok" and result.get("changed"):
            self.changed.append(place)
        elif kind in FAILED and not data.get("ignore_errors"):
            self.failed.append(place)
        elif kind == "playbook_on_stats":
            self.given = dict(data.get("artifact_data") or {})


def require(owner: str) -> Any:
    """Return ansible_runner; raises NotReady where it is not installed beside rigger."""
    try:
        import ansible_runner  # slow, and an extra
    except ImportError:
        raise NotReady(*not_installed(owner)) from None
    return ansible_runner


def is_installed() -> bool:
    """Return whether ansible-runner is there; it is not imported for that."""
    from importlib.util import find_spec  # slow to import

    return find_spec("ansible_runner") is not None


def not_installed(owner: str) -> tuple[str, str]:
    """Return what is said where ansible-runner is not there, and the next step."""
    return (
        f"{owner} is a playbook, and ansible-runner is not installed for {sys.executable}.",
        f"{GET_IT} installs it.",
    )


def play(
    owner: str,
    folder: str,
    project: str,
    playbook: str,
    inventory: str,
    environ: Mapping[str, str],
    *,
    check: bool,
    say: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> Played:
    """Run a playbook to its end. `folder` is empty and this step's alone: what the runner finds there it takes over.

    Values reach the playbook by the inventory: words of a command line can be read by everybody.
    """
    played = Played()

    def hear(event: dict[str, Any]) -> bool:
        played.hear(event)
        if event.get("stdout"):
            say(event["stdout"])
        return False  # not kept in a file: it may hold what a task does not hide

    done = require(owner).run(
        private_data_dir=folder,
        project_dir=project,
        playbook=playbook,
        inventory=inventory,
        envvars=dict(environ),
        cmdline="--check --diff" if check else "--diff",
        suppress_env_files=True,
        quiet=True,
        event_handler=hear,
        cancel_callback=cancelled,
    )
    played.code = CANCELLED if done.status == "canceled" else int(done.rc or 0)
    return played


def programs() -> str:
    """Return the folder of the programs that came with ansible-core."""
    return os.path.dirname(sys.executable)
