"""What a command costs as what it works with grows."""

from __future__ import annotations

import os
import statistics

from place import Place
from rows import Table

# Repeats the records of the last run, each time as a run of its own, until there are as many as wanted.
RECORDS = """
import sys
from rigger.audit.head import Head
from rigger.audit.lines import OWN_MEMBERS, render
from rigger.environments.home import Home
environment, count = Home().get(sys.argv[1]), int(sys.argv[2])
with environment.locked("the bench"):
    records = environment.audit.records()
    cycle = [record for record in records if record["run"] == records[-1]["run"]]
    head, turn = Head(*environment.audit.head()), 0
    with open(environment.audit.path, "ab") as file:
        while head.count < count:
            turn += 1
            for record in cycle:
                fields = {name: value for name, value in record.items() if name not in OWN_MEMBERS}
                run = f"{record['run']}-{turn}"
                record, line = render(head, record["event"], run, fields, record["time"])
                head = Head(record["seq"], record["hash"])
                file.write(line)
    environment.audit.kept.write(head)
"""

QUESTIONS = """
interface: 2
name: {name}
role: platform
description: {count} questions
questions:
"""


def records(place: Place, table: Table) -> None:
    """What the records of the past add to `status`, in time and memory."""
    place.four()
    points, memory = [], []
    base: list[float] = []
    for count in (0, 1_000, 10_000, 100_000):
        name = f"records-{count}"
        place.configure(name, "noop")
        place.run(place.rigger, "provision")
        place.run(place.rigger, "test", "smoke")
        if count:
            place.run(place.python, "-c", RECORDS, name, str(count))
        look = [place.rigger, "-e", name, "status"]
        place.run(*look)
        column, nothing = place.rounds_of(look, [place.rigger, "-e", "records-0", "status"])
        base = nothing
        place.run(*look)
        points.append((count, statistics.median(column) * 1000))
        memory.append(place.memory)
    added = [(one - other) * 1000 for one, other in zip(column, base, strict=True)]
    table.growth["records: status"] = points
    table.figures("100,000 records, time", added, "ms", "status with a short log")
    table.figures("100,000 records, memory", [memory[-1] - memory[0]], "MB", "status with a short log")


def questions(place: Place, table: Table) -> None:
    """What the questions of a platform add to `config get`."""
    place.four()
    place.configure("questions-0", "noop")
    for count in (300, 600):
        name = f"questions-{count}"
        asked = "".join(f'  - {{name: Q_{number}, default: "{number}"}}\n' for number in range(count))
        place.platform(name, QUESTIONS.format(name=name, count=count) + asked, {})
        place.configure(name, name)
    few, some, many = place.rounds_of(
        *([place.rigger, "-e", f"questions-{count}", "config", "get"] for count in (0, 300, 600))
    )
    for count, column in ((0, few), (300, some), (600, many)):
        table.growth.setdefault("questions: config get", []).append((count, statistics.median(column) * 1000))
    added = [(one - other) * 1000 for one, other in zip(many, few, strict=True)]
    table.figures("600 questions", added, "ms", "config get without questions")


def environments(place: Place, table: Table) -> None:
    """`list` and `status` among many environments: for the picture alone."""
    place.four()
    one = os.path.join(place.home, "environments", "four")
    for count in (1, 10, 100, 300):
        known = len(os.listdir(os.path.dirname(one)))
        for number in range(known, count):
            place.run("cp", "-a", one, os.path.join(os.path.dirname(one), f"copy-{number}"))
        (column,) = place.rounds_of([place.rigger, "list"], rounds=max(1, place.rounds // 4))
        table.growth.setdefault("environments: list", []).append((count, statistics.median(column) * 1000))


def many_steps(place: Place, table: Table) -> None:
    """A command of more and more no-op steps: for the picture alone."""
    for count in (1, 4, 16, 64):
        names = [f"t{number}" for number in range(count)]
        manifest = (
            f"interface: 2\nname: steps-{count}\nrole: platform\ndescription: Steps\n"
            f"suites:\n  all: {{description: All, tests: [{', '.join(names)}]}}\n"
        )
        place.platform(f"steps-{count}", manifest, dict.fromkeys(names, ""))
        place.configure(f"steps-{count}", f"steps-{count}")
        place.run(place.rigger, "provision")
        (column,) = place.rounds_of([place.rigger, "test", "all"], rounds=max(1, place.rounds // 4))
        table.growth.setdefault("steps: test", []).append((count, statistics.median(column) * 1000))
