"""The questions for where a platform comes from: a release, a branch, tag or commit, or a folder."""

from __future__ import annotations

import re

from rigger.questions.model import Choice, Question
from rigger.sources.spec import FOLDER, REF, RELEASE, SAYS, SOURCE, stored_source
from rigger.text import listed
from rigger.values import replace
from rigger.versions import LOOKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rigger.modules.model import Module
    from rigger.questions.sources import Sources

# A suffix of what is not released yet.
UNSURE = r"(?i)[0-9][._-]?(alpha|beta|dev|pre|preview|snapshot|nightly|m[0-9]|a|b)[._-]?[0-9]*(?:$|[.+-])"


def path_question(name: str) -> Question:
    return Question(
        name="CHECKOUT",
        ask=f"In which folder is {name}?",
        help="Whatever is there is what runs; nothing is cloned.",
        type="path",
        changes="none",
        flag="--path",
        pinned=True,
        origin="rigger",
        decides=True,
    )


def repository_question(platform: Module | None) -> Question:
    default = platform.repository if platform else ""
    return Question(
        name="REPOSITORY",
        ask="From which git repository?",
        help="Its URL, or a folder on this machine.",
        default=default or None,
        advanced=bool(default),
        changes="none",
        flag="--repository",
        pinned=True,
        origin="rigger",
        decides=True,
    )


def ref_question(name: str) -> Question:
    return Question(
        name="REF",
        ask=f"Which branch, tag or commit of {name}?",
        help="A branch is followed when you type: rigger checkout --update",
        changes="none",
        flag="--ref",
        pinned=True,
        origin="rigger",
        decides=True,
    )


def source_question(name: str, default: str) -> Question:
    choices = {
        RELEASE: "a released version",
        REF: "a branch, tag or commit",
        FOLDER: "a folder on this machine",
    }
    return Question(
        name=SOURCE,
        ask=f"Where should {name} come from?",
        help="Its git repository has releases and branches; a folder of your own is for working on it.",
        type="select",
        choices=tuple(Choice(source, text) for source, text in choices.items()),
        default=default,
        changes="none",
        pinned=True,
        origin="rigger",
        decides=True,
    )


def version_question(name: str, releases: list[str]) -> Question:
    """Return the question for a release; any text will do where the releases are not known."""
    newest = newest_release(releases)
    return Question(
        name="VERSION",
        ask=f"Which version of {name}?",
        help="The newest is first. A cluster keeps its version until you change it.",
        type="select" if releases else "text",
        choices=tuple(Choice(release, about(release, newest)) for release in releases),
        pattern=r"[^\s-]\S*",
        default=newest or None,
        changes="install",
        flag="--version",
        pinned=True,
        origin="rigger",
        decides=True,
    )


def newest_release(releases: list[str]) -> str:
    """Return the newest of what counts as released: release candidates do, betas do not."""
    released = [release for release in releases if not is_unsure(release)]
    return next(iter(released or releases), "")


def no_releases(url: str, named: Sequence[str], others: Sequence[str]) -> tuple[str, str]:
    """Return what is wrong with the tags of a repository that has no releases, and the next step."""
    if named:
        return (
            f"{url} has the versions of several things, and none is called what it or the platform is: {listed(named)}.",
            "Name one with --version TAG, or a branch with --ref BRANCH.",
        )
    if others:
        return (
            f"{url} has no tags that are versions: its tags are {listed(others)}.",
            f"Versions look like {LOOKS}. Choose a branch or tag with --ref NAME.",
        )
    return f"{url} has no tags that are versions.", "Choose a branch with --ref BRANCH."


def is_unsure(release: str) -> bool:
    return re.search(UNSURE, release) is not None


def about(release: str, newest: str) -> str:
    """Return what is to be said of a release among others."""
    words = ["the newest"] if release == newest else []
    if is_unsure(release):
        words.append("before its release")
    elif re.search(r"(?i)[0-9][._-]?rc", release):
        words.append("a release candidate")
    return ", ".join(words)


def given(sources: Sources, name: str) -> str:
    """Return the value that a question of that name would be given, nothing where it would be asked."""
    answer = sources.find(Question(name, ""))
    return answer.value if answer else ""


def with_source(sources: Sources, source: str) -> Sources:
    """Return the sources with an answer to the question for the source, where the others answer it."""
    if not source:
        return sources
    draft = {name: value for name, value in sources.draft.items() if name != SOURCE}
    return replace(sources, draft=draft, saved={**sources.saved, SOURCE: source})


def without_empty(values: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, str]:
    """Return values with those that are stored of a repository; an empty one has none."""
    return {name: value for name, value in {**values, **stored}.items() if value or name not in stored}


def source_beforehand(sources: Sources) -> str:
    """Return which source the first place that names one means, nothing where none does."""
    own = {name: sources.environ.get(f"RIGGER_{name}", "") for name in (SOURCE, *SAYS)}
    for values in (sources.flags, own, sources.answers, sources.draft, sources.saved):
        if source := values.get(SOURCE) or stored_source(values):
            return source
    return ""
