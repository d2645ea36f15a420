"""Measure a command on many nodes through rigger-node against plain ssh; `make bench`.

The nodes are loopback addresses of one real sshd. Every number is a ratio of medians of turns that alternate.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from helpers.machines import Machines

from rigger.environments import inventory
from rigger.ssh import connections as ssh_connections

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [ROOT, os.path.join(ROOT, "tests")]


ADDRESSES = [f"127.9.0.{1 + number % 10}" for number in range(30)]  # sshd listens to 16 at most
LIBEXEC = os.path.join(ROOT, "rigger", "libexec")
PLAIN = (
    "ssh -F /dev/null -i $KEY -p $PORT -l $LOGIN -o BatchMode=yes -o LogLevel=ERROR -o StrictHostKeyChecking=no "
    "-o UserKnownHostsFile=/dev/null"
)


class Bench:
    """`count` nodes, and ways to run a command on all of them."""

    def __init__(self, machines: Machines, folder: str, count: int):
        self.folder = folder
        machine = machines[1]
        self.addresses = ADDRESSES[:count]
        ssh_fields = machines.nodes()[0]["ssh"]
        nodes = [
            inventory.Node(f"node-{number}", address, ssh=ssh_fields)
            for number, address in enumerate(self.addresses, 1)
        ]
        inventory.write(os.path.join(folder, "inventory.json"), nodes)
        self.env = {
            **os.environ,
            "PATH": LIBEXEC + os.pathsep + os.environ["PATH"],
            "RIGGER_ENVIRONMENT_DIR": folder,
            "RIGGER_NODES_FILE": os.path.join(folder, "inventory.tsv"),
            "RIGGER_PROVIDER_DIR": folder,
            "KEY": machines.key,
            "PORT": str(machine.port),
            "LOGIN": machines.user,
            "ADDRESSES": "\n".join(self.addresses),
        }

    def run(self, script: str, **more: str) -> float:
        """Run a shell script; return the seconds that it took."""
        begun = time.perf_counter()
        done = subprocess.run(
            ["bash", "-c", script], env={**self.env, **more}, stdin=subprocess.DEVNULL, capture_output=True
        )
        took = time.perf_counter() - begun
        if done.returncode:
            sys.exit(f"{script} exited {done.returncode}: {done.stderr.decode(errors='replace')}")
        return took

    def through_rigger(self, script: str) -> float:
        """Run a script as the step of a run, with the opening and closing of the connections."""
        begun = time.perf_counter()
        with ssh_connections.Connections(self.folder) as connections:
            self.run(script, RIGGER_CONNECTIONS=connections.path)
        return time.perf_counter() - begun


def show(what: str, against: str, took: list[float], base: list[float]) -> None:
    took_, base_ = statistics.median(took), statistics.median(base)
    print(
        f"{took_ / base_:6.2f}  {what}: {took_ * 1000:.0f} ms, against {against}: {base_ * 1000:.0f} ms",
        flush=True,
    )


def compare(bench: Bench, count: int, rounds: int, times: int) -> None:
    """Run `times` commands on each of the nodes, one round after another."""
    again = f"for turn in $(seq {times}); do {{}}; done"
    loop = again.format(f'for address in $ADDRESSES; do {PLAIN} "$address" true; done')
    xargs = again.format(f'xargs -P 10 -I@ {PLAIN} @ true <<<"$ADDRESSES"')
    ours = again.format("rigger-node --all true")
    columns = [[], [], []]
    for _ in range(rounds + 1):
        turn = [bench.through_rigger(ours), bench.run(loop), bench.run(xargs)]
        for column, took in zip(columns, turn, strict=True):
            column.append(took)
    rigger, plain, parallel = (column[1:] for column in columns)
    what = f"rigger-node --all, {count} nodes, {times} times"
    show(what, "ssh in a loop", rigger, plain)
    show(what, "ssh by xargs -P 10", rigger, parallel)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2, help="turns [2]")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="rigger-bench-") as folder,
        Machines(folder, 1, namespaces=False) as machines,
    ):
        machines.stop_sshd(1)
        listen = [f"{address}:{machines[1].port}" for address in (machines[1].address, *ADDRESSES[:10])]
        machines.start_sshd(1, ListenAddress="\nListenAddress ".join(listen))
        for count in (3, 30):
            for times in (1, 3):
                place = os.path.join(folder, f"{count}-{times}")
                os.mkdir(place)
                compare(Bench(machines, place, count), count, options.rounds, times)


if __name__ == "__main__":
    main()
