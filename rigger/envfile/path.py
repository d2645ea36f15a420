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
    if not text.startswith("case ", position):
        return None
    path = re.escape(_path_line("@")).replace("@", f"(?P<folders>{QUOTED})", 1).replace("@", "(?P=folders)")
    if found := re.compile(path).match(text, position):
        return found.end(), unquote(found["folders"])
    proxy = re.escape(no_proxy_line("@")).replace("@", r"(?P<nodes>[A-Za-z0-9_.:%,-]+)", 1)
    if found := re.compile(proxy.replace("@", "(?P=nodes)")).match(text, position):
        return found.end(), ""
    names = (
        re.escape(_names_line("@")).replace("@", "(?P<names>[A-Za-z0-9_ ]*)", 1).replace("@", "(?P=names)")
    )
    if found := re.compile(names).match(text, position):
        return found.end(), ""
    return None
