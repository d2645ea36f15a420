"""Modules fresh from the scaffold, and a rehearsal of them."""

import json
import tempfile

import pytest
from helpers.written_modules import Written


@pytest.fixture(autouse=True)
def private_temporary_folder(tmp_path_factory, monkeypatch):
    """Sandboxes that are kept lie here, also those of a test that fails."""
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("tmp")))
    monkeypatch.setattr(tempfile, "tempdir", None)  # what this process found out before


@pytest.fixture
def provider(tmp_path):
    return Written("provider", tmp_path / "hetzner")


@pytest.fixture
def platform(tmp_path):
    return Written("platform", tmp_path / "hello")


@pytest.fixture
def tried(rigger):
    """Return what `module check --run` found: its report, and the lines of a level."""

    def run(written, *arguments, code=0, env=None):
        said = rigger(
            "module", "check", "--run", "-o", "json", written.folder, *arguments, code=code, env=env
        )
        report = json.loads(said.out)
        assert report["ran"] and report["good"] == (code == 0)
        report["failed"] = [f"{f['file']}: {f['text']}" for f in report["findings"] if f["level"] == "FAIL"]
        report["advice"] = [f"{f['file']}: {f['text']}" for f in report["findings"] if f["level"] == "ADVICE"]
        report["passed"] = [f"{f['file']}: {f['text']}" for f in report["findings"] if f["level"] == "PASS"]
        return report

    return run
