"""Scripts of a module."""

import os

from rigger.modules import model, scripts, verbs


def test_a_script_may_end_in_sh(tmp_path):
    (tmp_path / "create.sh").write_text("#!/bin/sh\n")
    module = model.Module("soil", "provider", str(tmp_path))
    assert module.script("create") == str(tmp_path / "create.sh")
    (tmp_path / "create").write_text("#!/bin/sh\n")
    assert module.script("create") == str(tmp_path / "create")
    assert module.script("destroy") is None


def test_a_script_of_riggers_own_counts_with_riggers_version(tmp_path, monkeypatch):
    own = os.path.join(verbs.TERRAFORM_STEPS, "create")
    (tmp_path / "create").write_text("#!/bin/sh\n")
    before = scripts.step_digest(own), scripts.step_digest(str(tmp_path / "create"))
    assert before[0] != scripts.script_digest(own) and before[1] == scripts.script_digest(
        str(tmp_path / "create")
    )
    monkeypatch.setattr(scripts, "__version__", "99.0.0")
    assert scripts.step_digest(own) != before[0]
    assert scripts.step_digest(str(tmp_path / "create")) == before[1]
