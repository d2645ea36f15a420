"""Open a shell on a node, or forget the key that its host had."""

from __future__ import annotations

import os

from rigger.configuration.identity import require_recorded
from rigger.configuration.resolve import look_up_references, resolve
from rigger.errors import BadUsage, InvalidConfig
from rigger.operations.consent import Consent
from rigger.process import terminal
from rigger.questions.model import Choice
from rigger.runs.environment import LIBEXEC, script_environment
from rigger.ssh.connections import KNOWN_HOSTS, forget_host_keys
from rigger.text import did_you_mean
from rigger.trust.gate import require_trusted
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rigger.environments.environment import Environment


@frozen
class HostKeyForgotten:
    """A node whose host key is not known any more, and the file that it was looked for in."""

    node: str
    known: bool  # whether there was a key to forget
    path: str

    def as_dict(self) -> dict[str, Any]:
        return {"node": self.node, "forgotten": self.known, "file": self.path}


def ssh(
    environment: Environment,
    node: str | None = None,
    words: Sequence[str] = (),
    consent: Consent | None = None,
) -> int:
    """Give the terminal to a shell, or a command of these words, on a node; return its exit code.

    Without `node` it is the only one, or the one that is chosen. Raises InvalidConfig where there is no node, BadUsage
    where it is not known which.
    """
    node = _choose(environment, node, consent or Consent())
    look_up_references(environment)
    config = resolve(environment)
    require_recorded(environment, config)
    require_trusted(environment, config.modules)
    values = script_environment(environment, config, config.provider)
    values.pop("RIGGER_CONNECTIONS", None)  # a person's shell may outlive the run that it came from
    return terminal.interactive([os.path.join(LIBEXEC, "rigger-node"), "--shell", node, *words], env=values)


def forget_host_key(
    environment: Environment, node: str | None = None, consent: Consent | None = None
) -> HostKeyForgotten:
    """Forget the host key of a node that was made anew; raises InvalidConfig or BadUsage, as `ssh` does."""
    node = _choose(environment, node, consent or Consent())
    known = forget_host_keys(environment.path, [node])
    return HostKeyForgotten(node, bool(known), environment.file(KNOWN_HOSTS))


def _choose(environment: Environment, node: str | None, consent: Consent) -> str:
    """Return the node that is meant: the only one, or the one that a person picks, where none is named."""
    nodes = environment.nodes()
    names = [each.name for each in nodes]
    if not names:
        raise InvalidConfig(f"{environment.name} has no nodes.", 'Type "rigger provision".')
    if node is None and len(names) == 1:
        return names[0]
    if node is None:
        unasked = BadUsage("Which node?", f"Name one of: {', '.join(names)}.")
        choices = [Choice(each.name, each.address) for each in nodes]
        return consent.choose("Which node?", choices, None, unasked)
    if node not in names:
        raise BadUsage(
            f"{environment.name} has no node {node!r}{did_you_mean(node, names)}.",
            f"Its nodes: {', '.join(names)}.",
        )
    return node
