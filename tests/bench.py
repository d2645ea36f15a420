"""Measure rigger against the plain way of doing the same, all in one run; `make bench`.

Every number is a ratio of medians: the commands of a comparison take turns, so that a busy moment meets them all.
rigger is installed (not editable) into a virtual environment of its own, with its bytecode compiled.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

FOUR = """
interface: 2
name: four
role: platform
description: Four tests that do nothing
suites:
  four: {description: Four tests that do nothing, tests: [one, two, three, four]}
"""

# What a person would write who had only the scripts: the same ones, in the same order, with the same environment.
BY_HAND = """
set -eu
exec >"$1/output" 2>&1 </dev/null
export RIGGER_OUTPUT="$1/vars" RIGGER_SECRETS_OUTPUT="$1/secrets" RIGGER_INVENTORY_OUTPUT="$1/nodes"
: >"$1/vars" >"$1/secrets" >"$1/nodes"
. "$1/provider"
cd "$RIGGER_MODULE_DIR"
./install
./create
cp "$1/inventory.tsv" "$RIGGER_NODES_FILE"
. "$1/platform"
cd "$RIGGER_MODULE_DIR"
./install
./deploy
./check
"""

DOWN_BY_HAND = """
set -eu
exec >"$1/output" 2>&1 </dev/null
export RIGGER_OUTPUT="$1/vars" RIGGER_SECRETS_OUTPUT="$1/secrets" RIGGER_INVENTORY_OUTPUT="$1/nodes"
. "$1/platform"
cd "$RIGGER_MODULE_DIR"
./undeploy
. "$1/provider"
cd "$RIGGER_MODULE_DIR"
./destroy
: >"$RIGGER_NODES_FILE"
"""

STEP_ENVIRONMENTS = r"""
import os, shlex, sys
from rigger.configuration import resolve
from rigger.environments.home import Home
from rigger.runs.environment import script_environment
environment = Home().get(sys.argv[1])
settled = resolve.resolve(environment)
for module in (settled.provider, settled.platform):
    values = script_environment(environment, settled, module)
    with open(os.path.join(sys.argv[2], module.role), "w") as file:
        file.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
