"""A provider and a platform whose scripts write down that they ran, and the environment that uses them."""

import json
import os
import signal
import time

PROVIDER = """
    questions:
      - {name: NODES, type: integer, min: 0, max: 9, default: 2}
      - {name: REGION, default: here, changes: replace}
      - {name: COMMENT, default: none so far, changes: none}
      - {name: TOOLS, default: plain, changes: install}
      - {name: TOKEN, type: secret, optional: true}
"""
PLATFORM = """
    versions: [1.9.0, 1.10.0]
    questions:
      - {name: COLOUR, default: green}
      - {name: MIRROR, default: far, changes: install}
    suites:
      smoke: {description: the first look, tests: [grows]}
"""
MAKE_NODES = """
    n=0
    while [ "$n" -lt "${NODES:-0}" ]; do
        n=$((n + 1))
        echo "{\\"name\\": \\"node-$n\\", \\"address\\": \\"10.0.0.$n\\"}" >>"$RIGGER_INVENTORY_OUTPUT"
    done
"""


class Cluster:
    """The provider `soil`, the platform `tree` and the environment `wood`."""

    def __init__(self, rigger, modules, provider=PROVIDER, platform=PLATFORM):
        self.rigger = rigger
        self.modules = modules
        self.path = rigger.path("environments", "wood")
        self.noted = os.path.join(rigger.folder, "noted")
        rigger.env["NOTED"] = self.noted
        self.folders = {
            "provider": modules.write("provider", "soil", provider),
            "platform": modules.write("platform", "tree", platform),
        }
        for role, verbs in {
            "provider": ("install", "check", "destroy"),
            "platform": ("install", "deploy", "check", "undeploy", "scale", "tests/grows"),
        }.items():
            for verb in verbs:
                self.script(role, verb)
        self.script("provider", "create", MAKE_NODES)
        self.modules.script(self.folders["provider"], "exec", "exit 253\n")  # the nodes are on paper alone

    def script(self, role, verb, body=""):
        """Give a module a script that notes its name and then does what `body` says."""
        return self.modules.script(self.folders[role], verb, f'echo {role}/{verb} >>"$NOTED"\n' + body)

    def configure(self, *arguments, **options):
        return self.rigger(
            "configure",
            "--defaults",
            "--name",
            "wood",
            "--provider",
            "soil",
            "--platform",
            "tree",
            *arguments,
            **options,
        )

    def ran(self) -> list[str]:
        """Return the scripts that ran since this was last asked."""
        try:
            with open(self.noted) as file:
                found = file.read().split()
        except FileNotFoundError:
            return []
        os.unlink(self.noted)
        return found

    def file(self, *parts) -> str:
        return os.path.join(self.path, *parts)

    def content(self, *parts) -> str:
        with open(self.file(*parts), encoding="utf-8", errors="surrogateescape") as file:
            return file.read()

    def records(self) -> list[dict]:
        return [json.loads(line) for line in self.content("audit.jsonl").splitlines()]

    def plan(self) -> dict:
        return json.loads(self.rigger("provision", "--plan", "-o", "json").out)

    def nodes(self) -> list[str]:
        return [node["name"] for node in json.loads(self.content("inventory.json"))]

    def log(self, name) -> str:
        """Return what the last step of that name printed, for example 02-create."""
        run = sorted(
            os.listdir(self.file("runs")), key=lambda run: os.stat(self.file("runs", run)).st_mtime_ns
        )[-1]
        return self.content("runs", run, f"{name}.log")


def wait_for(condition, seconds=60):
    """Wait until a condition holds; fail if it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"this never came true: {condition}"
        time.sleep(0.01)


def killed(process) -> str:
    """Kill a rigger that is running, and return what it had said."""
    process.send_signal(signal.SIGKILL)
    return ended(process)[1]


def ended(process) -> tuple[int, str]:
    """Wait for a rigger that is running, and return its exit code and what it said."""
    try:
        out, _ = process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return process.returncode, out.decode(errors="replace")
