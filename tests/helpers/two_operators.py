"""Two people with a record each of one cluster, whose scripts write down, where both see it, what they did to it."""

import json
import os
import random

from helpers.second_machine import elsewhere

VERSIONS = [f"1.{number}.0" for number in range(40)]
PLATFORM = f"""
    versions: [{", ".join(VERSIONS)}]
    upgrades:
      inplace: {{description: all at once}}
    suites:
      smoke: {{description: look, tests: [look]}}
"""
# Two that act at once meet at `busy`. What runs stands on the nodes, and what was done in `acts`.
ACT = """
    verb=${0##*/}
    mkdir "$SHARED/busy" 2>/dev/null || echo clash >>"$SHARED/clashes"
    while [ -e "$SHARED/gate" ]; do sleep 0.05; done
    wanted=" "
    for node in $(rigger-nodes names); do
        case " $RIGGER_LEAVING " in *" $node "*) ;; *) wanted="$wanted$node " ;; esac
    done
    for node in $wanted; do rigger-node "$node" sh -c 'echo "$1" >running' sh "$CREW_VERSION"; done
    echo "$CREW_VERSION $wanted" >>"$SHARED/acts"
    rmdir "$SHARED/busy"
"""
CHECK = """
    rigger-nodes names | while read -r node; do
        found=$(rigger-node "$node" cat running </dev/null) && [ "$found" = "$CREW_VERSION" ] || exit 1
    done
"""


class Crew:
    """Ada, who made the cluster, and Bob, who loaded what she saved: riggers in homes of their own."""

    def __init__(self, rigger, modules, folder, provider=("local",)):
        self.folder = str(folder)
        self.shared = os.path.join(self.folder, "shared")
        os.makedirs(self.shared)
        platform = modules.write("platform", "crew", PLATFORM)
        for verb in ("deploy", "scale", "upgrade-inplace"):
            modules.script(platform, verb, ACT)
        modules.script(platform, "check", CHECK)
        for verb in ("install", "undeploy", "tests/look"):
            modules.script(platform, verb, "")
        rigger.env["SHARED"] = self.shared
        self.ada, self.bob = rigger, elsewhere(rigger, folder, "bob")
        self.bundles = []
        self.machines = os.path.join(self.folder, "machines")
        words = provider if provider != ("local",) else ("local", "--set", f"MACHINES_DIR={self.machines}")
        rigger(
            *("configure", "--no-input", "--name", "ship", "--platform", "crew", "--version", VERSIONS[0]),
            *("--set", "NODES=2", "--provider", *words),
        )

    @property
    def both(self):
        return self.ada, self.bob

    def together(self):
        """Make the cluster, and have both know the same of it."""
        self.ada("provision")
        self.hand_over(self.ada, self.bob)

    def hand_over(self, giver, taker, *options, code=0):
        return self.load(taker, self.save(giver), *options, code=code)

    def save(self, who):
        path = os.path.join(self.folder, f"{len(self.bundles)}.rigger")
        who("save", "-o", path)
        self.bundles.append(path)
        return path

    def load(self, who, path, *options, code=0):
        return who("configure", "--no-input", "--trust", "--file", path, *options, code=code)

    def acts(self):
        """Return what was done to the cluster: the version, and the nodes that it was left with, each time."""
        return [(line.split()[0], line.split()[1:]) for line in self._lines("acts")]

    def clashes(self):
        return self._lines("clashes")

    def _lines(self, name):
        try:
            with open(os.path.join(self.shared, name)) as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def close_gate(self):
        """Have scripts wait, so that another command can come between."""
        open(os.path.join(self.shared, "gate"), "w").close()

    def at_the_gate(self):
        return os.path.isdir(os.path.join(self.shared, "busy"))

    def open_gate(self):
        os.unlink(os.path.join(self.shared, "gate"))

    def log(self, who):
        with open(who.path("environments", "ship", "audit.jsonl")) as file:
            return [json.loads(line) for line in file]

    def id(self):
        return self.ada("config", "get", "CREW_ID").out.strip()

    def node(self, number, *parts):
        return os.path.join(self.machines, self.id(), f"node-{number}", *parts)

    def claim_file(self, number, name="claim"):
        return self.node(number, ".local", "state", "rigger", self.id(), name)


