"""rigger ssh"""

from __future__ import annotations

import os

import click

from rigger.cli.app import App, command
from rigger.configuration import resolve
from rigger.configuration.identity import require_recorded
from rigger.environments.environment import Environment
from rigger.errors import BadUsage, InvalidConfig
from rigger.process import terminal
from rigger.questions.model import Choice
from rigger.runs.environment import LIBEXEC, script_environment
from rigger.ssh.connections import KNOWN_HOSTS, forget_host_keys
from rigger.text import did_you_mean
from rigger.trust.gate import require_trusted
from rigger.ui.terminal import has_terminal
from rigger.ui.wizard import Wizard


@command("ssh", context_settings={"help_option_names": ["-h", "--help"], "allow_interspersed_args": False})
@click.option("--forget", is_flag=True, help="Forget the host key of NODE, which was made anew.")
@click.argument("node", required=False)
@click.argument("words", metavar="[-- COMMAND...]", nargs=-1, type=click.UNPROCESSED)
def ssh(app: App, forget: bool, node: str | None, words: tuple[str, ...]):
    environment = app.environment()
    node = _chosen(environment, node)
    if forget:
        _forget(app, environment, node)
        return 0
    return _open(environment, node, words[1:] if words[:1] == ("--",) else words)


def _chosen(environment: Environment, node: str | None) -> str:
    """Return the node that is meant: the only one, or the one that a person picks, where none is named."""
    nodes = environment.nodes()
    names = [each.name for each in nodes]
    if not names:
        raise InvalidConfig(f"{environment.name} has no nodes.", 'Type "rigger provision".')
    if node is None and len(names) == 1:
        return names[0]
    if node is None:
        return _asked({each.name: each.address for each in nodes})
    if node not in names:
        raise BadUsage(
            f"{environment.name} has no node {node!r}{did_you_mean(node, names)}.",
            f"Its nodes: {', '.join(names)}.",
        )
    return node


def _asked(addresses: dict[str, str]) -> str:
    if not has_terminal():
        raise BadUsage("Which node?", f"Name one of: {', '.join(addresses)}.")
    return Wizard().choose("Which node?", [Choice(*pair) for pair in addresses.items()])


def _forget(app: App, environment: Environment, node: str) -> None:
    known = forget_host_keys(environment.path, [node])
    where = environment.file(KNOWN_HOSTS)
    app.printer.line(
        f"The host key of {node} is forgotten; the next connection learns it anew."
        if known
        else f"No host key of {node} is in {where}."
    )


def _open(environment: Environment, node: str, words: tuple[str, ...]) -> int:
    settled = resolve.resolve(environment)
    require_recorded(environment, settled)
    require_trusted(environment, settled.modules)
    values = script_environment(environment, settled, settled.provider)
    values.pop("RIGGER_CONNECTIONS", None)  # a person's shell may outlive the run that it came from
    return terminal.interactive([os.path.join(LIBEXEC, "rigger-node"), "--shell", node, *words], env=values)
