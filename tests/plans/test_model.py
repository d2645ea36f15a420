"""A plan, as it is reported."""

from rigger.modules.model import Module
from rigger.plans.model import Plan, Step


def step(folder, verb, why="it is new"):
    return Step(Module("soil", "provider", str(folder)), verb, why)


def test_a_plan_of_checks_alone_changes_nothing(tmp_path):
    assert not Plan("check", ()).changes
    assert not Plan("check", (step(tmp_path, "check"),)).changes
    assert Plan("provision", (step(tmp_path, "check"), step(tmp_path, "create"))).changes


def test_a_step_names_its_script_also_where_there_is_none(tmp_path):
    (tmp_path / "create.sh").write_text("#!/bin/sh\n")
    assert step(tmp_path, "create").script == str(tmp_path / "create.sh")
    assert step(tmp_path, "destroy").script == str(tmp_path / "destroy")
    assert step(tmp_path, "create").key == "provider/soil/create"


def test_the_report(tmp_path):
    plan = Plan("provision", (step(tmp_path, "create"),), (step(tmp_path, "install", ""),), ("node-3 goes.",))
    report = plan.as_dict()
    assert report["steps"] == [
        {"module": "provider/soil", "step": "create", "script": str(tmp_path / "create"), "why": "it is new"}
    ]
    assert [row["step"] for row in report["up_to_date"]] == ["install"]
    assert (report["command"], report["changes"], report["removals"]) == ("provision", True, ["node-3 goes."])
