"""The reference of the commands: what each declares, and what the folder `commands` of the pages adds to it."""

from __future__ import annotations

import os
import re

from rigger.cli.main import every_verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigger.cli.declared import Option, Verb

# Said once, at the top of the page.
SHORT = {"-e": "-e NAME", "-y": "-y", "-o": "-o json", "-v": "-v"}
SHARED = ("--help", "--environment", "--output", "--verbose", "--yes", "--take-over")


def commands(folder: str) -> str:
    """Return a section for each command, in the order of `rigger --help`."""
    return "\n".join(section(path, verb, folder) for path, verb in every())


def every() -> Iterator[tuple[str, Verb]]:
    """Return every command by its whole name, those of a group in place of the group."""
    return ((f"rigger {path}", verb) for path, verb in every_verb())


def section(path: str, verb: Verb, folder: str) -> str:
    """Return the section of one command: what it is for, how it is called, its options."""
    prose, described = notes(
        os.path.join(folder, "commands", f"{path.split(' ', 1)[1].replace(' ', '-')}.rst")
    )
    summary = re.sub(r"\s+", " ", verb.help).strip().replace("*", "\\*")
    lines = [path, "~" * len(path), "", summary, "", f"``{' '.join([path, *_pieces(verb)])}``", "", prose]
    lines += [f"{term}\n{body}\n" for term, body in described]
    told = {option for term, _ in described for option in re.findall(r"--[a-z-]+", term)} | {*SHARED}
    lines += [
        f"``{_term(option)}``\n    {option.help}\n"
        for option in shown(verb)
        if not told.intersection(option.names)
    ]
    return "\n".join(lines)


def shown(verb: Verb) -> list[Option]:
    """Return the options of a command that are not hidden."""
    return [option for option in verb.options if not option.hidden]


def _pieces(verb: Verb) -> Iterator[str]:
    """Yield what a usage line has behind the command: arguments, then options."""
    for one in verb.arguments:
        word = one.metavar or one.name.upper() + "..." * one.many
        yield word if one.required and not one.many or word.startswith("[") else f"[{word}]"
    for option in shown(verb):
        yield f"[{SHORT.get(option.names[0]) or _term(option).rpartition(', ')[2]}]"


def _term(option: Option) -> str:
    names = ", ".join([*option.names, *option.off])
    value = "|".join(option.choices) or option.metavar or option.name.upper()
    return names if option.flag else f"{names} {value}"


def notes(path: str) -> tuple[str, list[tuple[str, str]]]:
    """Return what a file adds to a command: its prose, and the options that it describes with more than a line."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
    except FileNotFoundError:
        return "", []
    prose, described = [], []
    while lines:
        line = lines.pop(0)
        if not line.startswith("``-") or not (lines and lines[0].startswith("    ")):
            prose.append(line)
            continue
        body = []
        while lines and (not lines[0] or lines[0].startswith("    ")):
            body.append(lines.pop(0))
        described.append((line, "\n".join(body).rstrip()))
    return "\n".join(prose).strip("\n") + "\n", described
