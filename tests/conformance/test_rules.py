"""Conformance: every slip is named with its file and line, and reading runs nothing."""

import os

import pytest
from conftest import ROOT
from helpers.written_modules import old

from rigger.conformance import rules, subject, syntax
from rigger.errors import Refused

SHIPPED = [
    os.path.join(folder, name)
    for folder in (os.path.join(ROOT, "providers"), os.path.join(ROOT, "rigger", "platforms"))
    for name in sorted(os.listdir(folder))
    if os.path.isfile(os.path.join(folder, name, "rigger.yml"))
]


@pytest.mark.parametrize("folder", SHIPPED, ids=[os.path.relpath(folder, ROOT) for folder in SHIPPED])
def test_what_ships_conforms(folder, monkeypatch):
    monkeypatch.setattr(syntax, "SHELLCHECK", ("none",))  # slow, and `make lint` asks it of all scripts
    found = rules.examine(subject.load(folder))
    assert [finding for finding in found if finding.level == "FAIL"] == []


def test_scaffolds_give_no_reason_for_advice(provider, platform):
    for module in (provider, platform):
        assert module.fails() == [] and module.advice() == []
        assert len(module.findings("PASS")) == 19


def spoil_typo(m):
    os.rename(m.folder / "destroy", m.folder / "destory")


def spoil_folder(m):
    os.unlink(m.folder / "check")
    os.mkdir(m.folder / "check")


