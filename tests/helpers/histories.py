"""Histories of an environment that never was: written with the functions that write real ones, by a clock of their own.

Beside the log a few lines of plain Python keep what each thing said comes to: no code of rigger's.
"""

from __future__ import annotations

import copy
import os
import time

from rigger.audit import events, lines
from rigger.audit.secrets import secret_digest
from rigger.environments.home import Home
from rigger.environments.recorded import configured

KEY = b"k" * 32
NAMES = ("NODES", "REGION", "SIZE", "COLOUR", "TOKEN")
VERSIONS = ("1.0.0", "1.1.0", "2.0.0")
BEGINS = 1_600_000_000.0  # in 2020


class Clock:
    """The time that records get: it goes on by itself, by milliseconds or by weeks."""

    def __init__(self, chance, monkeypatch):
        self.chance, self.now = chance, BEGINS
        monkeypatch.setattr(lines, "now", self.tick)
        monkeypatch.setattr(
            os, "fsync", lambda fd: None
        )  # no power fails here, and a thousand histories take a while

    def tick(self) -> str:
        self.now += self.chance.choice([0.001, 0.002, 1.5, 60.0, 86_400.0 * 9])
        return self.text()

    def text(self) -> str:
        milliseconds = round(self.now * 1000)
        whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
        return f"{whole}.{milliseconds % 1000:03d}Z"


class Truth:
    """What is so, by what was written so far."""

    def __init__(self):
        self.values: dict[str, str] = {}  # as they are recorded
        self.seen: dict[str, str] = {}  # defaults, by the steps that had them
        self.nodes: list[list[str]] = []
        self.version = ""  # that runs
        self.runs, self.outcome, self.addons, self.failed, self.suspended = 0, "", {}, set(), False
        self.given: set[str] = set()

    def all(self) -> dict[str, str]:
        return {**self.seen, **self.values}


