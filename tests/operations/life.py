"""A program that has no terminal and leads environments through their whole life: life.py FOLDER STORY.

It prints nothing; what it came to is in FOLDER/life.json. The story says, as JSON, which modules live it, and what changes.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Any

from rigger.environments.environment import Environment
from rigger.environments.home import Home
from rigger.errors import BadUsage
from rigger.operations.answers import Given
from rigger.operations.audit import audit
from rigger.operations.backup import backup, restore
from rigger.operations.bundle import diff, inspect, verify
from rigger.operations.check import check
from rigger.operations.configure import configure
from rigger.operations.consent import Consent
from rigger.operations.destroy import destroy
from rigger.operations.doctor import doctor
from rigger.operations.forget import forget
from rigger.operations.list import environments
from rigger.operations.load import Opening, load
from rigger.operations.provision import plan, provision
from rigger.operations.save import save
from rigger.operations.shellinit import shell_reset, shellinit
from rigger.operations.suspend import resume, suspend
from rigger.operations.test import test
from rigger.operations.upgrade import upgrade
from rigger.operations.upgrade_request import UpgradeOptions
from rigger.operations.use import use
from rigger.operations.values import get_value, set_values
from rigger.runs.reporter import Silent

YES = Consent(yes=True, trust=True)
NAME = "wood"


@dataclass(frozen=True)
class Story:
    """The modules that live a life, and what happens in it."""

    provider: str
    platform: str
    version: str
    upgrade_to: str  # empty where the platform has no upgrades
    change: dict[str, str]


class Heard(Silent):
    """A reporter that remembers which steps were begun."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def step_started(self, number: int, total: int, label: str, why: str) -> None:
        self.steps.append(label)


def lead_life(folder: str, story: Story) -> dict[str, Any]:
    """Stand an environment up, look after it, take it to another home, upgrade it there, and remove it."""
    here, there = Home(os.path.join(folder, "here")), Home(os.path.join(folder, "there"))
    first = _stand_up(here, story)
    seen = {"provisioned": _provision(first), **_look_at(here, first), **_change(here, first, story.change)}
    seen["kept"] = _keep_data(first)
    bundle = _save(here, first, folder)
    second = load(there, Given(path=bundle), Opening(), consent=YES).environment
    assert second.home == there.path and check(second).run
    seen["upgraded"] = _upgrade(second, story.upgrade_to)
    seen["suspended"] = _suspend(second)
    _remove(there, second)
    _remove(here, first)
    return seen


def _stand_up(home: Home, story: Story) -> Environment:
    flags = {"PROVIDER": story.provider, "PLATFORM": story.platform, "VERSION": story.version}
    try:
        configure(home, Given(name=NAME, flags={**flags, "VERSION": "no such version"}))
    except BadUsage as problem:
        assert "VERSION" in str(problem) and home.names() == []
    else:
        raise AssertionError("a version was made up")
    result = configure(home, Given(name=NAME, flags=flags, defaults=True))
    assert result.changed and result.as_dict()["name"] == NAME
    use(home, NAME)
    return home.get()


def _provision(environment: Environment) -> list[str]:
    heard = Heard()
    assert plan(environment).plan.changes
    result = provision(environment, heard)
    assert [f"{step.step.module.name} {step.step.verb}" for step in result.steps] == heard.steps
    assert not plan(environment).plan.changes
    return heard.steps


def _look_at(home: Home, environment: Environment) -> dict[str, Any]:
    assert all(finding.good for finding in doctor(home, environment).findings)
    assert audit(environment).changed == ()
    assert check(environment).steps[-1].good
    assert b"PLATFORM" in shellinit(home, environment).data and b"unset" in shell_reset(home).data
    tested = test(environment, ("smoke",))
    [listed] = environments(home).as_dict()["environments"]
    return {"passed": tested.summary["passed"], "listed": listed}


def _change(home: Home, environment: Environment, values: dict[str, str]) -> dict[str, Any]:
    """Change values, and have the change carried out; the questions asked anew change nothing then."""
    set_values(environment, values)
    assert {name: get_value(environment, name).value for name in values} == values
    assert not configure(home, Given(name=NAME, defaults=True)).changed
    other = "VERSION" in values
    changes = plan(environment, allow_version_change=other).plan.changes
    provision(environment, consent=YES, allow_version_change=other)
    return {"changed": bool(changes), "nodes": len(environment.nodes())}


def _keep_data(environment: Environment) -> bool:
    """Back the data up and put it back, where the platform can; return whether it can."""
    try:
        path = backup(environment).before["file"]
    except BadUsage as problem:
        assert "has no backup" in str(problem), problem
        return False
    restore(environment, path, consent=YES)
    return True


def _save(home: Home, environment: Environment, folder: str) -> str:
    path = os.path.join(folder, "saved.rigger")
    save(environment, path)
    assert inspect(path).as_dict()["name"] == NAME and verify(home, path).as_dict()["good"]
    assert not diff(home, path, name=NAME).difference
    return path


def _upgrade(environment: Environment, to: str) -> str:
    """Upgrade to another version, where the platform can; return the version that runs then."""
    if to:
        assert upgrade(environment, UpgradeOptions(to, "graceful"), consent=YES).run
    return environment.vars()["VERSION"]


def _suspend(environment: Environment) -> bool:
    """Suspend the machines and resume them, where the provider can; return whether it can."""
    try:
        suspend(environment, consent=YES)
    except BadUsage as problem:
        assert "suspend" in str(problem), problem
        return False
    resume(environment)
    return True


def _remove(home: Home, environment: Environment) -> None:
    """Destroy a cluster and forget it; neither is done where nobody agreed."""
    for refused in (lambda: destroy(environment), lambda: forget(home, NAME, YES)):
        try:
            refused()
        except BadUsage:
            assert environment.exists()
        else:
            raise AssertionError("nobody had agreed")
    assert destroy(environment, consent=YES).as_dict()["leftovers"] == []
    forget(home, NAME, YES)
    assert not environment.exists() and environments(home).listed == ()


if __name__ == "__main__":
    assert sys.stdin is None
    folder, story = sys.argv[1:]
    seen = lead_life(folder, Story(**json.loads(story)))
    with open(os.path.join(folder, "life.json"), "w") as file:
        json.dump({**seen, "modules": sorted(sys.modules)}, file)
