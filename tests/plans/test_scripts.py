"""Can every script of a plan run?"""

import pytest

from rigger.errors import NotReady
from rigger.modules.model import Module
from rigger.plans.model import Plan, Step
from rigger.plans.scripts import check_scripts, require_scripts


@pytest.fixture
def plan(tmp_path):
    """Return a plan of steps whose scripts have these contents; None: there is none."""

    def make(**scripts):
        for verb, content in scripts.items():
            if content is not None:
                (tmp_path / verb).write_text(content)
                (tmp_path / verb).chmod(0o755)
        module = Module("soil", "provider", str(tmp_path))
        return Plan("provision", tuple(Step(module, verb, "first time") for verb in scripts))

    return make


def test_scripts_that_can_run(plan):
    good = plan(install="#!/bin/sh\n", create="#!/bin/sh\n")
    require_scripts(good)
    assert check_scripts(good) == check_scripts(Plan("check", ())) == []


def test_all_that_is_wrong_is_said_at_once_and_nothing_was_started(plan, tmp_path):
    bad = plan(install="#!/bin/sh\n", create=None, check="echo well\n")
    (tmp_path / "install").chmod(0o644)
    with pytest.raises(NotReady) as problem:
        require_scripts(bad)
    missing, *_ = [step for step in bad.steps if step.verb == "create"]
    assert problem.value.message == (
        f"{tmp_path}/install is not executable; "
        f"{missing.shown} is missing: soil needs a script create; "
        f"{tmp_path}/check has no #! line."
    )
    assert problem.value.next_step.startswith("Nothing was started.")


def test_a_script_that_two_steps_run_is_named_once(plan):
    bad = plan(check="echo well\n")
    assert len(check_scripts(Plan("provision", bad.steps * 3))) == 1