SPOILED = {
    "missing": (lambda m: os.unlink(m.folder / "check"), ["check: is missing: a provider needs it"]),
    "no file": (spoil_folder, ["check: is no file that can be run"]),
    "typo": (
        spoil_typo,
        [
            "destroy: is missing: a provider needs it; destory looks like it",
            "destory: looks like destroy, but rigger will never run it",
        ],
    ),
    "an optional typo": (
        lambda m: m.script("suspnd.sh", ""),
        ["suspnd.sh: looks like suspend, but rigger will never run it"],
    ),
    "no run bit": (lambda m: os.chmod(m.folder / "create", 0o644), ["create: is not executable"]),
    "no shebang": (
        lambda m: m.replace("create", "#!/usr/bin/env bash\n", "\n"),
        ["create:1: has no #! line"],
    ),
    "an interpreter that is not there": (
        lambda m: m.replace("check", "env bash", "env nush"),
        ["check:1: has a #! line that names nush, which is not on this machine"],
    ),
    "an interpreter's path": (
        lambda m: m.replace("check", "/usr/bin/env bash", "/opt/none/bash"),
        ["check:1: has a #! line that names /opt/none/bash, which is not on this machine"],
    ),
    "no header": (
        lambda m: m.replace("install", "# Summary:", "# It will"),
        ["install:1: has no header: a line '# Summary: what it does' under the #! line"],
    ),
    "two spellings": (
        lambda m: m.script("create.sh", ""),
        ["create: stands beside create.sh: only one of them runs"],
    ),
    "bash syntax": (lambda m: m.replace("create", "; do", ";"), ["create:17: syntax error near"]),
    "sh syntax": (lambda m: m.script("plan", "if true\n"), ["plan:6: Syntax error"]),
    "a library's syntax": (
        lambda m: m.script("lib/x.sh", "f() {\n", shebang=""),
        ["lib/x.sh:5: syntax error"],
    ),
    "python syntax": (
        lambda m: m.script("plan", "def f(:\n", shebang="#!/usr/bin/env python3\n"),
        ["plan:5: invalid syntax"],
    ),
    "CR LF": (
        lambda m: m.script("plan", "true\r\ntrue\n"),
        ["plan:5: has the line ends of Windows (CR LF)"],
    ),
    "world-writable": (
        lambda m: os.chmod(m.folder / "create", 0o777),
        ["create: everybody on this machine can write to it: chmod o-w"],
    ),
    "a world-writable folder": (
        lambda m: os.chmod(m.folder, 0o777),
        [".: everybody on this machine can write to it: chmod o-w"],
    ),
    "no program": (
        lambda m: m.question("{name: ZONE, type: select, choices: {command: bin/zones}}"),
        ["rigger.yml:16: choices of ZONE: bin/zones is missing"],
    ),
    "a program that cannot run": (
        lambda m: (m.question("{name: ZONE, check: bin/zone}"), m.script("bin/zone", "", mode=0o644)),
        ["rigger.yml:16: check of ZONE: bin/zone is not executable"],
    ),
    "a default that does not hold": (
        lambda m: m.replace("rigger.yml", "default: 2", "default: 12"),
        ["rigger.yml:16: default: NODES must be at most 9, not 12"],
    ),
    "a type that does not hold": (
        lambda m: m.replace("rigger.yml", "{NODES: 5}", "{NODES: 50}"),
        ["rigger.yml:16: type production: NODES must be at most 9, not 50"],
    ),
    "a template": (
        lambda m: m.question("{name: ZONE, default: 'a {{ b'}"),
        ["rigger.yml:16: default of ZONE: line 1 of the template:"],
    ),
    "a timeout for nothing": (
        lambda m: m.replace("rigger.yml", "{install: 5m, create", "{install: 5m, craete"),
        ["rigger.yml:46: timeouts: there is no script craete (did you mean create?)"],
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_provider(provider, name):
    spoil, expected = SPOILED[name]
    spoil(provider)
    found = provider.fails()
    assert len(found) == len(expected), found
    for said, wanted in zip(sorted(found), sorted(expected), strict=True):
        assert said.startswith(wanted), found


def test_a_spoiled_platform(platform):
    platform.replace("rigger.yml", "tests: [greets]", "tests: [greets, waves]")
    platform.replace(
        "rigger.yml",
        "upgrades:\n",
        "upgrades:\n  rolling: {within: major, stages: [{nodes: 1}], judge: {test: load, for: 5s, at-most: {ms: 5}}}\n",
    )
    platform.script("upgrade-roling", "")
    platform.script("tests/bows", "")
    os.chmod(platform.folder / "tests" / "greets", 0o644)
    assert sorted(platform.fails()) == [
        "rigger.yml:29: tests/waves is missing",
        "rigger.yml:35: tests/load is missing",
        "rigger.yml:35: the script upgrade-rolling is missing",
        "tests/greets: is not executable",
        "upgrade-roling: the manifest has no style roling under upgrades (did you mean upgrade-rolling?)",
    ]
    assert platform.advice() == ["tests/bows: belongs to no suite and no component"]
    os.rename(platform.folder / "upgrade-roling", platform.folder / "upgrade-rolling")
    for name in ("waves", "load"):
        platform.script(f"tests/{name}", "")
    os.chmod(platform.folder / "tests" / "greets", 0o755)
    assert platform.fails() == [] and platform.advice() == [
        "tests/bows: belongs to no suite and no component"
    ]


def test_advice_fails_nobody(provider):
    provider.question("{name: API_TOKEN, ask: Which?}")
    provider.question("{name: KEY, type: secret, default: abc}")
    provider.replace("rigger.yml", "outputs: [MACHINES_MADE]", "outputs: [MACHINES_MADE, TUNNEL]")
    provider.script("plan", 'echo "the key is $KEY"\nset -x\nrigger-save-vars KEY\necho "$KEY" | wc -c\n')
    provider.script("teardown", "")
    provider.script("format-disks", "")
    (provider.folder / "link").symlink_to("/etc/passwd")
    said = "\n".join(provider.advice())
    for wanted in (
        "rigger.yml:17: API_TOKEN sounds like a secret",
        "rigger.yml:16: KEY is a secret with a default",
        "outputs: nothing here speaks of TUNNEL",
        "plan:5: prints a secret",
        "plan:6: prints every command",
        "plan:7: a secret is saved with rigger-save-secrets",
        "teardown: rigger runs nothing called so: what does that is called destroy",
        "link: is a link",
    ):
        assert wanted in said
    assert "plan:8: prints" not in said and "format-disks" not in said
    assert provider.fails() == []


def test_scripts_without_a_manifest(tmp_path):
    body = "# Summary: A test's.\ntrue\n"
    folder = old(
        tmp_path / "contrib" / "vagrant",
        create_sh=(body, 0o644),
        destroy_sh=(body, 0o644),
        check=("#!/bin/bash\n" + body, 0o755),
        config_sh=("prompt 'Zone?' ZONE\n", 0o644),
    )
    found = rules.examine(subject.load(folder))
    assert [f for f in found if f.level == "FAIL"] == []
    assert "there is no install" in str([f.text for f in found if f.level == "ADVICE"])
    with open(os.path.join(folder, "destroy.sh"), "a") as file:
        file.write("fi\n")
    os.chmod(os.path.join(folder, "create.sh"), 0o755)
    fails = [f"{f.place}: {f.text}" for f in rules.examine(subject.load(folder)) if f.level == "FAIL"]
    assert any(line.startswith("create.sh:1: has no #! line") for line in fails)
    assert any(line.startswith("destroy.sh:3: syntax error") for line in fails)
    assert len(fails) == 2
    os.unlink(os.path.join(folder, "destroy.sh"))
    with pytest.raises(Refused, match="no destroy"):
        subject.load(folder)


def test_whoever_judges_a_module_says_the_same_of_it(tmp_path):
    script = ("#!/bin/bash\n# Summary: A test's.\ntrue\n", 0o755)
    scripts = dict.fromkeys(("install", "create", "check", "destroy"), script)
    folder = old(tmp_path / "contrib" / "ec2", config_sh=("prompt 'Zone?' ZONE\n", 0o755), **scripts)
    assert subject.load(folder).script_problems() == []
    assert [f for f in rules.examine(subject.load(folder)) if f.level == "FAIL"] == []
    os.unlink(os.path.join(folder, "config.sh"))
    os.mkdir(os.path.join(folder, "config.sh"))
    [problem] = subject.load(folder).script_problems()
    [fail] = [f for f in rules.examine(subject.load(folder)) if f.level == "FAIL"]
    assert problem == f"{folder}/config.sh is a folder, not a script" and fail.text in problem


def test_reading_runs_nothing(rigger, provider, tmp_path):
    canary = tmp_path / "canary"
    touch = f"touch {canary}\n"
    for name in ("install", "create", "check", "destroy", "exec", "plan", "bin/zones", "lib/x.sh"):
        provider.script(name, touch)
    provider.script("bash", touch)
    provider.question("{name: ZONE, type: select, choices: {command: bin/zones}, check: bin/zones}")
    (provider.folder / ".shellcheckrc").write_text("external-sources=true\n")
    env = {"BASH_ENV": str(provider.folder / "lib/x.sh"), "ENV": str(provider.folder / "lib/x.sh")}
    said = rigger("module", "check", provider.folder, env=env)
    assert "Nothing of it was run" in said.out
    assert not canary.exists()
    assert not os.path.exists(rigger.home)


def test_slips_come_before_a_life(rigger, provider):
    os.chmod(provider.folder / "create", 0o644)
    said = rigger("module", "check", "--run", provider.folder, code=6)
    assert "FAIL    create: is not executable" in said.out and "Not run" in said.out
    assert "works where nothing was made" not in said.out
    assert "hetzner does not conform: 18 passed, 1 failed" in said.err


def test_a_manifest_that_is_refused(rigger, provider):
    provider.replace("rigger.yml", "role: provider", "role: provder")
    said = rigger("module", "check", provider.folder, code=9)
    assert "rigger.yml, line 5: role: 'provder' is not one of" in said.err


def test_no_module(rigger, tmp_path):
    said = rigger("module", "check", tmp_path, code=2)
    assert "is no module" in said.err and "rigger provider new" in said.err
    assert "There is no folder" in rigger("module", "check", tmp_path / "none", code=2).err
