"""Upgrades: which jumps make sense, and what they consist of."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigger import versions
from rigger.audit.events import StepFinished, StepStarted
from rigger.audit.steps import StepHistory
from rigger.audit.upgrades import Request
from rigger.configuration.config import Config
from rigger.errors import BadUsage
from rigger.modules.model import Module, Suite, Upgrade
from rigger.plans import upgrade
from rigger.values import replace

VERSIONS = ("1.9.0", "1.10.0-rc1", "1.10.0", "1.11.2", "1.13.0", "2.0.0", "3.0.0")
STYLES = {
    "graceful": Upgrade("graceful", "leaf by leaf", within="major", minors=1),
    "inplace": Upgrade("inplace", "all at once", within="minor"),
    "blue": Upgrade("blue", "beside it", since="1.10.0"),
    "planned": Upgrade("planned", "has no script"),
}
SUITES = {"apps": Suite("apps", "", ("app-deploy",)), "app-test": Suite("app-test", "", ("app-test",))}


@pytest.fixture
def tree(tmp_path):
    """A platform that can be upgraded in three ways, and make a backup."""
    for verb in ("upgrade-graceful", "upgrade-inplace", "upgrade-blue", "check", "backup"):
        (tmp_path / verb).write_text("#!/bin/sh\n")
    return Module(
        "tree", "platform", str(tmp_path), prefix="TREE", versions=VERSIONS, upgrades=STYLES, suites=SUITES,
        version_pattern=r"2\.1\.\d+",
    )  # fmt: skip


def asked(start="1.9.0", to="1.10.0", style="graceful", **more) -> Request:
    return Request(start, to, style, **more)


def refused(platform, request, **options) -> tuple[str, str]:
    with pytest.raises(BadUsage) as problem:
        upgrade.validate_upgrade(platform, request, **options)
    return problem.value.message, problem.value.next_step


# Which jumps make sense


@pytest.mark.parametrize(
    ("start", "to"),
    [
        ("v1.0.0+k3s9", "v1.0.0+k3s10"),
        ("1.0.0", "1.0.0.post1"),
        ("release-1.9.0", "release-1.10.0"),
        ("2026-01-31", "2026-01-31-2"),
        ("v1.0.0-0-gabcdef0", "v1.0.0"),  # a branch that stood on it
    ],
)
def test_upgrades_go_to_what_is_newer_however_it_is_counted(tree, start, to):
    platform = replace(tree, versions=(start, to))
    upgrade.validate_upgrade(platform, asked(start, to))
    message, _ = refused(platform, asked(to, start))
    assert message == f"{start} is older than {to}, which the cluster runs."


def test_what_cannot_be_compared_is_not_called_older(tree):
    message, step = refused(replace(tree, versions=("weekly", "1.0.0")), asked("1.0.0", "weekly"))
    assert "which the cluster runs: 'weekly' is no version" in message and "--allow-downgrade" in step


def test_newer_versions_the_newest_first(tree):
    assert upgrade.newer(tree, "1.10.0") == ["3.0.0", "2.0.0", "1.13.0", "1.11.2"]
    assert upgrade.newer(tree, "1.10.0-rc1")[-1] == "1.10.0" and upgrade.newer(tree, "3.0.0") == []
    assert [style.value for style in upgrade.styles(tree)] == [*STYLES]


@pytest.mark.parametrize(
    ("start", "to", "style"),
    [
        ("1.9.0", "1.10.0", "graceful"),
        ("1.10.0-rc1", "1.10.0", "inplace"),
        ("1.10.0", "1.11.2", "blue"),
        ("1.10.0", "3.0.0", "blue"),
        ("2.0.0", "2.1.7", "graceful"),
    ],
)
def test_jumps_that_make_sense(tree, start, to, style):
    upgrade.validate_upgrade(tree, asked(start, to, style))


@pytest.mark.parametrize(
    ("request_", "message", "next_step"),
    [
        (asked(to="1.10.1"), "tree has no version '1.10.1' (did you mean 1.10.0?).",
         "Known: 3.0.0, 2.0.0, 1.13.0, 1.11.2, 1.10.0, 1.10.0-rc1, 1.9.0, and what matches "),
        (asked(to="2.1.x"), "tree has no version '2.1.x'", "Known: "),
        (asked("1.10.0"), "The cluster runs tree 1.10.0 already.", "Choose another with --version."),
        (asked("1.10.0", "1.9.0"), "1.9.0 is older than 1.10.0, which the cluster runs.",
         "Add --allow-downgrade if you mean it."),
        (asked(style="gracefull"), "tree has no upgrade style 'gracefull'.",
         "It offers: graceful, inplace, blue, planned."),
        (asked(style="planned"), "tree has no upgrade style 'planned'.", "It offers: graceful"),
        (asked(style="blue"), "tree can be upgraded blue only from 1.10.0 on; this cluster runs 1.9.0.",
         "Choose another --upgrade-style, or go there in steps."),
        (asked("1.13.0", "2.0.0"), "tree cannot go graceful from 1.13.0 to 2.0.0: only within a major version.",
         "Choose another --upgrade-style."),
        (asked(style="inplace"), "tree cannot go inplace from 1.9.0 to 1.10.0: only within a minor version.",
         "Choose another --upgrade-style."),
        (asked("1.9.0", "1.11.2"),
         "tree cannot go graceful from 1.9.0 to 1.11.2: one jump spans at most 1 minor version.",
         "Go to 1.10 first."),
    ],
)  # fmt: skip
def test_jumps_that_do_not(tree, request_, message, next_step):
    said = refused(tree, request_)
    assert said[0].startswith(message) and said[1].startswith(next_step)


def test_a_way_down_is_taken_by_whoever_means_it_and_in_no_longer_jumps(tree):
    upgrade.validate_upgrade(tree, asked("1.10.0", "1.9.0"), allow_downgrade=True)
    assert refused(tree, asked("1.13.0", "1.11.2"), allow_downgrade=True)[1] == "Go to 1.12 first."


@given(st.sampled_from(VERSIONS), st.sampled_from(VERSIONS), st.sampled_from(["graceful", "inplace", "blue"]))
def test_no_jump_goes_down_or_nowhere(tmp_path_factory, start, to, style):
    folder = tmp_path_factory.mktemp("tree")
    (folder / f"upgrade-{style}").write_text("#!/bin/sh\n")
    platform = Module("tree", "platform", str(folder), versions=VERSIONS, upgrades=STYLES)
    try:
        upgrade.validate_upgrade(platform, asked(start, to, style))
    except BadUsage as problem:
        assert problem.message.endswith(".") and problem.next_step.endswith(".")
    else:
        assert versions.key(to) > versions.key(start)


def test_a_platform_without_styles_offers_none(tmp_path):
    with pytest.raises(BadUsage) as problem:
        upgrade.require_style(Module("stone", "platform", str(tmp_path)), "graceful")
    assert problem.value.next_step == "It offers: none."


# What an upgrade consists of


def history(*verbs) -> StepHistory:
    """Return a history in which these steps of the platform ran, in that order; by itself a verb is one that was done."""
    steps = StepHistory()
    for number, verb in enumerate(verbs, 1):
        verb, code = (verb, 0) if isinstance(verb, str) else verb
        own = {"run": "r", "number": number, "module": "platform/tree", "step": verb}
        common = {"command": "upgrade", "script": "", "sha256": "", "shared": None, "why": "", "log": ""}
        steps.take(StepStarted(seq=2 * number, parameters={"VERSION": "1.9.0"}, **common, **own))
        ended = {"exit_code": code, "seconds": 1.0, "log_size": 0, "log_sha256": "", "changed": ()}
        if code is not None:
            steps.take(StepFinished(seq=2 * number + 1, **ended, **own))
    return steps


def planned(tree, request=None, done=(), whole=()):
    config = Config(Module("soil", "provider", "/m/soil"), tree, (), {}, {}, {})
    return upgrade.steps(config, request or asked(), history(*done), history(*whole))


def test_the_data_are_kept_before_anything_changes(tree):
    plan = planned(tree)
    assert [step.verb for step in plan.steps] == ["backup", "upgrade-graceful", "check"]
    assert plan.steps[0].why == "before anything changes: the data of 1.9.0"
    assert plan.steps[0].environ == {"VERSION": "1.9.0", "TREE_VERSION": "1.9.0"}
    assert plan.steps[1].why == "1.9.0 to 1.10.0" and plan.steps[1].environ == {}
    assert plan.command == "upgrade" and plan.up_to_date == ()


def test_what_was_done_since_it_began_is_not_done_again(tree):
    plan = planned(tree, done=["backup"])
    assert [step.verb for step in plan.steps] == ["upgrade-graceful", "check"]
    assert [step.verb for step in plan.up_to_date] == ["backup"]
    plan = planned(tree, done=["backup", "upgrade-graceful"])
    assert [step.verb for step in plan.steps] == ["check"]


def test_the_way_back_makes_no_backup(tree):
    plan = planned(tree, asked("1.10.0", "1.9.0", back=True))
    assert [step.verb for step in plan.steps] == ["upgrade-graceful", "check"]
    assert plan.steps[0].why == "1.10.0 back to 1.9.0" and plan.steps[0].environ == {
        "RIGGER_ROLLBACK": "true"
    }


def test_the_way_back_does_not_wait_for_applications_to_be_well(tree):
    plan = planned(tree, asked("1.10.0", "1.9.0", back=True), whole=["tests/app-deploy"])
    assert [step.verb for step in plan.steps] == ["upgrade-graceful", "check", "tests/app-test"]


def test_applications_that_were_deployed_are_watched_before_and_after(tree):
    plan = planned(tree, whole=["tests/app-deploy"])
    watch = "tests/app-test"
    assert [step.verb for step in plan.steps] == [watch, "backup", "upgrade-graceful", "check", watch]
    assert plan.steps[0].environ["TREE_VERSION"] == "1.9.0" and plan.steps[-1].environ == {}
    plan = planned(tree, done=["backup", "upgrade-graceful"], whole=["tests/app-deploy"])
    assert [step.verb for step in plan.steps] == ["check", watch], "it is too late for a look at what was"


@pytest.mark.parametrize(
    ("whole", "watched"),
    [
        ([], False),
        (["tests/app-deploy"], True),
        (["tests/app-deploy", "tests/app-destroy"], False),
        (["tests/app-deploy", "tests/app-destroy", "tests/app-deploy"], True),
        (["tests/app-deploy", ("tests/app-destroy", 1)], False),  # it may have removed them all the same
        (["tests/app-deploy", ("tests/app-destroy", None)], False),  # killed
        (["tests/app-deploy", ("tests/app-destroy", 77)], True),  # skipped
    ],
)
def test_only_applications_that_are_there_are_watched(tree, whole, watched):
    assert upgrade.watches(tree, history(*whole)) is watched
    bare = Module("tree", "platform", tree.folder)
    assert not upgrade.watches(bare, history(*whole)), "without a suite nobody can look"


def test_the_figures_of_the_last_look_are_reported():
    def result(verb, **figures):
        return SimpleNamespace(step=SimpleNamespace(verb=verb), figures=figures)

    looks = [result("tests/app-test", lost="0"), result("check"), result("tests/app-test", lost="2")]
    assert upgrade.report([*looks, result("tests/app-deploy", deployed="2")]) == {"lost": "2"}
    assert upgrade.report([result("check", lost="1")]) == upgrade.report([]) == {}
