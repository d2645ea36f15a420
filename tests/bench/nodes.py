"""A command on many nodes, through rigger-node, against ssh itself and xargs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from place import ROOT, Place
from rows import Table

ADDRESSES = [f"127.9.0.{1 + number % 10}" for number in range(30)]  # sshd listens to 16 at most
PLAIN = (
    "ssh -F /dev/null -i $KEY -p $PORT -l $LOGIN -o BatchMode=yes -o LogLevel=ERROR -o StrictHostKeyChecking=no "
    "-o UserKnownHostsFile=/dev/null"
)
EXEC = '#!/bin/sh\nshift\nexec "$@"\n'
OPEN = """
import subprocess, sys
from rigger.ssh.connections import Connections
with Connections(sys.argv[1]) as connections:
    sys.exit(subprocess.call(["bash", "-c", f"export RIGGER_CONNECTIONS={connections.path}; {sys.argv[2]}"]))
"""


def _inventory(folder: str, rows: list[tuple[str, ...]]) -> None:
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "inventory.tsv"), "w") as file:
        file.writelines("\t".join(row) + "\n" for row in rows)


def _environment(place: Place, folder: str) -> dict[str, str]:
    libexec = os.path.join(ROOT, "rigger", "libexec")
    return {
        **place.env,
        "PATH": libexec + os.pathsep + place.env["PATH"],
        "RIGGER_ENVIRONMENT_DIR": folder,
        "RIGGER_NODES_FILE": os.path.join(folder, "inventory.tsv"),
        "RIGGER_PROVIDER_DIR": folder,
    }


def _run(env: dict[str, str], *argv: str) -> float:
    begun = time.perf_counter()
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        sys.exit(f"{argv} exited {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return time.perf_counter() - begun


def thousand(place: Place, table: Table) -> None:
    """`true` on 1,000 nodes by a provider's exec that costs nothing: what is left is rigger-node's own."""
    points = []
    for count in (10, 100, 1000):
        folder = place.file(f"nodes-{count}")
        _inventory(folder, [(f"node-{number}", "127.0.0.1", "-", "0") for number in range(count)])
        program = place.write(f"nodes-{count}/exec", EXEC, 0o755)
        env = {**_environment(place, folder), "EXEC": program}
        names = f"cut -f 1 {folder}/inventory.tsv"
        ours, base = place.rounds_of(
            lambda env=env: _run(env, "rigger-node", "--all", "true"),
            lambda env=env, names=names: _run(env, "sh", "-c", f'{names} | xargs -P 10 -I@ "$EXEC" @ true'),
            rounds=max(2, place.rounds // 6),
        )
        points.append((count, sorted(ours)[len(ours) // 2] * 1000))
    table.growth["nodes: rigger-node --all"] = points
    table.ratios("1,000 nodes", ours, base, "the same exec by xargs -P 10")


def thirty(place: Place, table: Table) -> None:
    """One command, and three, on 30 nodes that are addresses of one real sshd."""
    sys.path.insert(0, os.path.join(ROOT, "tests"))
    from helpers.machines import Machines

    with (
        tempfile.TemporaryDirectory(prefix="rigger-bench-") as folder,
        Machines(folder, 1, namespaces=False) as machines,
    ):
        machine = machines[1]
        machines.stop_sshd(1)
        listen = [f"{address}:{machine.port}" for address in (machine.address, *ADDRESSES[:10])]
        machines.start_sshd(1, ListenAddress="\nListenAddress ".join(listen))
        rows = [
            (
                f"node-{number}",
                address,
                "-",
                "0",
                machines.user,
                str(machine.port),
                machines.key,
                "-",
                address,
            )
            for number, address in enumerate(ADDRESSES)
        ]
        _inventory(folder, rows)
        more = {
            "KEY": machines.key,
            "PORT": str(machine.port),
            "LOGIN": machines.user,
            "ADDRESSES": "\n".join(ADDRESSES),
        }
        env = {**_environment(place, folder), **more}
        for times, name in ((1, "one command on 30 nodes"), (3, "three commands on 30 nodes")):
            again = f"for turn in $(seq {times}); do {{}}; done"
            ours = again.format("rigger-node --all true")
            xargs = again.format(f'xargs -P 10 -I@ {PLAIN} @ true <<<"$ADDRESSES"')
            loop = again.format(f'for address in $ADDRESSES; do {PLAIN} "$address" true; done')
            took, base, plain = place.rounds_of(
                lambda ours=ours: _run(env, place.python, "-c", OPEN, folder, ours),
                lambda xargs=xargs: _run(env, "bash", "-c", xargs),
                lambda loop=loop: _run(env, "bash", "-c", loop),
                rounds=3,
            )
            table.ratios(name, took, base, "ssh by xargs -P 10", **{"plain ssh": plain})
