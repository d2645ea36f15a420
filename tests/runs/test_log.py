"""The log of a step."""

import hashlib
from unittest import mock

import pytest
from helpers.run_records import files_with
from hypothesis import given, settings
from hypothesis import strategies as st

from rigger.redact import Redactor
from rigger.runs import log

SENTINEL = "sw0rd-f1sh-Sentinel"


def test_a_big_and_binary_output_is_logged_whole(cluster):
    cluster.script("provider", "create", "head -c 3000000 /dev/zero | tr '\\0' '\\377'; echo; echo end")
    cluster.rigger("provision")
    printed = cluster.log("02-create")
    assert len(printed) == 3000005 and printed.endswith("\nend\n")
    record = [r for r in cluster.records() if r["event"] == "step-finished"][1]
    assert record["log_size"] == 3000005


def test_what_a_script_prints_before_it_saves_it_as_a_secret_is_masked_in_its_log(cluster):
    cluster.script(
        "provider",
        "create",
        f"""
        head -c 1048570 /dev/zero | tr '\\0' x; echo "made {SENTINEL}"
        sleep 0.3
        rigger-save-secrets MADE={SENTINEL}
        echo "now it is {SENTINEL}"; sleep 0.3
        """,
    )
    cluster.rigger("provision")
    printed = cluster.log("02-create")
    assert printed.endswith("xxmade ***\nnow it is ***\n")
    assert files_with(cluster.rigger.home, SENTINEL.encode()) == ["environments/wood/secrets"]
    record = [r for r in cluster.records() if r["event"] == "step-finished"][1]
    assert record["log_size"] == len(printed)
    assert record["log_sha256"] == hashlib.sha256(printed.encode()).hexdigest()


def test_what_a_later_step_saves_as_a_secret_is_masked_in_the_logs_before_it(cluster):
    cluster.script("provider", "install", f'echo "found {SENTINEL} there"')
    cluster.script("provider", "create", f"rigger-save-secrets MADE={SENTINEL}")
    cluster.rigger("provision")
    assert cluster.log("01-install") == "found *** there\n"
    assert files_with(cluster.rigger.home, SENTINEL.encode()) == ["environments/wood/secrets"]
    [masked] = [r for r in cluster.records() if r["event"] == "logs-masked"]
    digest = hashlib.sha256(b"found *** there\n").hexdigest()
    assert masked["logs"] == [["01-install.log", 16, digest]]


@pytest.mark.slow
def test_what_a_killed_script_had_printed_before_it_saved_it_is_masked_when_that_is_kept(cluster):
    cluster.script(
        "provider",
        "create",
        f'echo "made {SENTINEL}"; sleep 0.5; rigger-save-secrets MADE={SENTINEL}; kill -9 "$PPID"',
    )
    cluster.rigger("provision", code=-9)
    cluster.script("provider", "create", "true")
    cluster.rigger("provision")
    assert files_with(cluster.rigger.home, SENTINEL.encode()) == ["environments/wood/secrets"]


@given(
    secrets=st.lists(st.text("abc", min_size=4, max_size=9), min_size=1, max_size=3),
    data=st.text("abc.", max_size=200),
    block=st.integers(1, 40),
)
@settings(deadline=None)
def test_a_file_is_masked_in_its_place_as_a_whole_would_be(tmp_path_factory, secrets, data, block):
    path = tmp_path_factory.mktemp("logs") / "a.log"
    path.write_text(data)
    with mock.patch.object(log, "BLOCK", block):
        size, digest = log.mask_file(str(path), Redactor(secrets))
    masked = Redactor(secrets).bytes(data.encode())
    assert path.read_bytes() == masked
    assert (size, digest.hexdigest()) == (len(masked), hashlib.sha256(masked).hexdigest())
