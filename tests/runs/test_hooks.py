"""Hooks: programs that are asked before, and told afterwards."""

import json
import os

import pytest

from rigger.runs import hooks


def hook(cluster, name, body, role=None):
    """Write a hook of the user's own, or of a module."""
    folder = cluster.folders[role] if role else cluster.rigger.path("hooks")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(f"#!/bin/sh\n{body}")
    os.chmod(path, 0o755)
    return path


def events(cluster, name):
    return [record for record in cluster.records() if record["event"] == name]


def test_one_before_hears_the_plan_and_one_after_the_result(cluster):
    for name in ("pre-provision", "post-provision", "failed"):
        hook(cluster, name, f'cat >"$NOTED.{name}"\n')
    cluster.rigger("provision", "--reason", "a new cluster", "--request", "r-1")
    with open(f"{cluster.noted}.pre-provision") as file:
        before = json.load(file)
    assert (before["version"], before["event"], before["environment"]) == (1, "pre-provision", "wood")
    assert (before["reason"], before["request"]) == ("a new cluster", "r-1") and before["by"]
    assert "deploy" in [step["step"] for step in before["plan"]["steps"]]
    with open(f"{cluster.noted}.post-provision") as file:
        after = json.load(file)
    assert (after["outcome"], after["exit_code"], after["number"]) == ("done", 0, 1)
    assert after["steps"][0]["good"] and after["seconds"] > 0
    assert not os.path.exists(f"{cluster.noted}.failed")


def test_one_before_refuses_with_a_sentence_and_nothing_is_done(cluster):
    hook(cluster, "pre-provision", "echo the freeze lasts until Monday >&2; exit 1\n")
    said = cluster.rigger("provision", "-o", "json", code=10)
    assert "refuses: the freeze lasts until Monday." in said.err
    assert json.loads(said.out)["outcome"] == "declined"
    assert cluster.ran() == [] and not events(cluster, "run-started")
    [ended] = events(cluster, "hook-finished")
    assert (ended["exit_code"], ended["said"]) == (1, "the freeze lasts until Monday")
    cluster.rigger("status")


def test_one_that_cannot_be_run_refuses_too(cluster):
    os.chmod(hook(cluster, "pre-provision", ""), 0o644)
    assert "is not executable: chmod +x" in cluster.rigger("provision", code=4).err
    os.chmod(hook(cluster, "pre-provision", ""), 0o755)
    with open(cluster.rigger.path("hooks", "pre-provision"), "w") as file:
        file.write("#!/no/such/program\n")
    assert "refuses: " in cluster.rigger("provision", code=10).err
    assert cluster.ran() == []


def test_one_that_takes_too_long_refuses(cluster, monkeypatch):
    monkeypatch.setattr(hooks, "LIMIT", 0.3)
    hook(cluster, "pre-provision", "sleep 30\n")
    from rigger.environments.home import Home
    from rigger.errors import Declined
    from rigger.operations.provision import provision

    for name in ("RIGGER_PROVIDER_PATH", "RIGGER_PLATFORM_PATH", "NOTED"):
        monkeypatch.setenv(name, cluster.rigger.env[name])
    with pytest.raises(Declined, match="did not end within"):
        provision(Home().get("wood"))


def test_one_afterwards_that_fails_is_warned_of_and_changes_nothing(cluster):
    hook(cluster, "post-provision", "echo no chat today; exit 9\n")
    said = cluster.rigger("provision")
    assert "post-provision exited 9: no chat today." in said.out and "is as configured" in said.out


def test_what_failed_is_told_as_such(cluster):
    hook(cluster, "failed", 'cat >"$NOTED.failed"\n')
    hook(cluster, "post-provision", 'touch "$NOTED.post"\n')
    cluster.script("platform", "deploy", "exit 3")
    cluster.rigger("provision", code=5)
    with open(f"{cluster.noted}.failed") as file:
        told = json.load(file)
    assert (told["outcome"], told["exit_code"], told["command"]) == ("failed", 5, "provision")
    assert "deploy exited 3" in told["error"]["message"] and not os.path.exists(f"{cluster.noted}.post")


def test_an_audit_is_asked_for_and_told_of_too(cluster):
    for name in ("pre-audit", "post-audit", "failed"):
        hook(cluster, name, f'cat >"$NOTED.{name}"\n')
    cluster.script("platform", "audit")
    cluster.rigger("provision")
    cluster.rigger("audit")
    with open(f"{cluster.noted}.post-audit") as file:
        assert json.load(file)["steps"][-1]["step"] == "audit"
    cluster.script("platform", "audit", "exit 8")
    cluster.rigger("audit", code=8)
    with open(f"{cluster.noted}.failed") as file:
        told = json.load(file)
    assert (told["command"], told["outcome"], told["exit_code"]) == ("audit", "differs", 8)
    hook(cluster, "pre-audit", "echo not now; exit 1\n")
    cluster.ran()
    assert "refuses: not now" in cluster.rigger("audit", code=10).err and cluster.ran() == []


@pytest.mark.parametrize("verb", ["init", "apply"])  # with a script that it runs, and with none
def test_an_addon_is_added_where_no_hook_refuses(cluster, verb):
    cluster.modules.write("addon", "cats", "", **{verb: ""})
    cluster.rigger("provision")
    for name in ("pre-module-add", "post-module-add"):
        hook(cluster, name, f'cat >"$NOTED.{name}"\n')
    cluster.rigger("module", "add", "cats")
    assert os.path.exists(f"{cluster.noted}.pre-module-add")
    assert os.path.exists(f"{cluster.noted}.post-module-add") == (verb == "init")
    hook(cluster, "pre-module-add", "echo no cats; exit 1\n")
    assert "refuses: no cats" in cluster.rigger("module", "add", "cats", "--as", "more", code=10).err
    assert "MORE" not in cluster.content("vars") and "more" not in cluster.content("vars")
    cluster.rigger("module", "add", "cats", "--as", "more", "--plan")


def test_modules_have_hooks_too_and_no_hook_gets_a_secret(cluster):
    cluster.rigger("config", "set", "TOKEN=a-secret-token")
    hook(cluster, "pre-provision", 'cat >"$NOTED.told"; env >>"$NOTED.told"\n', role="platform")
    cluster.rigger("provision", env={"RIGGER_REQUEST": "r-1"})
    with open(f"{cluster.noted}.told") as file:
        told = file.read()
    assert '"event": "pre-provision"' in told and "RIGGER_ENVIRONMENT=wood" in told
    assert "a-secret-token" not in told and "RIGGER_REQUEST=" not in told
    [started] = events(cluster, "hook-started")
    assert started["script"] == "platforms/tree/pre-provision" and len(started["sha256"]) == 64


def test_a_check_that_finds_something_has_failed(cluster):
    cluster.rigger("provision")
    hook(cluster, "failed", 'cat >"$NOTED.failed"\n')
    cluster.script("platform", "check", "exit 1")
    cluster.rigger("check", code=5)
    with open(f"{cluster.noted}.failed") as file:
        assert json.load(file)["command"] == "check"
