"""Every way to break a module is found, by the finding that names it; what is right is found to be right."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT

from rigger.conformance import rules, subject

HERE = os.path.dirname(__file__)
GOOD = os.path.join(HERE, "good")
HEADER = "#!/bin/sh\n# Summary: Broken.\n"
NAMES = {"provider": "orchard", "platform": "basket"}


def table():
    for role in NAMES:
        with open(os.path.join(HERE, "broken", f"{role}.yml"), encoding="utf-8") as file:
            for name, how in yaml.safe_load(file).items():
                yield role, name, how


BROKEN = list(table())
# The main story: one of each kind.
MAIN = {
    "a destroy that does nothing",
    "a check that looks at the first machine alone",
    "a check that asks the first node alone",
    "a backup that writes nothing",
}


def broken(role, how, folder):
    """Write a good module with something broken in it, and return its folder."""
    return changed(NAMES[role], how, folder)


def changed(name, how, folder):
    module = shutil.copytree(os.path.join(GOOD, name), folder / name)
    for name in how.get("drop", ()):
        os.unlink(module / name)
    for old, new in how.get("rename", {}).items():
        os.rename(module / old, module / new)
    for name, body in how.get("files", {}).items():
        (module / name).write_text(HEADER + body)
        (module / name).chmod(0o755)
    for name, text in how.get("texts", {}).items():
        (module / name).write_text(text)
    for part in ("swap", "also"):
        for name, (old, new) in how.get(part, {}).items():
            text = (module / name).read_text()
            assert old in text, f"{name} has no {old!r}"
            (module / name).write_text(text.replace(old, new, 1))
    for name, text in how.get("append", {}).items():
        with open(module / name, "a") as file:
            file.write(f"{text}\n")
    for name, mode in how.get("modes", {}).items():
        (module / name).chmod(int(str(mode), 0))
    return str(module)


def read(folder):
    return [lined(finding.as_dict()) for finding in rules.examine(subject.load(folder))]


def lined(finding):
    place = f"{finding['file']}:{finding['line']}" if finding["line"] else finding["file"]
    return f"{finding['level']} {place}: {finding['text']}"


# In a process of its own, as steps make processes that outlive it, and take over signals.
LIVES = """
import json, re, sys
from rigger.conformance import subject
from rigger.conformance.lives import rehearse
from rigger.conformance.sandbox import RehearsalOptions

folder, below, wanted = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])

class Enough(Exception):
    pass

def say(finding):
    print(json.dumps(finding.as_dict()), flush=True)
    wanted[:] = [text for text in wanted if not re.match(text, lined(finding.as_dict()))]
    if not wanted:
        raise Enough

def lined(finding):
    place = f"{finding['file']}:{finding['line']}" if finding["line"] else finding["file"]
    return f"{finding['level']} {place}: {finding['text']}"

try:
    rehearse(subject.load(folder), RehearsalOptions({}, below), say)
except Enough:
    pass
"""


@pytest.fixture
def lived(tmp_path):
    """Live a life until all that is wanted was found; return what was found, a finding a line."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    def run(folder, role, wanted):
        below = "" if role == "provider" else os.path.join(GOOD, "orchard")
        argv = [sys.executable, "-c", LIVES, folder, below, json.dumps(wanted)]
        env = {**os.environ, "PYTHONPATH": ROOT, "TMPDIR": str(temporary)}
        done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        return [lined(json.loads(line)) for line in lines]

    return run


def unnamed(found, wanted):
    return [text for text in wanted if not any(re.match(text, line) for line in found)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("role", "how"),
    [
        pytest.param(role, how, id=f"{role}: {name}", marks=() if name in MAIN else pytest.mark.slow)
        for role, name, how in BROKEN
    ],
)
def test_what_is_broken_is_found(lived, tmp_path, role, how):
    folder = broken(role, how, tmp_path)
    found = read(folder)
    if unnamed(found, how["found"]):  # reading does not show it
        assert not [line for line in found if line.startswith("FAIL")], found
        found = lived(folder, role, how["found"])
    found = [line for line in found if not line.startswith("PASS")]
    assert not unnamed(found, how["found"]), found


ONE_WAY = {
    "swap": {
        "rigger.yml": ["within: major", "within: major, rollback: restore"],
        "upgrade-rolling": [
            "set -eu",
            'set -eu\n[ "$BASKET_VERSION" != 1.0.0 ] || { echo one way; exit 1; }',
        ],
    }
}