class Past:
    """An environment whose log is made up; `moments` are times, each with what was so then."""

    def __init__(self, folder, chance, monkeypatch):
        self.chance, self.clock = chance, Clock(chance, monkeypatch)
        self.environment = Home(str(folder)).create("made-up", {"PLATFORM": "tree", "PROVIDER": "soil"}, {})
        with open(self.environment.file("key"), "wb") as file:
            file.write(KEY)
        self.true, self.moments, self.answers, self.run = Truth(), [], {}, ""

    def write(self, length, note=lambda past: None):
        """Do so many things, one after another; `note` is called after each record that has its moment."""
        self.note = note
        with self.environment.locked("a test"):
            self.configure()
            for _ in range(length):
                self.chance.choice(self.possible())()

    def possible(self):
        """Return what may come next."""
        way = [self.configure, self.provision, self.provision]
        if self.true.version:
            way += [self.upgrade, self.check, self.destroy, self.add, self.suspend, self.load, self.look]
        return way

    def append(self, event, run=""):
        self.environment.audit.append(event, run)

    def pause(self):
        """Keep what is so now, between two records or at the very time of the last."""
        moment = self.clock.text()
        if self.chance.random() < 0.5:
            self.clock.now += 0.001
            moment = self.clock.text()
        self.moments.append((moment, copy.deepcopy(self.true)))
        self.note(self)

    # What people do

    def configure(self):
        before = dict(self.answers)
        for name in self.chance.sample(NAMES, self.chance.randrange(1, 4)):
            if self.chance.random() < 0.2:
                self.answers.pop(name, None)
            else:
                start = "a-token-" if name == "TOKEN" else "v"  # what has a secret in it would be one, too
                self.answers[name] = f"{start}{self.chance.randrange(5)}"
        self.answers.setdefault("VERSION", "1.0.0")
        record = configured(self.environment, "rigger config", before, self.answers)
        if record:
            self.append(record)
            self.true.values |= dict.fromkeys(record.changed, "***")  # no run has had them yet
        self.pause()

    def hidden(self, name, value):
        return secret_digest(KEY, value) if name in ("TOKEN", "ADDRESS") else value

    def begin(self, command, **fields):
        self.true.runs += 1
        self.run = f"2020-{self.true.runs:04d}-{command}"
        edited = {}
        if self.chance.random() < 0.2:  # somebody edited the vars file
            edited = {"SIZE": f"by-hand-{self.chance.randrange(3)}"}
            self.answers |= edited
        known = {name: self.hidden(name, value) for name, value in self.answers.items()}
        values = {name: value for name, value in known.items() if self.true.values.get(name) != value}
        gone = [name for name, value in self.true.values.items() if value == "***" and name not in known]
        self.true.values |= values
        for name in gone:
            del self.true.values[name]
            self.true.seen.pop(name, None)
        usual = {"rigger": "1.0", "by": "root@here", "provider": "soil", "platform": "tree", "id": "abc"}
        started = events.RunStarted(
            **{"command": command, "version": self.answers["VERSION"], "steps": 1, **usual, **fields},
            values=values,
            gone=gone,
        )
        self.append(started, self.run)
        self.true.outcome = "running"

    def step(self, module, step, command, code=0, values=None, nodes=None, version=None):
        """Record a step that runs to its end."""
        parameters = {n: self.hidden(n, self.answers.get(n, f"default-{n}")) for n in (*NAMES, "VERSION")}
        parameters |= {"VERSION": version} if version else {}
        begun = {"command": command, "number": 1, "module": module, "step": step, "script": step}
        log = f"runs/{self.run}/01-{step}.log"
        self.append(
            events.StepStarted(
                **begun, sha256="0" * 64, shared="", why="", parameters=parameters, log=log, inputs={}
            ),
            self.run,
        )
        self.true.seen |= {
            n: v for n, v in parameters.items() if not (command == "upgrade" and n == "VERSION")
        }
        ended = {"number": 1, "module": module, "step": step, "seconds": 1.0, "log_size": 0, "log_sha256": ""}
        given = {n: self.hidden(n, v) for n, v in (values or {}).items()}
        finished = events.StepFinished(**ended, exit_code=code, changed=[*given], values=given, nodes=nodes)
        self.append(finished, self.run)
        self.true.values |= given
        self.true.given |= {*given}
        self.true.nodes = self.true.nodes if nodes is None else nodes

    def end(self, outcome="done"):
        self.append(events.RunFinished(outcome=outcome), self.run)
        self.true.outcome = outcome
        self.pause()

    def provision(self):
        if self.true.suspended:
            return
        self.begin("provision")
        if self.chance.random() < 0.1:
            self.pause()  # in the middle
        count = self.chance.randrange(1, 4)
        nodes = [[f"node-{n}", f"192.0.2.{self.chance.randrange(9)}"] for n in range(count)]
        self.step("provider/soil", "create", "provision", values={"ADDRESS": nodes[0][1]}, nodes=nodes)
        if self.chance.random() < 0.15:
            self.step("platform/tree", "deploy", "provision", code=1)
            self.end("failed")
            return
        self.step("platform/tree", "deploy", "provision")
        self.true.version = self.answers["VERSION"]
        self.true.failed = set()
        self.end()

    def upgrade(self):
        if self.true.suspended:
            return
        to = self.chance.choice([one for one in VERSIONS if one != self.true.version])
        start = self.true.version
        self.begin("upgrade")
        style = {"style": "graceful", "rollback": False}
        self.append(events.UpgradeStarted(from_=start, to=to, **style), self.run)
        self.step("platform/tree", "upgrade-graceful", "upgrade", version=to)
        self.end()
        said = {"VERSION": to}
        self.append(events.UpgradeFinished(from_=start, to=to, figures={}, values=said), self.run)
        self.answers |= said
        self.true.values |= said
        self.true.version = to
        self.pause()

    def check(self):
        self.begin("check")
        code = self.chance.choice([0, 1])
        self.step("platform/tree", "check", "check", code=code)
        self.true.failed = {"platform"} if code else set()
        self.end("failed" if code else "done")

    def look(self):
        """Record what says nothing about what is so: the one that may be lost."""
        self.append(events.TerraformCalled(command="state list"))
        self.pause()

    def add(self):
        name = self.chance.choice("birds cats".split())
        if name in self.true.addons and self.chance.random() < 0.5:
            self.append(events.ModuleRemoved(instance=name))
            del self.true.addons[name]
        else:
            version = self.chance.choice(VERSIONS)
            self.append(
                events.ModuleAdded(instance=name, module=name, version=version, sha256="0" * 64, by="rigger")
            )
            self.true.addons[name] = version
        self.pause()

    def suspend(self):
        if self.true.suspended:
            self.begin("resume")
            self.end()
            self.append(events.Resumed(), self.run)
        else:
            self.begin("suspend")
            self.append(events.SuspendStarted(backup=""), self.run)
            self.end()
            self.append(events.Suspended(backup=""), self.run)
        self.true.suspended = not self.true.suspended
        self.pause()

    def load(self):
        """Record that all of this came in a bundle, with the secrets that this machine has."""
        self.append(events.Loaded(file="x.rigger", serial=1, signer="", digests={}))
        self.pause()

    def destroy(self):
        if self.true.suspended:
            return
        self.begin("destroy")
        self.step("platform/tree", "undeploy", "destroy")
        self.true.version = ""
        self.step("provider/soil", "destroy", "destroy", nodes=[])
        self.end()
        self.append(events.Destroyed(nodes=[]), self.run)
        self.true.version, self.true.nodes, self.true.failed = "", [], set()
        for name in self.true.given:
            self.true.values.pop(name, None)
        self.true.given = set()
        self.pause()
