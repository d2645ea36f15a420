"""A plan over a hundred modules and a thousand nodes, in instructions, against `rigger status` of an empty environment."""

from __future__ import annotations

import shutil

from aims import HUNDRED_MODULES
from everyday import is_as_measured, millions_of_instructions
from place import Place
from rows import Table

NODES = """\
n=0
while [ "$n" -lt 1000 ]; do
    n=$((n + 1))
    echo "{\\"name\\": \\"node-$n\\", \\"address\\": \\"10.0.$((n / 250)).$((n % 250))\\"}"
done >>"$RIGGER_INVENTORY_OUTPUT"
"""
ADDON = """\
interface: 2
name: a{number}
role: addon
version: 1.{number}
description: Add-on {number}
labels: {{kind: k{number}, provides-k{number}: 1.{number}}}
requires:
  strong: [[{{key: kind, operator: eq, values: [{below}]}}]]
  weak: [[{{key: kind, operator: eq, values: [k50]}}]]
questions: [{{name: SIZE, type: integer, default: {number}}}]
provides: [size]
"""
APPLY = 'echo "{\\"size\\": $SIZE, \\"uses\\": [\\"node-1\\"]}" >"$RIGGER_STATE_OUTPUT"\n'


def modules(place: Place, table: Table) -> None:
    """`provision --plan` of 98 add-ons, a provider and a platform that are all applied."""
    if not shutil.which("valgrind"):
        table.failed.append("a plan of 100 modules (there is no valgrind)")
        return
    provider = "interface: 2\nname: big\nrole: provider\ndescription: Nodes on paper\nlabels: {kind: k0}\n"
    place.write("providers/big/rigger.yml", provider)
    scripts = {"install": "", "create": NODES, "exec": "exit 253\n", "check": "", "destroy": ""}
    for verb, text in scripts.items():
        place.write(f"providers/big/{verb}", f"#!/bin/sh\n{text}", 0o755)
    place.platform("bare", "interface: 2\nname: bare\nrole: platform\ndescription: Nothing\n", {})
    place.env["RIGGER_ADDON_PATH"] = place.file("addons")
    place.configure("empty", "noop")
    place.configure("big", "bare", "big")
    place.run(place.rigger, "provision")
    for number in range(1, 99):
        place.write(f"addons/a{number}/rigger.yml", ADDON.format(number=number, below=f"k{number - 1}"))
        for verb, text in {"apply": APPLY, "check": "", "destroy": ""}.items():
            place.write(f"addons/a{number}/{verb}", f"#!/bin/sh\n{text}", 0o755)
        place.run(place.rigger, "module", "add", f"a{number}", "--no-input")
        place.run(place.rigger, "provision", f"a{number}")
    base = millions_of_instructions(place, ["-e", "empty", "status"])
    count = millions_of_instructions(place, ["-e", "big", "provision", "--plan", "-o", "json"])
    limit, aim = HUNDRED_MODULES
    times = count / base
    print(
        f"     a plan of 100 modules: {times:.1f} times status of an empty environment; limit {limit}, aim {aim}"
    )
    if times > aim:
        table.above.append("a plan of 100 modules")
    if times > limit and is_as_measured():
        table.failed.append(f"a plan of 100 modules ({times:.1f} times, limit {limit})")
