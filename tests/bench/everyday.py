"""The commands of every day: how long they take, what they import, how many instructions they are."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys

from aims import INSTRUCTIONS, MEASURED
from peers import peers
from place import Place
from rows import Table

NOTHING = "python -c pass"
HERE = os.path.dirname(os.path.abspath(__file__))
IMPORTS = os.path.join(HERE, "imports.json")

EVERYDAY = {
    "status": ("status",),
    "list": ("list",),
    "config get": ("config", "get"),
    "provision --plan": ("provision", "--plan"),
    "config get --help": ("config", "get", "--help"),
    "shellinit": ("shellinit",),
    "history": ("history",),
    "use": ("use", "four"),
    "logs": ("logs",),
    "four steps": ("test", "four"),
}


def reading(place: Place, table: Table) -> None:
    """The commands that change nothing, against a Python that does nothing."""
    place.four()
    place.run(place.rigger, "test", "four")
    more = {
        "version": ("--version",),
        "help": ("--help",),
        "tab": ("__complete", "bash", "--", "config", "set", ""),
    }
    commands = {**more, **{name: words for name, words in EVERYDAY.items() if name != "four steps"}}
    base, *ours = place.rounds_of(
        [place.python, "-c", "pass"], *([place.rigger, *words] for words in commands.values())
    )
    for name, column in zip(commands, ours, strict=True):
        table.ratios(name, column, base, NOTHING)


def steps(place: Place, table: Table) -> None:
    """`rigger test` of four tests that do nothing against a loop over the same scripts and an empty Python."""
    tests = place.four()
    loop = place.write("loop", f"for test in one two three four; do {tests}/$test; done\n")
    known = peers(place, tests)
    nothing, looped, ours, *others = place.rounds_of(
        [place.python, "-c", "pass"], ["bash", loop], [place.rigger, "test", "four"], *known.values()
    )
    base = [one + other for one, other in zip(nothing, looped, strict=True)]
    table.ratios(
        "four steps", ours, base, f"a bash loop and {NOTHING}", **dict(zip(known, others, strict=True))
    )


def imports(place: Place, table: Table) -> None:
    """Which modules that are not rigger's each everyday command imports: those of imports.json and no others."""
    place.four()
    place.run(place.rigger, "test", "four")
    with open(IMPORTS) as file:
        known = json.load(file)
    for name, words in EVERYDAY.items():
        times = _imported(place, words)
        outside = sorted(module for module in times if _is_outside(module))
        table.imports[name] = outside
        total = sum(times.values()) / 1000
        print(
            f"     {name}: {len(times)} modules, {len(outside)} of them public ones of others, {total:.0f} ms of imports"
        )
        slow = sorted(times.items(), key=lambda item: -item[1])[:5]
        print(f"       {', '.join(f'{module} {took / 1000:.1f}' for module, took in slow)}")
        more = [module for module in outside if module not in known.get(name, [])]
        if more and is_as_measured():
            table.failed.append(f"imports of {name} ({', '.join(more[:5])}{' ...' if more[5:] else ''})")
    if os.environ.get("RENEW_IMPORTS"):  # once it was read why there are more
        with open(IMPORTS, "w") as file:
            json.dump(table.imports, file, indent=1)
            file.write("\n")


def is_as_measured() -> bool:
    """Return whether this Python is the one whose figures are limits here; those of others are only shown."""
    return (sys.version_info[:2], platform.machine()) == MEASURED


def _is_outside(module: str) -> bool:
    """Return whether a module is not rigger's own, nor one of those behind the doors of Python's, which each release has anew."""
    return module.partition(".")[0] != "rigger" and not module.startswith("_")


def _imported(place: Place, words: tuple[str, ...]) -> dict[str, int]:
    """Return the modules that a command imports, each with the microseconds of its own."""
    argv = (place.python, "-X", "importtime", f"{place.rigger}-python", *words)
    done = subprocess.run(argv, env=place.env, cwd=place.folder, capture_output=True, text=True, check=True)
    lines = re.findall(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", done.stderr, re.M)
    return {name: int(own) for own, name in lines}


def instructions(place: Place, table: Table) -> None:
    """How many instructions commands are, by valgrind: as many on a busy machine as on an idle one."""
    if not shutil.which("valgrind"):
        table.failed.append("instructions (there is no valgrind)")
        return
    place.four()
    for command, (limit, aim) in INSTRUCTIONS.items():
        count = millions_of_instructions(place, command.split())
        print(f"     {command}: {count:.0f} million instructions; limit {limit}, aim {aim}")
        if count > aim:
            table.above.append(command)
        if count > limit and is_as_measured():
            table.failed.append(f"instructions of {command} ({count:.0f} million, limit {limit})")


def millions_of_instructions(place: Place, words: list[str]) -> float:
    """Return the millions of instructions of a command's own process."""
    out = place.file("callgrind.out")
    argv = (
        "valgrind",
        "--tool=callgrind",
        f"--callgrind-out-file={out}.%p",
        place.python,
        f"{place.rigger}-python",
        *words,
    )
    env = {**place.env, "PYTHONHASHSEED": "0"}
    with subprocess.Popen(
        argv, env=env, cwd=place.folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as program:
        text = program.communicate()[1].decode(errors="replace")
    found = re.search(rf"=={program.pid}== Collected : (\d+)", text)
    if program.returncode or not found:
        sys.exit(f"valgrind could not count {' '.join(words)}:\n{text[-2000:]}")
    return int(found[1]) / 1e6