class Interleaving:
    """Random commands of both, one after another or at once; after each it is compared what may have happened."""

    def __init__(self, crew, seed, steps):
        self.crew, self.random, self.steps = crew, random.Random(seed), steps
        self.newest = 0  # how often somebody acted
        self.known = {crew.ada: 0, crew.bob: 0}  # which of these each record knows
        self.bundles = []  # paths, and what was known
        self.story = [f"seed {seed}"]
        self.version, self.nodes = VERSIONS[0], 2

    def run(self):
        acts = (
            self.provision,
            self.upgrade,
            self.scale,
            self.save,
            self.load,
            self.load,
            self.check,
            self.at_once,
        )
        for _ in range(self.steps):
            self.random.choice(acts)(self.random.choice(self.crew.both))
            assert not self.crew.clashes(), self.story

    def note(self, who, what, said=None):
        name = "ada" if who is self.crew.ada else "bob"
        self.story.append(f"{name} {what}{f': {said}' if said else ''}")

    def provision(self, who):
        self._acted(who, "provision", who("provision", "-y", "--again", code=None))

    def upgrade(self, who):
        to = VERSIONS[VERSIONS.index(self.version) + 1]
        self._acted(
            who, f"upgrade {to}", who("upgrade", "--version", to, "--upgrade-style", "inplace", code=None)
        )

    def scale(self, who):
        nodes = self.random.choice([1, 2, 3])
        who("config", "set", f"NODES={nodes}")
        self._acted(who, f"scale to {nodes}", who("provision", "-y", "--again", code=None))

    def check(self, who):
        said = who("check", code=None)
        self.note(who, "check", said)
        assert said.code == (0 if self._is_newest(who) else 8), self.story

    def save(self, who):
        self.bundles.append((self.crew.save(who), self.known[who]))
        self.note(who, f"save {self.bundles[-1]}")

    def load(self, who):
        """Load a bundle; one that is newer also where the record went its own way, after that was said."""
        if not self.bundles:
            return
        path, known = self.random.choice(self.bundles[-3:])
        said = self.crew.load(who, path, code=None)
        if said.code == 9 and known > self.known[who]:
            said = self.crew.load(who, path, "--allow-older", code=None)
        self.note(who, f"load {path}", said)
        assert said.code in (0, 9), self.story
        assert said.code == 0 or known <= self.known[who], self.story
        if said.code == 0:
            assert known >= self.known[who], self.story
            self.known[who] = known

    def at_once(self, _):
        """Both act at the same moment: one of them, at most, is not refused."""
        before, newest = self.crew.acts(), {who: self._is_newest(who) for who in self.crew.both}
        running = [(who, who.start("provision", "-y", "--again")) for who in self.crew.both]
        ended = [(who, process, process.communicate()[0].decode()) for who, process in running]
        for who, process, said in ended:
            self.note(who, "at once", f"exit {process.returncode}\n{said}")
            assert process.returncode in (0, 7, 8), self.story
            assert newest[who] or process.returncode != 0, self.story
        went_on = [who for who, process, _ in ended if process.returncode == 0]
        assert len(went_on) <= 1, self.story
        if went_on:
            self._moved_on(went_on[0], before)

    def _is_newest(self, who):
        return self.known[who] == self.newest

    def _acted(self, who, what, said):
        self.note(who, what, said)
        before = self.acts_seen
        if self._is_newest(who):
            assert said.code == 0, self.story
            self._moved_on(who, before)
        else:
            assert said.code == 8, self.story
            assert "is behind" in said.err, self.story
            assert self.crew.acts() == before, self.story

    acts_seen: list = []

    def _moved_on(self, who, before):
        acts = self.crew.acts()
        assert len(acts) > len(before), self.story
        assert all(
            VERSIONS.index(version) >= VERSIONS.index(self.version) for version, _ in acts[len(before) :]
        )
        self.version = acts[-1][0]
        self.acts_seen = acts
        self.newest += 1
        self.known[who] = self.newest