"""


# The least that a program can do to give a variable back.
APPEND = """#!/bin/sh
printf 'export %s="%s"\\n' "$1" "$NODES" >>"$RIGGER_OUTPUT"
"""

# How Deis's rigger did it in 2015: bash, sed and sort over the vars file, for each variable.
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


class Bench:
    """A folder with rigger installed in it, and an environment without anything that would slow Python down."""

    def __init__(self, folder: str):
        self.folder = folder
        self.python = self.file("venv", "bin", "python")
        self.rigger = self.file("venv", "bin", "rigger")
        self.env = {
            "HOME": self.file("home"),
            "RIGGER_HOME": self.file("home", ".rigger"),
            "RIGGER_PLATFORM_PATH": self.file("platforms"),
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
        }
        os.mkdir(self.env["HOME"])

    def file(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)

    def write(self, path: str, text: str, mode: int = 0o644) -> str:
        path = self.file(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def run(self, *argv: str) -> float:
        """Run a command to its end; return the seconds that it took. What it prints goes to a file, as in a log."""
        with open(self.file("output.log"), "wb") as output:
            begun = time.perf_counter()
            code = subprocess.call(
                argv, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            took = time.perf_counter() - begun
        if code:
            with open(self.file("output.log"), errors="replace") as output:
                sys.exit(f"{' '.join(argv)} exited {code}:\n{output.read()}")
        return took

    def medians(self, rounds: int, *commands: list[str]) -> list[float]:
        """Return the median seconds of each command; they take turns, and a first turn only warms up."""
        turns = [[self.run(*command) for command in commands] for _ in range(rounds + 1)][1:]
        return [statistics.median(column) for column in zip(*turns, strict=True)]

    def install(self) -> None:
        source = self.file("source")
        unwanted = shutil.ignore_patterns(
            ".git", ".venv", "build", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis"
        )
        shutil.copytree(ROOT, source, ignore=unwanted)
        self.env.update({name: value for name, value in os.environ.items() if name.startswith("PIP_")})
        self.run(sys.executable, "-m", "venv", self.file("venv"))
        self.run(self.python, "-m", "pip", "install", "--quiet", "--use-pep517", source)
        self.run(self.python, "-m", "compileall", "-q", self.file("venv", "lib"))


def show(what: str, against: str, took: float, base: float, aim: float) -> None:
    ratio = took / base
    print(
        f"{ratio:6.2f}  (aim {aim})  {what}: {took * 1000:.1f} ms, against {against}: {base * 1000:.1f} ms",
        flush=True,
    )


def start_up(bench: Bench, rounds: int) -> None:
    """`rigger --version` and `rigger --help` against a Python that does nothing."""
    base, version, usage = bench.medians(
        rounds, [bench.python, "-c", "pass"], [bench.rigger, "--version"], [bench.rigger, "--help"]
    )
    show("rigger --version", "python -c pass", version, base, 1.3)
    show("rigger --help", "python -c pass", usage, base, 4)
    tab = [bench.rigger, "__complete", "bash", "--", "config", "set", ""]
    bench.run(
        bench.rigger, "configure", "--defaults", "--name", "tab", "--provider", "noop", "--platform", "noop"
    )
    base, offered = bench.medians(rounds, [bench.python, "-c", "pass"], tab)
    show("the Tab key", "python -c pass", offered, base, 3)


def four_steps(bench: Bench, rounds: int) -> None:
    """`rigger test` with four tests that do nothing against a loop over the same scripts and an empty Python."""
    bench.write("platforms/four/rigger.yml", FOUR)
    for script in (
        "install",
        "deploy",
        "check",
        "undeploy",
        *(f"tests/{name}" for name in ("one", "two", "three", "four")),
    ):
        bench.write(f"platforms/four/{script}", "#!/bin/sh\n", 0o755)
    tests = bench.file("platforms", "four", "tests")
    loop = bench.write("loop", f"for test in one two three four; do {tests}/$test; done\n")
    bench.run(
        bench.rigger, "configure", "--defaults", "--name", "four", "--platform", "four", "--provider", "noop"
    )
    bench.run(bench.rigger, "provision")
    base, python, took = bench.medians(
        rounds, ["bash", loop], [bench.python, "-c", "pass"], [bench.rigger, "test", "four"]
    )
    show("rigger test, 4 no-op steps", "a bash loop and python -c pass", took, base + python, 2.5)


def save_vars(bench: Bench, rounds: int) -> None:
    """A hundred `rigger-save-vars NODES` against shells that do less, or the same by other means, and against Python."""
    loop = bench.write("loop-of-saving", A_HUNDRED_TIMES)
    least = bench.write("append", APPEND, 0o755)
    before = bench.write("sed-and-sort", SED_AND_SORT, 0o755)
    program = [bench.python, "-c", "import rigger.libexec; print(rigger.libexec.__path__[0])"]
    libexec = subprocess.check_output(program, env=bench.env, text=True).strip()
    programs = ([os.path.join(libexec, "rigger-save-vars")], [least], [before], [bench.python, "-c", "pass"])
    took, *others = bench.medians(rounds, *(["sh", loop, bench.folder, *argv, "NODES"] for argv in programs))
    names = ("a shell that appends a line", "bash, sed and sort", "python -c pass")
    for against, base, aim in zip(names, others, (2, 1, 1), strict=True):
        show("rigger-save-vars, 100 times", against, took, base, aim)


def provision(bench: Bench, rounds: int) -> None:
    """`rigger provision` of three members against the same scripts run by hand; the programs are there for both."""
    up, down = bench.write("up-by-hand", BY_HAND), bench.write("down-by-hand", DOWN_BY_HAND)
    work = bench.file("by-hand")
    os.makedirs(work)
    cluster = (bench.rigger, "-e", "cluster")
    bench.run(
        bench.rigger,
        "configure",
        "--defaults",
        "--name",
        "cluster",
        "--platform",
        "etcd",
        "--provider",
        "local",
    )
    turns = []
    for _ in range(rounds + 1):
        try:
            took = bench.run(*cluster, "provision")
            shutil.copy(bench.file("home", ".rigger", "environments", "cluster", "inventory.tsv"), work)
            bench.run(bench.python, "-c", STEP_ENVIRONMENTS, "cluster", work)
        finally:
            bench.run(*cluster, "destroy", "--yes")
        try:
            turns.append((took, bench.run("bash", up, work)))
        finally:
            bench.run("bash", down, work)
    columns = list(zip(*turns[1:], strict=True))
    for what, of in (
        ("median", statistics.median),
        ("fastest", min),
    ):  # an election may take a second, or none
        show(
            f"rigger provision, etcd on 3 nodes ({what})", "the same scripts by hand", *map(of, columns), 1.1
        )


POTS = """
resource "terraform_data" "pot" {
  count = 4
  input = "pot ${count.index + 1}"
}
output "nodes" {
  value = [for n, pot in terraform_data.pot : { name = "pot-${n + 1}", address = "127.0.9.${n + 1}" }]
}
"""
POTTER = "interface: 2\nname: potter\nrole: provider\ndescription: Four pots\n"

BARE_TERRAFORM = """
set -eu
rm -rf "$1"
mkdir "$1"
cp "$2" "$1"
cd "$1"
terraform init -input=false
terraform apply -input=false -auto-approve
"""


def terraform(bench: Bench, rounds: int) -> None:
    """`rigger provision` of four pieces of data by Terraform against `terraform init` and `terraform apply` alone."""
    bench.write("providers/potter/rigger.yml", POTTER)
    main = bench.write("providers/potter/main.tf", POTS)
    bare = bench.write("bare-terraform", BARE_TERRAFORM)
    bench.env.update(RIGGER_PROVIDER_PATH=bench.file("providers"), CHECKPOINT_DISABLE="1")
    pots = (bench.rigger, "-e", "pots")
    chosen = ("--platform", "noop", "--provider", "potter")
    bench.run(bench.rigger, "configure", "--defaults", "--name", "pots", *chosen)
    turns = []
    for _ in range(rounds + 1):
        alone = bench.run("bash", bare, bench.file("alone"), main)
        first = bench.run(*pots, "provision")
        again = bench.run(*pots, "provision", "--again")
        bench.run(*pots, "destroy", "--yes")
        turns.append((alone, first, again))
    alone, first, again = map(statistics.median, zip(*turns[1:], strict=True))
    show("rigger provision, 4 resources by Terraform", "terraform init and apply", first, alone, 1.15)
    show("rigger provision --again, nothing to change", "the same", again, alone, 1.15)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="turns of the short commands [40]")
    parser.add_argument("--clusters", type=int, default=9, help="clusters made each way; 0 for none [9]")
    options = parser.parse_args()
    print(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; ",
        end="",
    )
    print(
        f"load {os.getloadavg()[0]:.1f}; medians of {options.rounds} and {options.clusters} turns", flush=True
    )
    with tempfile.TemporaryDirectory(prefix="rigger-bench-") as folder:
        bench = Bench(folder)
        bench.install()
        start_up(bench, options.rounds)
        four_steps(bench, options.rounds)
        save_vars(bench, max(1, options.rounds // 4))
        if shutil.which("terraform"):
            terraform(bench, max(options.rounds // 4, 1))
        if options.clusters:
            provision(bench, options.clusters)


if __name__ == "__main__":
    main()
