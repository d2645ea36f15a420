"""A cluster of stand-in machines, and add-ons for it: a broker, monitoring, and a database on storage on Kubernetes."""

import json
import os

CREATE = """\
n=0
for address in $ADDRESSES; do
    n=$((n + 1))
    echo "{\\"name\\": \\"node-$n\\", \\"address\\": \\"$address\\"}" >>"$RIGGER_INVENTORY_OUTPUT"
done
"""
ADDRESSES = "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5"
NODES_OF_STATE = """\
"$RIGGER_PYTHON" - <<'END'
import json, os
state = json.load(open(os.environ["RIGGER_STATE"]))
free = [node for node in state["nodes"] if not node["used_by"]][:3]
print("NODES: the first three free nodes of the state")
with open(os.environ["RIGGER_OUTPUT"], "a") as file:
    file.write("NODES=" + ",".join(node["name"] + "=" + node["address"] for node in free) + "\\n")
END
"""
USES = """\
"$RIGGER_PYTHON" - <<'END'
import json, os
nodes = dict(one.split("=") for one in os.environ["NODES"].split(","))
output = {"brokers": [f"{address}:9092" for address in nodes.values()], "uses": [*nodes]}
open(os.environ["RIGGER_STATE_OUTPUT"], "w").write(json.dumps(output))
END
"""
BROKER = """\
version: 2.10
labels: {kind: broker, provides-broker: 2.10}
requires: {strong: [[{key: kind, operator: eq, values: [infrastructure]}]]}
influences: [[{key: kind, operator: eq, values: [monitoring]}]]
provides: [brokers]
questions: [{name: NODES}, {name: SIZE, type: integer, default: 1}]
"""
MONITORING = """\
labels: {kind: monitoring}
requires: {weak: [[{key: kind, operator: eq, values: [broker]}]]}
provides: [targets]
"""
TARGETS = """\
targets() {
    "$RIGGER_PYTHON" -c 'import json, os
modules = json.load(open(os.environ["RIGGER_STATE"]))["modules"]
print(sum(len(one["output"].get("brokers", [])) for one in modules.values() if one["status"] == "applied"))'
}
has() {
    "$RIGGER_PYTHON" -c 'import json, os
print(json.load(open(os.environ["RIGGER_STATE"]))["modules"]["monitoring"]["output"].get("targets", 0))'
}
"""
PLAN = (
    TARGETS
    + """\
more=$(($(targets) - $(has)))
[ "$more" -eq 0 ] && exit 0
echo "monitoring would gain $more targets"
exit 8
"""
)


class Machines:
    """An environment with five stand-in machines, and the add-ons that a test writes."""

    def __init__(self, rigger, modules):
        self.rigger = rigger
        self.modules = modules
        question = f'questions: [{{name: ADDRESSES, default: "{ADDRESSES}"}}]\n'
        modules.write("provider", "machines", question, create=CREATE, exec='shift\nexec "$@"\n')
        modules.write("platform", "bare")
        rigger("configure", "--defaults", "--provider", "machines", "--platform", "bare")

    def write_story(self):
        """Write the broker, and monitoring, which is told of it."""
        self.addon("broker", BROKER, init=NODES_OF_STATE, plan="exit 8\n", apply=USES)
        apply = TARGETS + 'echo "{\\"targets\\": $(targets)}" >"$RIGGER_STATE_OUTPUT"\n'
        self.addon("monitoring", MONITORING, plan=PLAN, apply=apply)

    def addon(self, name, manifest="", **scripts):
        return self.modules.write("addon", name, manifest, **scripts)

    def path(self, *parts):
        return self.rigger.path("environments", "bare", *parts)

    def state(self):
        """Return what state.json says."""
        with open(self.path("state.json")) as file:
            return json.load(file)

    def status(self):
        """Return the status of each module, as the state file has it."""
        return {name: one["status"] for name, one in self.state()["modules"].items()}

    def vars(self):
        with open(self.path("vars")) as file:
            return file.read()

    def records(self, event):
        with open(self.path("audit.jsonl")) as file:
            return [one for one in map(json.loads, file) if one["event"] == event]

    def ran(self):
        """Return the steps that were begun, in order: module and verb."""
        return [(one["module"].partition("/")[2], one["step"]) for one in self.records("step-started")]

    def edit(self, before, after):
        """Change the vars file by hand."""
        text = self.vars()
        assert before in text
        with open(self.path("vars"), "w") as file:
            file.write(text.replace(before, after))

    def exists(self, *parts):
        return os.path.exists(self.path(*parts))
