"""A module as it is read: where it lies, which files it has, and who runs each."""

import os

import pytest
from helpers.written_modules import old

from rigger.conformance import subject
from rigger.conformance.subject import MOST_BYTES, Subject
from rigger.errors import BadUsage
from rigger.modules import scaffold
from rigger.modules.scripts import interpreter


def read(module) -> Subject:
    return Subject(subject.load(str(module.folder)))


def test_where_a_module_is_looked_for(tmp_path):
    for place in ("a/rigger", "b/.rigger", "c/contrib/rigger"):
        scaffold.write("platform", "hello", str(tmp_path / place))
        assert subject.locate(str(tmp_path / place.partition("/")[0])) == str(tmp_path / place)
    with pytest.raises(BadUsage, match="no rigger.yml in ., rigger, .rigger, contrib/rigger"):
        subject.locate(str(tmp_path))
    with pytest.raises(BadUsage, match="There is no folder"):
        subject.locate(str(tmp_path / "none"))


def test_a_home_may_be_written_short(private_home):
    scaffold.write("provider", "soil", str(private_home / "soil"))
    assert subject.locate("~/soil") == str(private_home / "soil")


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("#!/bin/sh\n", "/bin/sh"),
        ("#! /bin/bash -e\n", "/bin/bash"),
        ("#!/usr/bin/env python3\n", "python3"),
        ("#!/usr/bin/env -S LANG=C bash -eu\n", "bash"),
        ("#!/bin/sh\r\n", "/bin/sh"),
        ("#!\n", ""),
        ("#!/usr/bin/env\n", ""),
        ("echo '#!/bin/sh'\n", None),
        ("", None),
    ],
)
def test_the_program_of_a_shebang(line, program):
    assert interpreter(line) == program


def test_links_and_what_others_made_are_not_read(provider):
    before = read(provider).files
    for name in (".git", "node_modules/x", "lib/__pycache__", ".terraform/providers"):
        (provider.folder / name).mkdir(parents=True)
        (provider.folder / name / "file").write_text("#!/bin/sh\n")
    (provider.folder / "link").symlink_to("create")
    (provider.folder / ".git").rename(provider.folder / ".venv")
    assert read(provider).files == before
    provider.script("lib/deep/more.sh", "")
    assert read(provider).files == sorted([*before, "lib/deep/more.sh"])


def test_of_a_repository_only_the_folders_of_modules_are_read(platform):
    platform.script("vendor/much.sh", "")
    platform.script("lib/own.sh", "")
    assert {"vendor/much.sh", "lib/own.sh"} <= {*read(platform).files}
    (platform.folder / ".git").mkdir()
    files = read(platform).files
    assert "lib/own.sh" in files and "deploy" in files and "vendor/much.sh" not in files


def test_scripts_are_those_of_verbs_and_tests(platform):
    platform.replace("rigger.yml", "upgrades:\n", "upgrades:\n  rolling: {within: major}\n")
    os.rename(platform.folder / "check", platform.folder / "check.sh")
    platform.script("helper", "")
    platform.script("upgrade-rolling", "")
    found = read(platform)
    assert "upgrade-rolling" in found.verbs and "upgrade-roling" not in found.verbs
    assert {"check.sh", "deploy", "tests/greets", "upgrade-rolling"} <= {*found.scripts}
    assert "helper" not in found.scripts
    assert found.tests == ["greets"]
    assert found.own_script("check") == str(platform.folder / "check.sh") and not found.own_script("audit")


def test_programs_that_questions_name_come_with_their_question(provider):
    provider.question("{name: ZONE, type: select, choices: {command: bin/zones --all}}")
    provider.question("{name: KEY, check: bin/key}")
    found = read(provider)
    assert found.programs == [("KEY", "check", "bin/key"), ("ZONE", "choices", "bin/zones")]
    (zone,) = [question for question in found.module.questions if question.name == "ZONE"]
    assert "ZONE" in (provider.folder / "rigger.yml").read_text().splitlines()[found.asked_at(zone) - 1]


def test_each_shell_script_has_its_shell(provider, tmp_path):
    provider.script("plan", "", shebang="#!/usr/bin/env zsh\n")
    provider.script("audit", "", shebang="#!/usr/bin/env python3\n")
    provider.script("lib/part.sh", "", shebang="")
    found = dict(read(provider).shell_scripts)
    assert (found["plan"], found["lib/part.sh"], found["create"]) == ("zsh", "bash", "bash")
    assert "audit" not in found and "rigger.yml" not in found
    folder = old(tmp_path / "contrib" / "vagrant", create_sh=("true\n", 0o644), destroy_sh=("true\n", 0o644))
    assert dict(Subject(subject.load(folder)).shell_scripts) == {"create.sh": "bash", "destroy.sh": "bash"}


def test_a_text_is_read_up_to_a_limit_whatever_it_holds(provider):
    (provider.folder / "big").write_bytes(b"x" * (MOST_BYTES + 9))
    (provider.folder / "latin").write_bytes(b"caf\xe9\nthe end\n")
    found = read(provider)
    assert len(found.text("big")) == MOST_BYTES
    assert found.text("latin").startswith("caf\udce9")
    assert found.text("none") == found.text(".") == ""
    assert (found.line_of("end$", "latin"), found.line_of("begin", "latin")) == (2, 0)
