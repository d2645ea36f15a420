"""Measure rigger against the plain way of doing the same, all in one run; `make bench`.

Every row is a median of rounds with its minimum and maximum: in a round the two sides take turns, so that a busy moment
meets both. It exits 1 where an aim was missed. `make bench ROWS="reading steps"` measures these groups alone.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile

import bundles
import clusters
import everyday
import growth
import modules
import nodes
import picture
import streams
from place import ROOT, Place
from rows import Table

GROUPS = {
    "reading": everyday.reading,
    "steps": everyday.steps,
    "imports": everyday.imports,
    "instructions": everyday.instructions,
    "records": growth.records,
    "questions": growth.questions,
    "environments": growth.environments,
    "many-steps": growth.many_steps,
    "thousand": nodes.thousand,
    "thirty": nodes.thirty,
    "modules": modules.modules,
    "lines": streams.lines,
    "masking": streams.masking,
    "save": bundles.save,
    "small-files": bundles.small_files,
    "big-file": bundles.big_file,
    "save-vars": clusters.save_vars,
    "terraform": clusters.terraform,
    "etcd": clusters.etcd,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("groups", nargs="*", help=f"what to measure [all]: {', '.join(GROUPS)}")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of the short commands [20]")
    parser.add_argument(
        "--json", default=os.path.join(ROOT, "build", "bench.json"), help="where all figures go"
    )
    parser.add_argument("--picture", help="where the growth curves go, as SVG")
    options = parser.parse_args()
    if unknown := set(options.groups) - GROUPS.keys():
        parser.error(f"there are no rows {', '.join(sorted(unknown))}")
    about = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{about}; load {os.getloadavg()[0]:.1f}; {options.rounds} rounds")
    with tempfile.TemporaryDirectory(prefix="rigger-bench-") as folder:
        place, table = Place(folder, options.rounds), Table()
        place.install()
        for name in options.groups or GROUPS:
            GROUPS[name](place, table)
    table.write(options.json)
    if options.picture:
        with open(options.picture, "w") as file:
            file.write(picture.svg(table.growth))
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
