"""What a shell offers at the Tab key. It answers while a person waits, so it imports next to nothing.

The commands and their options come from a table that `completion_table` makes of the declarations when rigger has changed;
what depends on an environment is read from its files as they are. What cannot be read offers nothing.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    Offer = tuple[str, str]  # a word, and what is said beside it
    Rows = list[list[str]]

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILES = ("\x01files", "")  # lets the shell offer files
RUNS = 20  # of the past, that are offered
LOG_BYTES = 1 << 22  # of an audit log that are read for them


def main(arguments: list[str]) -> int:
    """Print what may stand in place of the last word: for SHELL WORD..., a line of value TAB description each."""
    shell, words = arguments[0], arguments[2:]
    cut = 0
    if shell == "bash":  # it takes words apart at = and :, and puts a word in place of the last part alone
        cut, words = _joined(words)
    try:
        found = offers(words)
    except (OSError, ValueError, IndexError):
        found = []
    seen = dict(reversed([*found]))
    for value in dict.fromkeys(value for value, _ in found):
        shown = value if value == FILES[0] else value[cut:]
        said = "" if shell == "bash" else f"\t{seen[value]}"
        sys.stdout.write(f"{shown}{said}\n")
    return 0


def _joined(words: list[str]) -> tuple[int, list[str]]:
    """Return whole words, and how much of the last one the shell keeps."""
    whole: list[str] = []
    cut, glue = 0, False
    for word in words:
        parts = word in ("=", ":")
        if (glue or parts) and whole and (parts or whole[-1][-1:] in "=:"):
            cut = len(whole[-1]) + (1 if parts else 0)
            whole[-1] += word
        else:
            cut = 0
            whole.append(word)
        glue = parts
    return cut, whole


def offers(words: list[str]) -> list[Offer]:
    """Return what may stand in place of the last of the words that follow `rigger`."""
    home = home_folder()
    table, typed, environment = _table(home), words[-1], ""
    rest = words[:-1]
    while rest[:1] in (["-e"], ["--environment"]):
        environment, rest = "".join(rest[1:2]), rest[2:]
        if not environment:
            return _starting(_environments(home), typed)
    verbs = {row[1]: row[2] for row in table if row[0] == "verb"}
    path = next((name for name in (" ".join(rest[:2]), *rest[:1]) if name in verbs), "")
    if not path and len(rest) > 1:
        return []
    inner = f"{rest[0]} " if rest else ""
    if not path:
        next_words = {
            name.removeprefix(inner).split()[0]: verbs[name] for name in verbs if name.startswith(inner)
        }
        options = [] if rest else [("--help", ""), ("--version", ""), ("-e", "")]
        return _starting([*next_words.items(), *(options if typed.startswith("-") else [])], typed)
    own = [row for row in table if row[0] in ("option", "argument") and row[1] == path]
    return _of_verb(own, rest[len(path.split()) :], typed, home, environment)


def home_folder() -> str:
    return os.path.abspath(os.environ.get("RIGGER_HOME") or os.path.expanduser("~/.rigger"))


def _of_verb(rows: Rows, words: list[str], typed: str, home: str, environment: str) -> list[Offer]:
    options = [row for row in rows if row[0] == "option"]
    arguments = [row for row in rows if row[0] == "argument"]
    kinds = {name: row[3] for row in options for name in row[2].split()}
    given, plain, waiting = set(), [], ""
    for word in words:
        if waiting:
            if waiting in ("-e", "--environment"):
                environment = word
            waiting = ""
        elif word.startswith("-"):
            name = word.partition("=")[0]
            given.add(name)
            waiting = name if kinds.get(name, "flag") != "flag" and "=" not in word else ""
        else:
            plain.append(word)
    if waiting:
        return _starting(_values(kinds[waiting], home, environment, [typed]), typed)
    if typed.startswith("--") and "=" in typed:
        name, _, begun = typed.partition("=")
        values = _values(kinds.get(name, ""), home, environment, [begun])
        return _starting([(f"{name}={value}", said) for value, said in values if value != FILES[0]], typed)
    if typed.startswith("-"):
        unused = [row for row in options if row[4] == "many" or not given & {*row[2].split()}]
        return _starting([(max(row[2].split(), key=len), row[5]) for row in unused], typed)
    place = min(len(plain), len(arguments) - 1)
    if place < 0 or (len(plain) >= len(arguments) and arguments[place][4] != "many"):
        return []
    return _starting(_values(arguments[place][3], home, environment, [*plain, typed]), typed)


def _starting(found: Iterable[Offer], typed: str) -> list[Offer]:
    return [(value, said) for value, said in found if value.startswith(typed) or value == FILES[0]]


# Values


def _values(kind: str, home: str, environment: str, words: list[str]) -> list[Offer]:
    """Return the values of a kind; `words` are the arguments before, and the one that is typed."""
    if kind.startswith("choices:"):
        return [(word, "") for word in kind.removeprefix("choices:").split(",")]
    if kind in ("providers", "platforms", "addons"):
        offered = _of_repositories(home, words[-1]) if kind == "addons" else []
        here = _modules(kind, home)
        return [*here[:-1], *(one for one in offered if one[0] not in {name for name, _ in here}), FILES]
    if kind == "repositories":
        return [(name[:-5], "") for name in _listed(os.path.join(home, "indexes")) if name.endswith(".json")]
    if kind == "environments":
        return _environments(home)
    if kind == "topics":
        return _topics()
    if kind == "files":
        return [FILES]
    name = environment or os.environ.get("RIGGER_ENVIRONMENT", "")
    folder = (
        os.path.join(home, "environments", name) if name else os.path.realpath(os.path.join(home, "current"))
    )
    if not os.path.isdir(folder):
        return []
    if kind == "nodes":
        return [(row[0], row[1]) for row in _read(os.path.join(folder, "inventory.tsv"))]
    if kind == "runs":
        return _runs(folder)
    if kind == "backups":
        saved = os.path.join(folder, "backups")
        return [*((os.path.join(saved, file), "") for file in _listed(saved)), FILES]
    return _of_modules(kind, home, folder, words)


def _topics() -> list[Offer]:
    """Return the pages of the manual; their folder is inside the package, or beside it in a clone."""
    inside = os.path.join(PACKAGE, "docs")
    folder = inside if os.path.isdir(inside) else os.path.join(os.path.dirname(PACKAGE), "docs")
    return [(name[:-4], "") for name in _listed(folder) if name.endswith(".rst") and name != "index.rst"]


def _of_modules(kind: str, home: str, folder: str, words: list[str]) -> list[Offer]:
    facts = _facts(home, folder)
    of = {fact: [(row[1], row[2]) for row in facts if row[0] == fact] for fact in {row[0] for row in facts}}
    if kind == "suites":
        if words[:1] == ["component"] and len(words) > 1:
            return of.get("component", [])
        return [*of.get("suite", []), *([("component", "NAME")] if "component" in of else [])]
    if kind != "assignments":
        return of.get({"variables": "variable", "versions": "version"}.get(kind, kind), [])
    name, equals, _ = words[-1].partition("=") if words else ("", "", "")
    if equals:
        return [(f"{name}={row[2]}", row[3]) for row in facts if row[0] == "value" and row[1] == name]
    return [(f"{variable}=", said) for variable, said in of.get("variable", [])]


def _environments(home: str) -> list[Offer]:
    folder = os.path.join(home, "environments")
    return [(name, "") for name in _listed(folder) if not name.startswith(".")]


def _modules(kind: str, home: str) -> list[Offer]:
    beside = os.path.join(PACKAGE, kind)
    own = beside if os.path.isdir(beside) else os.path.join(os.path.dirname(PACKAGE), kind)
    listed = os.environ.get(f"RIGGER_{kind[:-1].upper()}_PATH", "").split(os.pathsep)
    places = [*filter(None, listed), os.path.join(home, kind), own]
    found = [
        name
        for place in places
        for name in _listed(place)
        if os.path.exists(os.path.join(place, name, "rigger.yml"))
    ]
    return [*((name, "") for name in dict.fromkeys(found)), FILES]


def _of_repositories(home: str, typed: str) -> list[Offer]:
    """Return the modules that repositories have, behind an @ with each version; nothing of an index that cannot be read."""
    import json

    found: dict[str, str] = {}
    name, at, _ = typed.partition("@")
    for file in _listed(os.path.join(home, "indexes")):
        try:
            with open(os.path.join(home, "indexes", file), encoding="utf-8") as index:
                for one in json.load(index)["index"]["components"]:
                    versions = [
                        f"{name}@{each['version']}" for each in one["versions"] if name == one["name"]
                    ]
                    found |= dict.fromkeys(versions if at else [one["name"]], one["description"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return [*found.items()]


def _runs(folder: str) -> list[Offer]:
    """Return the newest runs by number, each with its command, without reading the log as what it is."""
    with open(os.path.join(folder, "audit.jsonl"), "rb") as file:
        begun = file.read(LOG_BYTES).split(b'"event":"run-started","command":"')[1:]
    commands = [part.partition(b'"')[0].decode("utf-8", "replace") for part in begun]
    numbered = [(str(number), command) for number, command in enumerate(commands, 1)]
    words = [(command.split()[0], "the last one") for command in dict.fromkeys(commands)]
    return [*reversed(numbered[-RUNS:]), ("last", "the newest"), *words]


# Tables in the cache, each with what tells whether it is still right


def _table(home: str) -> Rows:
    """Return the commands, their options and arguments."""
    rows = _read(os.path.join(home, "cache", "completion.tsv"))
    if rows and rows[0] == ["code", code_as_it_is()]:
        return rows
    made: Rows = _maker().make(home)
    return made


def code_as_it_is() -> str:
    """Return what changes with every change of the declarations."""
    files = []
    for folder in ("commands", "cli"):
        with os.scandir(os.path.join(PACKAGE, folder)) as entries:
            files += [entry.stat() for entry in entries if entry.name.endswith(".py")]
    return f"{len(files)} {max(file.st_mtime_ns for file in files)} {sum(file.st_size for file in files)} {PACKAGE}"


def _facts(home: str, folder: str) -> Rows:
    """Return what an environment's modules and values offer."""
    name = os.path.basename(folder)
    rows = _read(os.path.join(home, "cache", f"completion-{name}.tsv"))
    files = [row for row in rows if row[0] == "file"]
    if files and all(stamp(row[1]) == row[2] for row in files):
        return rows
    made: Rows = _maker().make_facts(home, name)
    return made


def _maker() -> ModuleType:
    """Return what makes tables, which imports every command: seldom needed, and never while a table is right."""
    import importlib

    return importlib.import_module("rigger.cli.completion_table")


def stamp(path: str) -> str:
    """Return what changes with a file."""
    try:
        status = os.stat(path)
    except OSError:
        return "-"
    return f"{status.st_mtime_ns} {status.st_size}"


def _read(path: str) -> Rows:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return [line.split("\t") for line in file.read().split("\n") if line]
    except OSError:
        return []


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
