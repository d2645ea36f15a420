"""A platform that is upgraded by stages: what each node runs stands in a file of its own, and a test says what is measured."""

import os

from helpers.second_machine import forest

CANARY = """
      canary:
        description: one first
        within: minor
        stages: [{nodes: 1}, {nodes: rest}]
        judge:
          test: load
          for: "{{ COLOUR_TIME }}"
          at-most: {lost: 0, latency_ms: 3x + 20}
          at-least: {writes: 1}
        on-failure: rollback
      rolling:
        stages: [{nodes: 1, pause: yes}]
        judge: {test: load, for: 2s, at-most: {latency_ms: 3x + 20}}
      asking:
        stages: [{nodes: 50%}]
        judge: {test: load, for: 2s, at-most: {lost: 0}}
        on-failure: ask
"""
# What is measured: a line of figures for each version of the first node that the stage names, or of all.
LOAD = """
    set -- $RIGGER_STAGE_NODES
    version=$TREE_VERSION
    echo "${1:-usual} $RIGGER_JUDGE_SECONDS s" >>"$RIGGER_STATE_DIR/judged"
    while read -r name value; do rigger-figure "$name" "$value"; done <"$RIGGER_STATE_DIR/figures-$version"
    [ ! -f "$RIGGER_STATE_DIR/broken" ] || { echo "nobody answers"; exit 1; }
"""
UPGRADE = """
    for node in ${RIGGER_STAGE_NODES:-$(rigger-nodes names)}; do
        echo "$TREE_VERSION${RIGGER_ROLLBACK:+ back}" >"$RIGGER_STATE_DIR/on-$node"
        [ ! -f "$RIGGER_STATE_DIR/fails-on-$node-$TREE_VERSION" ] || exit 7
    done
"""
WELL = {"lost": 0, "latency_ms": 12, "writes": 90}


class Staged:
    """A cluster of three nodes in version 1.9.0, which can be upgraded to 1.9.1 by stages."""

    def __init__(self, rigger, modules):
        self.cluster = cluster = forest(rigger, modules)
        manifest = os.path.join(cluster.folders["platform"], "rigger.yml")
        with open(manifest) as file:
            text = file.read().replace("1.9.0,", "1.9.0, 1.9.1,")
        at = text.index("upgrades:\n") + len("upgrades:\n")
        colour = "  - {name: COLOUR_TIME, default: 2s, changes: none}\n"
        indent = len(text[at:]) - len(text[at:].lstrip(" "))
        canary = "".join(f"{line[6 - indent :]}\n" for line in CANARY.strip("\n").splitlines())
        text = text[:at] + canary + text[at:]
        with open(manifest, "w") as file:
            file.write(text.replace("questions:\n", f"questions:\n{colour}", 1))
        for style in ("canary", "rolling", "asking"):
            cluster.script("platform", f"upgrade-{style}", UPGRADE)
        cluster.script("platform", "tests/load", LOAD)

    def begin(self):
        self.measure("1.9.0")
        self.measure("1.9.1")
        self.cluster.ran()
        return self

    def path(self, name):
        return self.cluster.file("modules", "tree", name)

    def measure(self, version, **figures):
        """Say what is measured of a version; a figure that is None is not."""
        told = {name: value for name, value in {**WELL, **figures}.items() if value is not None}
        self.write(f"figures-{version}", "".join(f"{name} {value}\n" for name, value in told.items()))

    def write(self, name, text=""):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as file:
            file.write(text)

    def forget(self, name):
        os.unlink(self.path(name))

    def runs(self) -> dict[str, str]:
        """Return what each node that was ever touched runs."""
        found = {}
        for node in self.cluster.nodes():
            if os.path.exists(self.path(f"on-{node}")):
                with open(self.path(f"on-{node}")) as file:
                    found[node] = file.read().strip()
        return found

    def told(self, *names) -> list[dict]:
        """Return the audit records of stages, or those of some names."""
        return [
            record
            for record in self.cluster.records()
            if (record["event"] in names if names else record["event"].startswith("stage-"))
        ]
