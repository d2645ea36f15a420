"""What Terraform's steps will need that is not on this machine."""

import os
import sys

import pytest
from helpers.terraform_provider import needs_terraform, without_terraform

from rigger.files import PACKAGE
from rigger.terraform.preflight import preflight

pytestmark = needs_terraform


@pytest.fixture
def findings(clay, capfd):
    """Run it with some values; return its exit code, its findings and what else it said."""

    def run(**values):
        clay.values.update(
            PATH=f"{PACKAGE}/libexec:{os.environ['PATH']}",
            RIGGER_BIN_DIR=str(clay.tmp_path / "bin"),
            RIGGER_CACHE_DIR=str(clay.tmp_path / "cache"),
            RIGGER_PYTHON=sys.executable,
        )
        clay.values.update(values)
        code = preflight(clay.workspace, print)
        out, errors = capfd.readouterr()
        return code, [line.split("\t")[1:] for line in out.splitlines()], errors

    return run


def test_one_that_is_here(findings):
    code, found, _ = findings()
    assert code == 0 and [one[:2] for one in found] == [["untried", "preflight of clay"], ["ok", "terraform"]]


def test_one_that_would_be_downloaded(clay, findings):
    mirror = clay.tmp_path / "mirror"
    values = {"PATH": f"{PACKAGE}/libexec:{without_terraform(clay.tmp_path)}"}
    code, found, errors = findings(**values, TERRAFORM_DOWNLOAD_URL=f"file://{mirror}")
    assert code == 1 and len(found) == 1
    assert f"file://{mirror}/1.9.8/terraform_1.9.8_SHA256SUMS cannot be fetched: curl: (37)" in errors
    assert "name a mirror in TERRAFORM_DOWNLOAD_URL" in errors
    (mirror / "1.9.8").mkdir(parents=True)
    (mirror / "1.9.8" / "terraform_1.9.8_SHA256SUMS").touch()
    code, found, _ = findings(**values)
    assert code == 0 and found[-1] == ["ok", "terraform", f"Terraform 1.9.8 can be had from file://{mirror}"]
    assert not os.path.exists(clay.tmp_path / "bin") and not os.path.exists(clay.tmp_path / "cache/terraform")
