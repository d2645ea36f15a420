"""Stages of an upgrade and their judge in a manifest: read as written, and a slip is refused with its line."""

import pytest

from rigger.errors import ModuleRefused
from rigger.modules import manifest
from rigger.modules.model import Judge, Limit, Stage

TREE = """\
interface: 2
name: tree
role: platform
upgrades:
  canary:
    within: minor
    stages:
      - {nodes: 1, for: 5m, pause: yes}
      - nodes: 25%
      - {nodes: rest}
    judge:
      test: under-load
      for: "{{ TREE_PATIENCE }}"
      at-most: {lost: 0, latency_ms: 3x + 20, slow: 1.5x}
      at-least: {writes: 1}
    on-failure: rollback
"""


def load(folder, text):
    (folder / "rigger.yml").write_text(text)
    return manifest.load(str(folder))


def test_stages_and_their_judge_are_read_as_written(tmp_path):
    canary = load(tmp_path, TREE).upgrades["canary"]
    assert canary.stages == (Stage("1", "5m", True), Stage("25%"), Stage("rest"))
    most = {
        "lost": Limit("0", None, 0.0),
        "latency_ms": Limit("3x + 20", 3.0, 20.0),
        "slow": Limit("1.5x", 1.5, 0.0),
    }
    assert canary.judge == Judge("under-load", "{{ TREE_PATIENCE }}", most, {"writes": Limit("1", None, 1.0)})
    assert canary.on_failure == "rollback"


def test_an_upgrade_without_stages_stays_what_it_was(tmp_path):
    plain = load(tmp_path, TREE[: TREE.index("    stages")]).upgrades["canary"]
    assert (plain.stages, plain.judge, plain.on_failure) == ((), None, "stop")


@pytest.mark.parametrize(
    ("right", "wrong", "line", "said"),
    [
        ("nodes: 25%", "nods: 25%", 9, "upgrades.canary.stages[1].nods: there is no such field (did you mean nodes?)"),
        ("nodes: 25%", "nodes: most", 9, "upgrades.canary.stages[1].nodes: 'most' is no number of nodes: 1, 25% or rest"),
        ("nodes: 25%", "nodes: 0", 9, "'0' is no number of nodes"),
        ("nodes: 25%", "nodes: 101%", 9, "'101%' is no number of nodes"),
        ("nodes: 25%", "pause: no", 9, "upgrades.canary.stages[1]: the field 'nodes' is missing"),
        ("nodes: 25%", "nodes: rest", 9, "stages[1].nodes: rest leaves no nodes for the next stage"),
        ("pause: yes", "pause: later", 8, "stages[0].pause: 'later' is neither true nor false"),
        ("for: 5m", "for: a while", 8, "stages[0].for: 'a while' is not a duration such as 90s, 45m or 1h30m"),
        ("      test:", "      tset:", 12, "judge.tset: there is no such field (did you mean test?)"),
        ("under-load", "../sh", 12, "judge.test: '../sh' is not the name of a file in tests/"),
        ("at-most", "at_most", 14, "judge.at_most: there is no such field (did you mean at-most?)"),
        ("lost: 0", "lost: none", 14, "at-most.lost: 'none' is no limit: a number, or 3x or 3x + 20 of what was measured before"),
        ("lost: 0", "lost: -1", 14, "'-1' is no limit"),
        ("lost: 0", "the lost: 0", 14, "'the lost' is not the name of a figure"),
        ("on-failure: rollback", "on-failure: rolback", 16, "'rolback' is not one of rollback, stop, ask (did you mean rollback?)"),
        ("within: minor", "rollback: restore", 16, "on-failure: rollback needs a script that goes back, and rollback is restore"),
        ("on-failure", "on-failre", 16, "upgrades.canary.on-failre: there is no such field (did you mean on-failure?)"),
    ],
)  # fmt: skip
def test_a_slip_is_refused_with_its_line_and_key(tmp_path, right, wrong, line, said):
    assert right in TREE
    with pytest.raises(ModuleRefused) as problem:
        load(tmp_path, TREE.replace(right, wrong, 1))
    assert f"rigger.yml, line {line}: " in problem.value.message and said in problem.value.message


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("stages: []", "line 6: upgrades.canary.stages: lists no stages"),
        ("judge: {test: a, for: 5s, at-most: {lost: 0}}", "upgrades.canary.judge: is about stages, and there are none"),
        ("on-failure: stop", "upgrades.canary.on-failure: is about stages, and there are none"),
        ("judge: {test: a, for: 5s}", "upgrades.canary.judge: has no limits: name figures under at-most or at-least"),
        ("judge: {test: a, at-most: {lost: 0}}", "upgrades.canary.judge: the field 'for' is missing"),
        ("stages: {nodes: 1}", "upgrades.canary.stages: must be a list"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_together_is_refused(tmp_path, lines, said):
    with pytest.raises(ModuleRefused) as problem:
        load(tmp_path, f"interface: 2\nname: tree\nrole: platform\nupgrades:\n  canary:\n    {lines}\n")
    assert said in problem.value.message
