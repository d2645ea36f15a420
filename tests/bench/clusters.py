"""Whole clusters: what Terraform makes, and three members of etcd."""

from __future__ import annotations

import collections
import glob
import json
import os
import re
import shutil
import subprocess
import time

from place import Place
from rows import Table

POTS = """
resource "terraform_data" "pot" {
  count = 4
  input = "pot ${count.index + 1}"
}
output "POTS" {
  value = length(terraform_data.pot)
}
"""
POTTER = "interface: 2\nname: potter\nrole: provider\ndescription: Four pots\n"
BARE_TERRAFORM = """
set -eu
mkdir -p "$1"
cp "$2" "$1"
cd "$1"
terraform init -input=false
terraform apply -input=false -auto-approve
"""
# The least that a program can do to give a variable back.
APPEND = """#!/bin/sh
printf 'export %s="%s"\\n' "$1" "$NODES" >>"$RIGGER_OUTPUT"
"""
# bash, sed and sort over the vars file, for each variable.
SED_AND_SORT = """#!/usr/bin/env bash
set -e
sed -i.bak -e "/^export $1=/d" "$RIGGER_OUTPUT"
rm -f "$RIGGER_OUTPUT.bak"
echo "export $1=\\"${!1}\\"" >>"$RIGGER_OUTPUT"
sort -u "$RIGGER_OUTPUT" -o "$RIGGER_OUTPUT"
"""
A_HUNDRED_TIMES = """
export NODES=3 RIGGER_OUTPUT="$1/vars"
: >"$RIGGER_OUTPUT"
shift
for i in 0 1 2 3 4 5 6 7 8 9; do for j in 0 1 2 3 4 5 6 7 8 9; do "$@"; done; done
"""


def save_vars(place: Place, table: Table) -> None:
    """A hundred `rigger-save-vars NODES` against a shell that does less; sed and sort, and Python, are peers."""
    loop = place.write("loop-of-saving", A_HUNDRED_TIMES)
    least = place.write("append", APPEND, 0o755)
    sorted_ = place.write("sed-and-sort", SED_AND_SORT, 0o755)
    code = "import rigger.libexec; print(rigger.libexec.__path__[0])"
    libexec = subprocess.check_output([place.python, "-c", code], env=place.env, text=True).strip()
    programs = ([os.path.join(libexec, "rigger-save-vars")], [least], [sorted_], [place.python, "-c", "pass"])
    took, base, *others = place.rounds_of(
        *(["sh", loop, place.folder, *argv, "NODES"] for argv in programs), rounds=max(3, place.rounds // 4)
    )
    peers = dict(zip(("sed and sort", "empty Python"), others, strict=True))
    table.ratios("save-vars, 100 times", took, base, "a shell that appends a line", **peers)


def terraform(place: Place, table: Table) -> None:
    """Four pieces of data: made, made again, and nothing to do; against `terraform init` and `apply` in a folder."""
    if not shutil.which("terraform"):
        table.failed.append("terraform (there is none)")
        return
    place.write("providers/potter/rigger.yml", POTTER)
    main = place.write("providers/potter/main.tf", POTS)
    bare = place.write("bare-terraform", BARE_TERRAFORM)
    place.env["CHECKPOINT_DISABLE"] = "1"
    pots, alone = (place.rigger, "-e", "pots"), place.file("alone")
    place.configure("pots", "noop", "potter")

    def fresh() -> float:
        shutil.rmtree(alone, ignore_errors=True)
        return place.run("bash", bare, alone, main)

    base, repeated, first, again, nothing, _ = place.rounds_of(
        fresh,
        ["bash", bare, alone, main],
        [*pots, "provision"],
        [*pots, "provision", "--again"],
        [*pots, "provision"],
        [*pots, "destroy", "--yes"],
        rounds=max(3, place.rounds // 4),
    )
    table.ratios("terraform, first", first, base, "terraform init and apply")
    table.ratios("terraform, again", again, repeated, "init and apply once more")
    table.ratios("terraform, nothing to do", nothing, repeated, "init and apply once more")


def etcd(place: Place, table: Table) -> None:
    """Three members on this machine: rigger's own seconds in the run, and the processes that are started in it."""
    place.configure("cluster", "etcd", "local")
    cluster = (place.rigger, "-e", "cluster")
    shares = []
    try:
        for _ in range(4):
            took = place.run(*cluster, "provision")
            shares.append(100 * (took - _in_steps(place)) / took)
            place.run(*cluster, "destroy", "--yes")
        trace = place.file("trace")
        _trace(trace, place, *cluster, "provision")
    finally:
        place.run(*cluster, "destroy", "--yes")
    started: collections.Counter[str] = collections.Counter()
    for path in glob.glob(
        f"{glob.escape(trace)}.*"
    ):  # one of each process: in one file they would cut each other's lines
        with open(path, errors="replace") as file:
            names = re.findall(r'^execve\("([^"]+)".*\) = 0$', file.read(), re.M)
        started.update(map(os.path.basename, names))
    table.figures("etcd, rigger's own seconds", shares[1:], "%", "the run")
    table.figures("etcd, processes", [float(sum(started.values()))], "", "a provision of three nodes")
    print(f"       {', '.join(f'{count} {name}' for name, count in started.most_common(12))}")


def _trace(path: str, place: Place, *command: str) -> None:
    """Note every program that a command starts; strace itself would wait for the members, which live on."""
    ended = f"{path}.ended"
    shell = ("sh", "-c", '"$@"; echo $? >"$0"', ended, *command)
    argv = ("strace", "-I", "2", "-ff", "-qq", "-e", "trace=execve", "-o", path, *shell)
    with subprocess.Popen(argv, env=place.env, cwd=place.folder, stdout=subprocess.DEVNULL) as tracer:
        while tracer.poll() is None and not (os.path.exists(ended) and os.path.getsize(ended)):
            time.sleep(0.2)
        tracer.terminate()
    with open(ended) as file:
        code = file.read().strip()
    if code != "0":
        raise SystemExit(f"{' '.join(command)} exited {code}")


def _in_steps(place: Place) -> float:
    """Return the seconds that passed in the steps of the last run."""
    argv = (place.rigger, "-e", "cluster", "history", "-o", "json")
    text = subprocess.check_output(argv, env=place.env, text=True)
    last = max(json.loads(text)["runs"], key=lambda run: run["number"])
    return float(sum(step["seconds"] for step in last["steps"]))
