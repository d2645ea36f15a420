"""rigger upgrade by stages, as it is typed."""

import json

import pytest
from helpers.stages import Staged

CANARY = ("upgrade", "--version", "1.9.1", "--upgrade-style", "canary")
ROLLING = ("upgrade", "--version", "1.9.1", "--upgrade-style", "rolling")


@pytest.fixture
def staged(rigger, modules):
    staged = Staged(rigger, modules)
    staged.cluster.configure("--set", "VERSION=1.9.0", "--set", "NODES=3")
    rigger("provision")
    return staged.begin()


def test_the_plan_shows_the_stages_and_is_approved_by_its_digest(staged, rigger):
    shown = rigger(*CANARY, "--plan").out
    assert (
        "stage 1 of 2, node-1: 1.9.0 to 1.9.1" in shown
        and "stage 2 of 2, 2 s: are node-2, node-3 well?" in shown
    )
    assert "A stage is good where lost at most 0; latency_ms at most 3x + 20; writes at least 1." in shown
    assert "Where one fails or is judged bad, all goes back to 1.9.0." in shown
    digest = json.loads(rigger(*CANARY, "--plan", "-o", "json").out)["digest"]
    assert "wood runs 1.9.1." in rigger(*CANARY, "--approved", digest).out


@pytest.mark.slow
def test_what_is_bad_exits_12_and_says_that_it_went_back(staged, rigger):
    staged.measure("1.9.1", lost=3)
    report = json.loads(rigger(*CANARY, "-o", "json", code=12).out)
    assert (report["outcome"], report["exit_code"]) == ("rolled-back", 12)
    said = rigger(*CANARY, code=12)
    assert "lost is 3, and must be at most 0. Everything runs 1.9.0 again." in said.err
    assert "not finished" not in rigger("status").out
    # A request that is asked for again is answered, and not carried out again.
    staged.cluster.ran()
    first = rigger(*CANARY, "--request", "r-1", code=12)
    assert staged.cluster.ran() and "Everything runs 1.9.0 again" in first.err
    again = rigger(*CANARY, "--request", "r-1", code=12)
    assert staged.cluster.ran() == [] and "Everything runs 1.9.0 again" in again.err


def test_one_that_waits_exits_11_and_status_says_what_was_reached(staged, rigger):
    report = json.loads(rigger(*ROLLING, "-y", "-o", "json", code=11).out)
    assert (report["outcome"], report["exit_code"]) == ("paused", 11)
    reached = "Stage 1 of 3 (node-1 runs 1.9.1) is done and was judged good; the nodes after that run 1.9.0"
    assert reached in report["error"]["next"]
    assert f"  {reached}.\n" in rigger("status").out
    assert json.loads(rigger("status", "-o", "json").out)["upgrade"]["reached"] == reached
    assert "provision" not in rigger("upgrade", "--continue", code=11).err
    rigger("upgrade", "--rollback")
    assert set(staged.runs().values()) == {"1.9.0 back"}


def test_a_manifest_with_a_slip_is_refused_with_its_line_and_key(staged, rigger):
    manifest = f"{staged.cluster.folders['platform']}/rigger.yml"
    with open(manifest) as file:
        lines = file.read().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if "on-failure: rollback" in line)
    lines[number - 1] = lines[number - 1].replace("on-failure", "on-failur")
    with open(manifest, "w") as file:
        file.write("\n".join(lines) + "\n")
    said = rigger(*CANARY, code=9).err
    assert (
        f"rigger.yml, line {number}: upgrades.canary.on-failur: there is no such field (did you mean on-failure?)"
        in said
    )
