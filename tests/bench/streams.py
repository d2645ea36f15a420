"""What steps print, on its way through the masks into the log and onto the terminal."""

from __future__ import annotations

import random
import secrets

from place import Place
from rows import Table

# `save` gives some secrets, as scripts do; `print` has the million lines.
TALKER = """
interface: 2
name: talker{count}
role: platform
description: Says a million lines
suites:
  print: {{description: A million lines, tests: [print]}}
"""
SAVE = (
    'for n in $(seq {count}); do export TOKEN_$n="$(head -c 24 /dev/urandom | od -An -tx1 | tr -d " \\n")"; '
)
SAVE += "rigger-save-secrets TOKEN_$n; done\n"

MASKING = """
import sys, time
from rigger.redact import Redactor
words = sys.argv[1:]
text = b"".join(
    b"2026-11-27T10:00:%02dZ info etcdserver: applied index %d term 7, took 3ms for /registry/pods/default/web-%d\\n"
    % (number % 60, number * 7919, number) for number in range(60000))
stream = Redactor(words).stream()
stream.feed(b"x")
begun = time.process_time()
for _ in range(20):
    for start in range(0, len(text), 65536):
        stream.feed(text[start : start + 65536])
print(20 * len(text) / (time.process_time() - begun) / 1e6)
"""


def lines(place: Place, table: Table) -> None:
    """A million lines of a step through log and terminal, against `tee` on a terminal."""
    chance = random.Random(1)
    text = "".join(
        f"2026-11-27T10:00:00Z node-{chance.randrange(9)} etcd[{number}]: applied index {chance.getrandbits(40)}\n"
        for number in range(1_000_000)
    )
    path = place.write("million", text)
    by_hand = place.write("tee-by-hand", f"cat {path} | tee {place.file('tee.log')}\n")
    for count, name in ((0, "a million lines, no secret"), (3, "a million lines, three secrets")):
        own = f"talker{count}"
        deploy = SAVE.format(count=count) if count else ""
        place.platform(own, TALKER.format(count=count), {"print": f"exec cat {path}\n"}, deploy=deploy)
        place.configure(own, own)
        place.run(place.rigger, "provision")
        ours = ["script", "-qefc", f"{place.rigger} -e {own} test -v print", "/dev/null"]
        base, took = place.rounds_of(
            ["script", "-qefc", f"sh {by_hand}", "/dev/null"], ours, rounds=max(2, place.rounds // 6)
        )
        table.ratios(name, took, base, "cat | tee LOG, on a terminal")


def masking(place: Place, table: Table) -> None:
    """How fast ten secrets are looked for in a stream that has none of them."""
    words = [secrets.token_urlsafe(24) for _ in range(10)]
    speeds = []
    for _ in range(max(3, place.rounds // 4)):
        place.run(place.python, "-c", MASKING, *words)
        speeds.append(float(place.said()))
    table.figures("masking ten secrets", speeds, "MB/s", "one core, blocks of 64 KiB")
