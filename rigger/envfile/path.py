"""The lines at the end of a vars file that say more than a value: PATH, proxies, and which names a shell has from it.

A shell that sources the file keeps the PATH that it has, and gains the environment's own folders in front of it, once;
`ORIGINAL_PATH` is what it had. `RIGGER_SHELL_NAMES` lists what was set, so that it can be unset again when the
environment is another one by then, or is gone. `NO_PROXY` gains the addresses of the nodes.
"""

from __future__ import annotations

import re

from rigger.envfile.names import SHELL_NAMES
from rigger.envfile.quoting import QUOTED, quote, unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ADDRESSES = "[A-Za-z0-9_.:%,-]+"
NAMES = "[A-Za-z0-9_ ]*"


def lines(folders: str, names: Iterable[str], addresses: str = "") -> str:
    """Return the lines for folders, joined by colons, for nodes' addresses, and for the names that the file sets."""
    return _path_line(quote(folders)[1:-1]) + no_proxy_line(addresses) + _names_line(" ".join(sorted(names)))


def _path_line(folders: str) -> str:
    return (
        f'case ":${{PATH-}}:" in *":{folders}:"*) ;; '
        f'*) export ORIGINAL_PATH="${{PATH-}}" PATH="{folders}${{PATH:+:$PATH}}" ;; esac\n'
    )


def no_proxy_line(addresses: str) -> str:
    """Return the line that keeps nodes, whose addresses are joined by commas, from being sent to a proxy."""
    if not addresses:
        return ""
    return (
        f'case ",${{NO_PROXY-}}," in *",{addresses},"* | ",*,") ;; '
        f'*) export NO_PROXY="{addresses},${{NO_PROXY:-${{no_proxy-}}}}" '
        f'no_proxy="{addresses},${{no_proxy:-${{NO_PROXY-}}}}" ;; esac\n'
    )


def _names_line(names: str) -> str:
    return (
        f'case " ${{{SHELL_NAMES}-}} " in *" {names} "*) ;; '
        f'*) export {SHELL_NAMES}="{names}${{{SHELL_NAMES}:+ ${SHELL_NAMES}}}" ;; esac\n'
    )


def match(text: str, position: int) -> tuple[int, str] | None:
    """Return where one of the lines ends that begins at a position, and the folders that it has, or ""."""
    for line, wanted in ((_path_line, QUOTED), (no_proxy_line, ADDRESSES), (_names_line, NAMES)):
        before, after = line("@").split("@")[:2]
        start = position + len(before)
        if text.startswith(before, position) and (end := text.find(after, start)) >= 0:
            value = text[start:end]
            if text.startswith(line(value), position) and re.fullmatch(wanted, value):
                return position + len(line(value)), unquote(value) if line is _path_line else ""
    return None