# A file that a killed script could not remove is none of its faults.
SLOW = {"swap": {"create": ["set -eu", 'set -eu\nnoted=$(mktemp)\nsleep 0.4\nrm "$noted"']}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "below", "how"),
    [
        ("orchard", "", {}),
        ("orchard", "", SLOW),
        ("basket", "orchard", {}),
        ("basket", "orchard", ONE_WAY),
        ("farm", "", {}),  # in Python, its state in the home; the first machines leave first
        ("hub", "farm", {}),  # its data on the first node alone; one way upgrades
    ],
)
def test_what_is_right_is_found_to_be_right(rigger, tmp_path, name, below, how):
    options = ("--provider", os.path.join(GOOD, below)) if below else ()
    folder = changed(name, how, tmp_path)
    said = rigger("module", "check", "--run", "-o", "json", folder, *options, timeout=1800)
    if how is ONE_WAY:
        assert "goes back to 1.0.0 where upgrade-rolling was killed" in said.out
    found = map(lined, json.loads(said.out)["findings"])
    assert [line for line in found if not line.startswith("PASS")] == []


STAGES = {
    "swap": {
        "rigger.yml": [
            "within: major}",
            "within: major, stages: [{nodes: 1}, {nodes: rest}], "
            "judge: {test: picked, for: 1h, at-most: {late: 3}, at-least: {picked: 1}}}",
        ],
        "upgrade-rolling": ["$(rigger-nodes names)", "${RIGGER_STAGE_NODES:-$(rigger-nodes names)}"],
    },
    "files": {"tests/picked": 'rigger-figure late 1\nrigger-figure picked "$RIGGER_JUDGE_SECONDS"\n'},
}


def staged(folder, **spoilt):
    return changed("basket", {**STAGES, **spoilt}, folder)


def lives_with(rigger, folder, code):
    said = rigger(
        "module", "check", "--run", "-o", "json", folder, "--provider", os.path.join(GOOD, "orchard"),
        code=code, timeout=1800,
    )  # fmt: skip
    return [lined(finding) for finding in json.loads(said.out)["findings"]]


@pytest.mark.slow
def test_an_upgrade_is_tried_stage_by_stage(rigger, tmp_path):
    found = lives_with(rigger, staged(tmp_path), 0)
    assert [line for line in found if not line.startswith("PASS")] == []
    of_stages = [line for line in found if "stage" in line]
    names = [re.search(r"stage (\d of \d) \((.*?)\)", line) for line in of_stages if "succeeds from" in line]
    assert [(name[1], len(name[2].split(", "))) for name in names] == [("1 of 2", 1), ("2 of 2", 1)]
    said = "\n".join(found)
    for wanted in (
        "what is usual before an upgrade is judged good",
        "stage 1 of 2 (",
        "can be repeated, stage 2 of 2",
        "resumes where it was killed, stage 1 of 2",
        "succeeds before the stage that is killed, stage 1 of 2",
        "goes back to 1.0.0 where upgrade-rolling was killed",
    ):
        assert wanted in said, said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoilt", "wanted"),
    [
        (
            {"also": {"upgrade-rolling": ["${RIGGER_STAGE_NODES:-$(rigger-nodes names)}", "$(rigger-nodes names)"]}},
            r"FAIL upgrade-rolling: changes \S+ in stage 1 of 2, which is of \S+ alone",
        ),
        (
            {"also": {"upgrade-rolling": ["set -eu", 'set -eu\n[ "$RIGGER_STAGE_NODES" ]']}},
            r"FAIL upgrade-rolling: exited \d+.* \(wanted: goes back from 1.1.0 to 1.0.0\)",
        ),
        (
            {"files": {"tests/picked": "rigger-figure late 1\n"}},
            r"FAIL tests/picked: upgrade-rolling, what is usual before an upgrade is judged bad: picked was not measured",
        ),
        (
            {"files": {"tests/picked": 'rigger-figure picked 1\n[ "$BASKET_VERSION" = 1.0.0 ] && rigger-figure late 1 || rigger-figure late 4\n'}},
            r"FAIL tests/picked: upgrade-rolling, stage 1 of 2 \(\S+\) is judged bad: late is 4, and must be at most 3",
        ),
        (
            {"also": {"upgrade-rolling": ["set -eu", 'set -eu\n[ -e "$RIGGER_STATE_DIR/first" ] && [ "${RIGGER_STAGE_NODES-}" ] && exit 3\n: >"$RIGGER_STATE_DIR/first"']}},
            r"FAIL upgrade-rolling: exited 3 \(wanted: succeeds from 1.0.0 to 1.1.0, stage 2 of 2",
        ),
    ],
)  # fmt: skip
def test_a_stage_that_is_broken_is_named(rigger, tmp_path, spoilt, wanted):
    found = lives_with(rigger, staged(tmp_path, **spoilt), 6)
    assert any(re.match(wanted, line) for line in found), found


def test_there_are_many_ways():
    assert len(BROKEN) >= 100
    assert {name for _, name, _ in BROKEN} >= MAIN
