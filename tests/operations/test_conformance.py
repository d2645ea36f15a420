"""Whether a module keeps to the contract, asked from Python; what is looked at is in tests/conformance."""

import json
import os
import shutil

import pytest
from helpers.without_terminal import Listener

from rigger import errors
from rigger.conformance.finding import ADVICE, FAIL, PASS
from rigger.conformance.sandbox import RehearsalOptions
from rigger.errors import BadUsage, Refused
from rigger.operations.conformance import check
from rigger.operations.modules import new


@pytest.fixture
def provider(private_home, tmp_path):
    return new("provider", "hetzner", str(tmp_path / "hetzner")).module.folder


def test_a_good_one_is_read_and_nothing_of_it_runs(provider):
    heard, found = Listener(), []
    checked = check(provider, reporter=heard, found=found.append)
    assert heard.lines == ["hetzner: a provider of interface 2"] and found == [*checked.findings]
    assert not checked.ran and checked.logs == "" and checked.count(FAIL) == checked.count(ADVICE) == 0
    assert checked.counts == f"{checked.count(PASS)} passed, 0 failed, 0 advice"


def test_the_report_is_what_json_can_hold(provider):
    report = check(provider).as_dict()
    assert json.loads(json.dumps(report)) == report
    names = ("module", "role", "interface", "folder", "ran", "good", "logs")
    assert [report[name] for name in names] == ["hetzner", "provider", 2, provider, False, True, None]


def test_one_that_breaks_it_carries_what_was_found(provider):
    with open(os.path.join(provider, "create"), "w") as file:
        file.write("if true\n")
    with pytest.raises(errors.TestsFailed, match="^hetzner does not conform: .* [1-9] failed") as caught:
        check(provider)
    report = caught.value.result.as_dict()
    assert report["good"] is False
    assert {"level": "FAIL", "text": "has no #! line", "file": "create", "line": 1} in report["findings"]


def test_scripts_that_cannot_run_are_not_run(provider):
    os.chmod(os.path.join(provider, "create"), 0o644)
    heard = Listener()
    with pytest.raises(errors.TestsFailed) as caught:
        check(provider, RehearsalOptions({}), heard)
    assert heard.warnings == ["Not run: correct the problems above first."]
    assert caught.value.result.ran and caught.value.result.logs == ""


def test_a_provider_needs_no_provider_below_it(provider):
    with pytest.raises(BadUsage, match="--provider is for platforms") as caught:
        check(provider, RehearsalOptions({}, provider="noop"))
    assert caught.value.next_step == "hetzner is a provider itself."


def test_where_there_is_no_module(tmp_path, provider):
    for path in (str(tmp_path), str(tmp_path / "nowhere")):
        with pytest.raises(BadUsage, match=path):
            check(path)
    with open(os.path.join(provider, "rigger.yml"), "a") as file:
        file.write("role: provder\n")
    with pytest.raises(Refused, match="rigger.yml"):
        check(provider)


@pytest.mark.slow
def test_a_whole_life_is_lived_and_a_failure_leaves_its_logs(provider):
    lived = check(provider, RehearsalOptions({}))
    assert lived.ran and lived.logs == "" and lived.count(PASS) > check(provider).count(PASS)
    with open(os.path.join(provider, "check"), "w") as file:
        file.write("#!/bin/sh\n# Summary: Say that nothing is right.\nexit 3\n")
    heard = Listener()
    with pytest.raises(errors.TestsFailed) as caught:
        check(provider, RehearsalOptions({}), heard)
    logs = caught.value.result.logs
    assert os.path.isdir(logs) and heard.lines[-1].startswith(f"The logs are in {logs}")
    shutil.rmtree(logs)
