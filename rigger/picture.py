"""Boxes and arrows as text that programs draw: Graphviz DOT and Mermaid."""

from __future__ import annotations

import re

from rigger.text import visible
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

RAN, FAILED, WAITS, THING = "ran", "failed", "waits", "thing"  # what a box stands for
_COLOURS = {RAN: ("#d7f0d7", "#2e7d32"), FAILED: ("#f9d6d5", "#b3261e"), WAITS: ("#ffffff", "#777777")}
_COLOURS[THING] = ("#e3ecf9", "#3b5b92")


@frozen
class Box:
    """Something in a picture; `key` is its own in there, `lines` are what it says, the first one its name."""

    key: str
    lines: tuple[str, ...]
    kind: str = THING


@frozen
class Group:
    """Boxes that belong together."""

    title: str
    boxes: tuple[Box, ...]


@frozen
class Picture:
    """A picture; `arrows` lead from the key of one box to that of another."""

    title: str
    groups: tuple[Group, ...]
    arrows: tuple[tuple[str, str], ...] = ()

    def numbers(self) -> dict[str, str]:
        """Return a name for every box that any language of pictures takes."""
        keys = (box.key for group in self.groups for box in group.boxes)
        return {key: f"n{number}" for number, key in enumerate(keys, 1)}


def dot(picture: Picture) -> str:
    """Return a picture in DOT (https://graphviz.org/doc/info/lang.html)."""
    names = picture.numbers()
    lines = ["digraph {", f"  label={_dot_text([picture.title])}; labelloc=t; rankdir=LR; compound=true;"]
    lines += ['  node [shape=box, style="rounded,filled", fontname="sans-serif"]; fontname="sans-serif";']
    for number, group in enumerate(picture.groups, 1):
        lines += [f"  subgraph cluster_{number} {{", f"    label={_dot_text([group.title])};"]
        lines += [
            f"    {names[box.key]} [label={_dot_text(box.lines)}, {_dot_style(box)}];" for box in group.boxes
        ]
        lines.append("  }")
    lines += [f"  {names[start]} -> {names[end]};" for start, end in picture.arrows]
    return "\n".join([*lines, "}"])


def _dot_text(lines: Iterable[str]) -> str:
    """Return lines as a quoted text; a backslash would begin an escape of DOT's own."""
    escaped = (visible(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'


def _dot_style(box: Box) -> str:
    fill, edge = _COLOURS[box.kind]
    dashed = ', style="rounded,filled,dashed"' if box.kind == WAITS else ""
    return f'fillcolor="{fill}", color="{edge}"{dashed}'


def mermaid(picture: Picture) -> str:
    """Return a picture as a flowchart of Mermaid (https://mermaid.js.org/syntax/flowchart.html)."""
    names = picture.numbers()
    # The title is a box too: a front matter would be YAML, with escapes of its own.
    lines = ["flowchart LR", f"  subgraph all[{_mermaid_text([picture.title])}]"]
    for number, group in enumerate(picture.groups, 1):
        lines.append(f"    subgraph g{number}[{_mermaid_text([group.title])}]")
        lines += [f"      {names[box.key]}[{_mermaid_text(box.lines)}]" for box in group.boxes]
        lines.append("    end")
    lines.append("  end")
    lines += [f"  {names[start]} --> {names[end]}" for start, end in picture.arrows]
    for kind, (fill, edge) in _COLOURS.items():
        members = [names[box.key] for group in picture.groups for box in group.boxes if box.kind == kind]
        if members:
            dashed = ",stroke-dasharray:4" if kind == WAITS else ""
            lines.append(f"  classDef {kind} fill:{fill},stroke:{edge},color:#000000{dashed}")
            lines.append(f"  class {','.join(members)} {kind}")
    return "\n".join(lines)


def _mermaid_text(lines: Iterable[str]) -> str:
    """Return lines as a quoted text, in which all that may mean something is the number of its character."""
    escaped = (re.sub(r"[^\w .,()/:=?+-]", lambda one: f"#{ord(one[0])};", visible(line)) for line in lines)
    return f'"{"<br/>".join(escaped) or "#160;"}"'  # an empty text is an error there
