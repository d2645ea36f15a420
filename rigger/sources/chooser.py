"""Where a platform will come from, while somebody is still choosing."""

from __future__ import annotations

import os
from contextlib import suppress

from rigger.environments.home import Home
from rigger.errors import BadUsage, NotReady
from rigger.files import remove
from rigger.git import clone as git_clone
from rigger.git import inspect as git_inspect
from rigger.git import remote as git_remote
from rigger.git.clone import fetch_to_compare
from rigger.git.place import around
from rigger.git.urls import check_url
from rigger.sha256 import sha256
from rigger.sources import checkout as source_checkout
from rigger.sources import compat
from rigger.sources import questions as source_questions
from rigger.sources.questions import (
    path_question,
    ref_question,
    repository_question,
    source_beforehand,
    source_question,
    version_question,
)
from rigger.sources.spec import (
    FOLDER,
    REF,
    RELEASE,
    SOURCE,
    UTF8,
    Checkout,
    SourceSpec,
    is_bare,
    stored_source,
)
from rigger.text import listed
from rigger.trust.gate import unknown_commits
from rigger.trust.ledger import agreed_commits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rigger.environments.environment import Environment
    from rigger.modules.model import Module
    from rigger.questions.model import Question
    from rigger.questions.sources import Sources


class SourceChooser:
    """The repository while somebody decides what of it to use: what it offers, and a clone to ask questions from.

    The clone lies among the drafts until the environment is written, also when the conversation is interrupted.
    `agree(url, commit, folder)` raises where nobody agrees to the scripts of a commit; `progress` gets git's own words.
    """

    def __init__(
        self,
        environment: Environment,
        sources: Sources,
        agree: Callable[[str, str, str], None],
        say: Callable[[str], None],
        progress: Callable[[str], None] | None,
        asks: bool,
    ):
        self.environment = environment
        self.agree = agree
        self.say = say
        self.progress = progress
        self.asks = asks
        self.beforehand = source_beforehand(sources)
        self.saved = {} if not environment.exists() else environment.vars()
        self.comes_first = bool(source_questions.given(sources, "REPOSITORY") or self.beforehand == FOLDER)
        self.knows_version = bool(source_questions.given(sources, "VERSION"))
        self.platform = source_questions.given(sources, "PLATFORM")
        self.repository = "" if self.beforehand == FOLDER else source_questions.given(sources, "REPOSITORY")
        self.draft = draft_folder(environment.home, environment.name)
        self._releases: dict[str, list[str]] = {}
        self._asked_of: tuple[str, Module | None] | None = None
        self._obtained: dict[SourceSpec, Checkout] = {}

    def is_complete(self, values: Mapping[str, str]) -> bool:
        """Return whether it was said what is wanted of the repository."""
        return SourceSpec.of(values) is not None

    def questions(self, values: Mapping[str, str], platform: Module | None = None) -> list[Question]:
        """Return the questions about where the platform comes from, for the values known."""
        name = platform.name if platform else "the platform"
        source = values.get(SOURCE)
        questions = [source_question(name, self.beforehand or RELEASE)]
        if source == FOLDER:
            return [*questions, path_question(name)]
        if source:
            questions.append(repository_question(platform))
        if source == REF:
            questions.append(ref_question(name))
        if source == RELEASE and values.get("REPOSITORY"):
            self._asked_of = (values["REPOSITORY"], platform)
            releases = [] if self.knows_version else self._offered(values["REPOSITORY"], platform)
            questions.append(version_question(name, releases))
        return questions

    def describe(self, question: Question) -> Question:
        """Return the question for the version with all releases, when somebody is going to look at it."""
        if question.choices or not self._asked_of:
            return question
        url, platform = self._asked_of
        try:
            releases = self._offered(url, platform)
        except NotReady as problem:
            self.say(f"Its releases cannot be listed: {problem.message}")
            releases = []
        return version_question(platform.name if platform else "the platform", releases)

    def _offered(self, url: str, platform: Module | None) -> list[str]:
        """Return the releases of a repository whose scripts this rigger can run, the newest first."""
        if url not in self._releases:
            self._releases[url] = self._list(url, platform.name if platform else self.platform)
        return [
            release for release in self._releases[url] if not platform or compat.speaks(platform, release)
        ]

    def _list(self, url: str, name: str) -> list[str]:
        offer = git_remote.offer(check_url(url), name)
        if not offer.releases:
            kind = NotReady if self.asks else BadUsage
            raise kind(*source_questions.no_releases(url, offer.named, offer.others))
        if offer.others:
            self.say(f"Tags of {url} that are no versions are left out: {listed(offer.others)}.")
        return [*offer.releases]

    def folder(self, values: Mapping[str, str]) -> str | None:
        """Return the folder that has what is wanted, cloned if need be, None as long as that is not known."""
        checkout = self.checkout(values)
        return checkout.folder if checkout else None

    def checkout(self, values: Mapping[str, str]) -> Checkout | None:
        """Return what the values ask for, None as long as they do not say enough."""
        wanted = SourceSpec.of(values)
        if wanted is None:
            return None
        if wanted not in self._obtained:
            self._obtained[wanted] = self._obtain(wanted)
        return self._obtained[wanted]

    def version(self, values: Mapping[str, str]) -> str:
        """Return the version of what is wanted: a release as its tag is written, else what git describe says."""
        checkout = self.checkout(values)
        return checkout.version if checkout else ""

    def url(self, values: Mapping[str, str]) -> str:
        """Return the repository that the platform comes from; of a folder, the one that it was cloned from."""
        if (values.get(SOURCE) or stored_source(values)) != FOLDER:
            return values.get("REPOSITORY", "")
        top = around(values.get("CHECKOUT", ""))
        return git_inspect.origin(top) if top else ""

    def _obtain(self, wanted: SourceSpec) -> Checkout:
        if wanted.source == FOLDER:
            if not os.path.isdir(wanted.name):
                raise BadUsage(
                    f"There is no folder {wanted.name}.", "Give the folder of a platform's repository."
                )
            if is_bare(wanted.name):
                raise BadUsage(
                    f"{wanted.name} is a bare git repository: none of its files can be used there.",
                    f"To have it cloned: --repository {wanted.name}",
                )
            return Checkout(wanted.name, source_checkout.describe(wanted.name))
        folder = self.environment.file("checkout")
        if wanted == SourceSpec.of(self.saved) and os.path.isdir(folder):
            self._agree_to_what_is_there(folder)
            return Checkout(folder, self.saved.get("VERSION", ""))  # nothing else was asked for: it stays
        return self._clone(wanted, check_url(wanted.url))

    def _agree_to_what_is_there(self, folder: str) -> None:
        """Let a person agree to commits of others that the checkout was brought to by other means than rigger's."""
        url = self.saved["REPOSITORY"]
        for commit in unknown_commits(self.environment, url):
            self.agree(url, commit, folder)

    def _clone(self, wanted: SourceSpec, url: str) -> Checkout:
        """Clone what is wanted among the drafts; a clone of last time is used again."""
        version, ref = (wanted.name, "") if wanted.source == RELEASE else ("", wanted.name)
        target = git_remote.resolve(url, version, ref, cache=self.environment.cache_dir)
        mark = sha256(f"{url}\n{target.commit}\n{wanted.name}".encode(*UTF8)).hexdigest()[:16]
        folder = os.path.join(self.draft, mark)
        if not os.path.isdir(folder):
            Home(self.environment.home).make()
            os.makedirs(self.draft, mode=0o700, exist_ok=True)
            self.say(f"Cloning {target.name} of {url}")
            git_clone.clone(url, folder, target, self.progress)
        bring_agreed(self.environment.home, url, target.commit, folder)
        self.agree(url, target.commit, folder)
        version = target.name if wanted.source == RELEASE else source_checkout.describe(folder)
        return Checkout(folder, version, url, target)

    def stored(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return REPOSITORY, REF, CHECKOUT and VERSION as they are stored; empty ones are not."""
        wanted, checkout = SourceSpec.of(values), self.checkout(values)
        if wanted is None or checkout is None:
            return {}
        return {
            "REPOSITORY": check_url(wanted.url) if wanted.url else "",
            "REF": wanted.name if wanted.source == REF else "",
            "CHECKOUT": wanted.name if wanted.source == FOLDER else "",
            "VERSION": checkout.version,
        }

    def discard(self) -> None:
        """Remove what was cloned for the conversation."""
        remove(self.draft)


def bring_agreed(home: str, url: str, commit: str, folder: str) -> None:
    """Have a clone hold the commit that was agreed to last, so that it can be said what changed since."""
    agreed = list(agreed_commits(home, url))
    if agreed and commit not in agreed:
        with suppress(NotReady):
            fetch_to_compare(folder, url, agreed[-1])


def draft_folder(home: str, name: str) -> str:
    """Return where a clone lies until its environment is written."""
    return os.path.join(home, "drafts", f"{name}.checkout")
