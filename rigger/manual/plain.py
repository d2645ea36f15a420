"""reStructuredText as text for a terminal: the little of it that the pages use."""

from __future__ import annotations

import re
import textwrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 78
WIDEST = 80  # of code, which is not filled
# Directives of which nothing is left in a terminal: pictures and tables of contents.
PICTURES = ("image", "figure", "graphviz", "toctree", "contents")
NOTES = ("note", "warning", "tip")

_DIRECTIVE = re.compile(r"^( *)\.\. ([a-z-]+)::(.*)$")
_UNDERLINE = re.compile(r"^([=~^-])\1{2,}$")
_BULLET = re.compile(r"^ *(?:[*-]|[0-9]+\.) +")
_PAGE = re.compile(r":doc:`([^`<]+)`")
_ROLE = re.compile(r":[a-z]+:`(?:([^`<]+?) <[^`>]+>|([^`]+))`")
_LINK = re.compile(r"`([^`<]+?) <([^`>]+)>`_{1,2}")
_REFERENCE = re.compile(r"(?<![`\w])`([^`]+)`_{1,2}")


def text(source: str) -> str:
    """Return a page without its markup, its paragraphs filled; code and titles stay as they are written."""
    lines: list[str] = []
    for paragraph, literal in _blocks(source.splitlines()):
        lines += _moved(paragraph) if literal else _filled(paragraph)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def _moved(block: list[str]) -> list[str]:
    """Return code with as much of its indentation taken away as it is too wide."""
    spare = min((_indent(line) for line in block if line.strip()), default=0)
    excess = max(map(len, block), default=0) - WIDEST
    return [line[min(max(excess, 0), spare, _indent(line)) :] for line in block]


def _blocks(waiting: list[str]) -> Iterator[tuple[list[str], bool]]:
    """Yield the paragraphs of a page, each with whether its lines have to stay as they are."""
    while waiting:
        line = waiting.pop(0)
        if directive := _DIRECTIVE.match(line):
            yield from _directive(directive, _deeper(waiting, _indent(line)))
        elif re.match(r"^ *\.\. ", line):  # a comment, or the target of a link
            continue
        elif not line.strip() or (waiting and _UNDERLINE.match(waiting[0])) or _UNDERLINE.match(line):
            yield [_inline(line)], True
        else:
            paragraph = [line, *_rest(line, waiting)]
            introduces = paragraph[-1].endswith("::")
            yield paragraph, False
            if introduces:
                yield _deeper(waiting, _indent(line)), True


def _directive(found: re.Match[str], body: list[str]) -> Iterator[tuple[list[str], bool]]:
    indent, name, words = found.groups()
    if name in NOTES:
        yield from _blocks(
            [f"{indent}{name.capitalize()}: {words.strip()}", *textwrap.dedent("\n".join(body)).split("\n")]
        )
    elif name not in PICTURES:
        yield [line for line in body if not line.strip().startswith(":")], True


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _deeper(waiting: list[str], indent: int) -> list[str]:
    """Take the lines that are indented deeper."""
    body = []
    while waiting and (not waiting[0].strip() or _indent(waiting[0]) > indent):
        body.append(waiting.pop(0))
    return body


def _rest(first: str, waiting: list[str]) -> list[str]:
    """Take the lines that go on with a paragraph: with its indent, or with that of a bullet's text."""
    bullet = _BULLET.match(first)
    indent = len(bullet[0]) if bullet else _indent(first)
    rest = []
    while waiting and waiting[0].strip() and _indent(waiting[0]) == indent and not _BULLET.match(waiting[0]):
        if len(waiting) > 1 and _UNDERLINE.match(waiting[1]):
            break
        rest.append(waiting.pop(0))
    return rest


def _filled(paragraph: list[str]) -> list[str]:
    words = _inline(" ".join(line.strip() for line in paragraph))
    if not words:
        return []
    bullet = _BULLET.match(paragraph[0])
    first = " " * _indent(paragraph[0])
    after = " " * len(bullet[0]) if bullet else first
    return textwrap.wrap(
        words,
        WIDTH,
        initial_indent=first,
        subsequent_indent=after,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _inline(line: str) -> str:
    line = _PAGE.sub(r'"rigger docs \1"', line)
    line = _ROLE.sub(lambda found: found[1] or found[2], line)
    line = _LINK.sub(r"\1 (\2)", line)
    line = _REFERENCE.sub(r"\1", line)
    line = re.sub(r"``(.+?)``", r"\1", line)
    line = re.sub(r"\*\*(.+?)\*\*", r"\1", line)
    line = re.sub(r"\\([*`_|\\])", r"\1", line)
    return re.sub(r"::$", ":", line) if line.strip() != "::" else ""
