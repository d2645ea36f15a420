"""Steps one after another: secrets, timeouts, signals, records."""

import json
import os
import stat

import pytest
from helpers.clusters import PROVIDER, Cluster
from helpers.run_records import files_with, unbroken

SENTINEL = "sw0rd-f1sh-Sentinel"


# Secrets


@pytest.mark.slow
def test_a_secret_is_in_the_secrets_file_and_nowhere_else(cluster):
    cluster.script(
        "provider",
        "create",
        f"""
        SENTINEL={SENTINEL}; export SENTINEL
        rigger-save-secrets SENTINEL
        echo "the secret is $SENTINEL"; echo "in base64: $(printf %s "$SENTINEL" | base64)"
        echo "REASON=$SENTINEL" >>"$RIGGER_OUTPUT"
        rigger-save-vars "URL=https://x:$SENTINEL@y"
        """,
    )
    cluster.script("platform", "deploy", 'echo "deploy has $SENTINEL"; [ "$SENTINEL" = sw0rd-f1sh-Sentinel ]')
    cluster.script(
        "platform", "check", 'echo "$SENTINEL" >&2; echo "words $SENTINEL" >>"$RIGGER_OUTPUT"; exit 1'
    )
    said = cluster.rigger("provision", code=5)
    seen = said.out + said.err
    seen += (
        cluster.rigger("logs").out
        + cluster.rigger("history", "-o", "json").out
        + cluster.rigger("status").out
    )
    seen += cluster.rigger("config", "get").out + cluster.rigger("config", "get", "-o", "json").out
    seen += cluster.rigger("shellinit").out + cluster.rigger("config", "diff").out
    assert SENTINEL not in seen
    assert "the secret is ***" in seen and "deploy has ***" in seen
    assert files_with(cluster.rigger.home, SENTINEL.encode()) == ["environments/wood/secrets"]
    assert stat.S_IMODE(os.stat(cluster.file("secrets")).st_mode) == 0o600
    assert f'export SENTINEL="{SENTINEL}"' in cluster.rigger("shellinit", "--secrets").out
    assert cluster.rigger("config", "get", "SENTINEL", code=2).err.startswith("rigger: SENTINEL is a secret.")
    assert cluster.rigger("config", "get", "SENTINEL", "--show-secrets").out == f"{SENTINEL}\n"


def test_a_secret_answer_is_masked_everywhere(cluster):
    said = cluster.configure("--set", f"TOKEN={SENTINEL}")
    cluster.script("provider", "install", 'echo "already here: $TOKEN"')
    cluster.script(
        "provider",
        "create",
        'echo "token $TOKEN"; printf "sw0rd-f1sh"; sleep 0.3; printf "%s\\n" "-Sentinel"; set -x; : "$TOKEN"',
    )
    provisioned = cluster.rigger("provision", "-v")
    said = said.out + said.err + provisioned.out + provisioned.err
    said += cluster.rigger("provision", "--plan", "-o", "json").out
    assert SENTINEL not in said and "token ***" in said and "already here: ***" in said
    assert files_with(cluster.rigger.home, SENTINEL.encode()) == ["environments/wood/secrets"]


def test_a_secret_that_a_killed_step_saved_is_masked_in_the_next_run(cluster):
    cluster.script(
        "provider", "create", f'SENTINEL={SENTINEL} rigger-save-secrets SENTINEL={SENTINEL}; kill -9 "$PPID"'
    )
    cluster.rigger("provision", code=-9)
    cluster.script("provider", "create", f'echo "now it is {SENTINEL}"; [ "$SENTINEL" = {SENTINEL} ]')
    said = cluster.rigger("provision")
    assert "now it is ***" in said.out
    assert files_with(cluster.rigger.home, SENTINEL.encode()) == ["environments/wood/secrets"]


def test_a_secret_that_becomes_plain_stays_secret(cluster):
    cluster.script("provider", "create", f"rigger-save-secrets KEY={SENTINEL}")
    cluster.script("platform", "deploy", "rigger-save-vars KEY=another-value")
    cluster.rigger("provision")
    assert "KEY" not in cluster.content("vars")
    assert 'export KEY="another-value"' in cluster.content("secrets")


# Scripts that cannot run


def test_an_interpreter_that_does_not_exist_fails_the_step(cluster):
    with open(os.path.join(cluster.folders["provider"], "create"), "w") as file:
        file.write("#!/nowhere/bash\n")
    failed = cluster.rigger("provision", code=5)
    assert "/nowhere/bash" in failed.out + failed.err
    assert unbroken(cluster)


@pytest.mark.slow
def test_a_script_that_takes_too_long_is_stopped(rigger, modules):
    cluster = Cluster(rigger, modules, PROVIDER + "    timeouts: {create: 1s}\n")
    cluster.script(
        "provider",
        "create",
        'sleep 300 & echo $! >"$RIGGER_STATE_DIR/pid"; rigger-save-vars BEFORE=1; sleep 300',
    )
    cluster.configure()
    failed = cluster.rigger("provision", code=5)
    assert "did not end within" in failed.err and "was stopped" in failed.err
    assert cluster.rigger("config", "get", "BEFORE").out == "1\n"
    pid = cluster.content("modules", "soil", "pid").strip()
    assert not os.path.exists(f"/proc/{pid}") or "State:\tZ" in open(f"/proc/{pid}/status").read()
    assert cluster.records()[-2]["timed_out"] is True
    assert unbroken(cluster)


def test_a_script_ended_by_a_signal_says_so(cluster):
    cluster.script("provider", "create", "kill -TERM $$")
    failed = cluster.rigger("provision", code=5)
    assert "create exited 143" in failed.err
    assert [r for r in cluster.records() if r["event"] == "step-finished"][-1]["signal"] == 15


def test_a_process_left_in_the_background_does_not_hold_up_the_run(cluster):
    cluster.script("provider", "create", 'sleep 60 & echo $! >"$RIGGER_STATE_DIR/pid"')
    cluster.rigger("provision", timeout=30)
    os.kill(int(cluster.content("modules", "soil", "pid")), 9)


def test_each_step_is_recorded_before_it_starts(cluster):
    cluster.script("provider", "create", 'cp "$RIGGER_ENVIRONMENT_DIR/audit.jsonl" "$RIGGER_STATE_DIR/seen"')
    cluster.rigger("provision")
    seen = [json.loads(line) for line in cluster.content("modules", "soil", "seen").splitlines()]
    assert (seen[-1]["event"], seen[-1]["step"]) == ("step-started", "create")
    assert len(seen[-1]["sha256"]) == 64 and seen[-1]["parameters"]["NODES"] == "2"
    finished = [r for r in cluster.records() if r["event"] == "step-finished" and r["step"] == "create"][0]
    assert finished["exit_code"] == 0 and finished["seconds"] >= 0 and len(finished["log_sha256"]) == 64


def test_what_a_step_says_is_left_over_or_cannot_be_used_shows_no_secret(cluster):
    cluster.configure("--set", f"TOKEN={SENTINEL}")
    cluster.script("provider", "create", 'rigger-save-vars "PATH=/tmp/$TOKEN"')
    said = cluster.rigger("provision", code=5)
    cluster.script("provider", "destroy", 'rigger-leftover "disk of $TOKEN"')
    gone = cluster.rigger("destroy", "--yes", code=5)
    seen = said.out + said.err + gone.out + gone.err
    assert SENTINEL not in seen and "disk of ***" in seen and "/tmp/***" in seen
    assert files_with(cluster.rigger.home, SENTINEL.encode()) == ["environments/wood/secrets"]
