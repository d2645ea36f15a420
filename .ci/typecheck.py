"""Check the types strictly, but for the errors that .ci/types-baseline counts: a file may have neither more nor fewer.

`--write` makes that list anew. Once it is empty, it goes, this program too, and mypy stands in the Makefile itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
BASELINE = os.path.join(HERE, "types-baseline")


def mypy() -> list[str]:
    """Return the errors, a line each; exits where mypy itself failed."""
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        os.path.join(HERE, "mypy.ini"),
        "--no-error-summary",
    ]
    result = subprocess.run(command, cwd=os.path.dirname(HERE), stdout=subprocess.PIPE, text=True)
    if result.returncode not in (0, 1):
        sys.exit(result.stdout or result.returncode)
    return [line for line in result.stdout.splitlines() if ": error: " in line]


def baseline() -> Counter[str]:
    with open(BASELINE, encoding="utf-8") as file:
        return Counter({path: int(number) for path, _, number in (line.rpartition(": ") for line in file)})


def main() -> int:
    errors = mypy()
    counts = Counter(line.partition(":")[0] for line in errors)
    if sys.argv[1:] == ["--write"]:
        with open(BASELINE, "w", encoding="utf-8") as file:
            file.writelines(f"{path}: {number}\n" for path, number in sorted(counts.items()))
        return 0
    allowed = baseline()
    for line in errors:
        path = line.partition(":")[0]
        if counts[path] > allowed[path]:
            print(line)
    for path in sorted(path for path in counts | allowed if counts[path] < allowed[path]):
        print(f"{path} has {counts[path]} errors, {allowed[path]} in .ci/types-baseline: make types-baseline")
    return int(counts != +allowed)


if __name__ == "__main__":
    sys.exit(main())
