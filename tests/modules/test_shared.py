"""Files that the scripts of a module share."""

import os
import shutil

from helpers.repositories import git

from rigger.modules import model, shared
from rigger.values import replace


def test_the_digest_of_shared_files_leaves_the_scripts_out(tmp_path):
    module = model.Module("soil", "provider", str(tmp_path))
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a.sh").write_text("one")
    before = shared.shared_digest(module)
    (tmp_path / "create").write_text("#!/bin/sh\n")
    (tmp_path / "create").chmod(0o755)
    (tmp_path / "rigger.yml").write_text("x")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_text("x")
    assert shared.shared_digest(module) == before
    (tmp_path / "lib" / "a.sh").write_text("two")
    assert shared.shared_digest(module) != before


def test_whatever_a_script_can_import_or_source_is_shared(tmp_path):
    top, tmp_path = tmp_path, tmp_path / "soil"
    module = model.Module("soil", "provider", str(tmp_path), checkout=str(top))
    git(top, "init", "-q")
    (tmp_path / "lib" / "tests").mkdir(parents=True)
    (tmp_path / "lib" / "__init__.py").write_text("")
    for checkout in ("", str(top)):
        seen = {}

        def changed(what, checkout=checkout, seen=seen):
            git(top, "add", "-A")
            digest = shared.shared_digest(replace(module, checkout=checkout))
            assert digest not in seen, f"{what} makes no other digest than {seen.get(digest)}"
            seen[digest] = what

        changed("nothing")
        for name in ("make.py", "__init__.py", "README", "tests/run.py", "rigger.yml"):
            (tmp_path / "lib" / name).write_text("x = 1\n")
            changed(f"a new {name}")
            (tmp_path / "lib" / name).write_text("x = 2\n")
            changed(f"one byte of {name}")
        for target in ("make.py", "/nonexistent", "tests", "../.."):
            (tmp_path / "lib" / "link").unlink(missing_ok=True)
            os.symlink(target, tmp_path / "lib" / "link")
            changed(f"a link to {target}")
        shutil.rmtree(tmp_path / "lib")
        (tmp_path / "lib" / "tests").mkdir(parents=True)
        (tmp_path / "lib" / "__init__.py").write_text("")
