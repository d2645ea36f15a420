"""Where a platform in a git repository comes from: a release, a branch, tag or commit, or a folder of the user's own."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rigger import modules, versions
from rigger.environment import Environment
from rigger.errors import BadUsage, NotReady, Refused
from rigger.gitinput import check_url
from rigger.modules import Module
from rigger.questions import Choice, Question, Sources

if TYPE_CHECKING:
    from rigger.checkout import Target

SOURCE = "PLATFORM_SOURCE"  # which of the three; asked, but not stored: it follows from the others
RELEASE, REF, FOLDER = "release", "ref", "folder"
DECIDE = (SOURCE, "REPOSITORY", "VERSION", "REF", "CHECKOUT")  # the values that say what is checked out
SAYS = {"CHECKOUT": FOLDER, "REF": REF, "VERSION": RELEASE}  # the first of these that has a value
KNOWN_INTERFACES = (1, 2)
ANOTHER_FOLDER = 'Name another: "rigger configure --path FOLDER".'
UNVERSIONED = "unversioned"  # the version of a folder that git knows nothing of
ON_TOP = r"-[0-9]+-g[0-9a-f]{4,64}(-dirty)?$"  # what git describe puts behind a tag
UTF8 = ("utf-8", "surrogateescape")
UNSURE = (
    r"(?i)[0-9][._-]?(alpha|beta|dev|pre|a|b)[._-]?[0-9]*(?:$|[.+-])"  # a suffix of what is not released yet
)


@dataclass(frozen=True)
class Wanted:
    """What of which repository; two that are equal need the same checkout."""

    source: str
    url: str  # empty for a folder
    name: str  # a release without its v; a branch, tag or commit; a folder

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Wanted | None:
        """Return what the values ask for, None as long as they do not say enough."""
        source = values.get(SOURCE) or stored_source(values)
        if source == FOLDER:
            return cls(FOLDER, "", values["CHECKOUT"]) if values.get("CHECKOUT") else None
        name = values.get("REF" if source == REF else "VERSION", "")
        if not source or not name or not values.get("REPOSITORY"):
            return None
        return cls(source, values["REPOSITORY"], name.removeprefix("v") if source == RELEASE else name)


def stored_source(values: Mapping[str, str]) -> str:
    """Return which of the three sources stored values mean, nothing where they mean none."""
    return next((source for name, source in SAYS.items() if values.get(name)), "")


def is_used(values: Mapping[str, str]) -> bool:
    """Return whether an environment's platform comes from a repository, or a folder of the user's own."""
    return bool(values.get("REPOSITORY") or values.get("CHECKOUT"))


def is_cloned(environment: Environment, values: Mapping[str, str]) -> bool:
    """Return whether the platform lies in a clone that rigger made for the environment."""
    return (
        bool(values.get("REPOSITORY"))
        and not values.get("CHECKOUT")
        and os.path.isdir(place(environment, {}))
    )


def place(environment: Environment, values: Mapping[str, str]) -> str:
    """Return the folder in which an environment's checkout lies, or would lie."""
    return values.get("CHECKOUT") or environment.file("checkout")


def path_question(name: str) -> Question:
    return Question(
        name="CHECKOUT",
        ask=f"In which folder does {name} lie?",
        help="Whatever is there is what runs; nothing is cloned.",
        type="path",
        changes="none",
        flag="--path",
        pinned=True,
        origin="rigger",
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
    )


def newest_release(releases: list[str]) -> str:
    """Return the newest of what counts as released: release candidates do, betas do not."""
    released = [release for release in releases if not is_unsure(release)]
    return next(iter(released or releases), "")


def is_unsure(release: str) -> bool:
    return re.search(UNSURE, release) is not None


def about(release: str, newest: str) -> str:
    """Return what is to be said of a release among others."""
    words = ["the newest"] if release == newest else []
    if is_unsure(release):
        words.append("before its release")
    elif re.search(r"(?i)rc", release):
        words.append("a release candidate")
    return ", ".join(words)


def require_interface(platform: Module, version: str) -> None:
    """Raise Refused for a version of a platform that speaks no interface which this rigger knows."""
    base = re.sub(ON_TOP, "", version)
    if not platform.interfaces or not versions.key(base)[0]:  # a commit without a tag says nothing
        return
    spoken = [n for n, since in platform.interfaces.items() if not _before(base, since)]
    if spoken and max(spoken) in KNOWN_INTERFACES:
        return
    if spoken:
        knows = f"; rigger {platform.rigger} knows it" if platform.rigger else ""
        raise Refused(
            f"{platform.name} {version} speaks interface {max(spoken)}, which this rigger does not know{knows}.",
            "Install that rigger, or choose an older version.",
        )
    known = [n for n in sorted(platform.interfaces) if n in KNOWN_INTERFACES]
    speak = "; ".join(f"{platform.interfaces[n]} and later speak interface {n}" for n in known)
    raise Refused(
        f"{platform.name} {version} speaks no interface that this rigger knows{'; ' if speak else ''}{speak}.",
        "Choose another version.",
    )


def _before(version: str, other: str) -> bool:
    """Return whether a version is older; the candidates of a release speak what it speaks."""
    return versions.key(version)[0] < versions.key(other)[0]


@dataclass(frozen=True)
class Obtained:
    """A folder that has what is wanted, its version, and how it was come by if it was cloned just now."""

    folder: str
    version: str
    url: str = ""
    target: Target | None = None

    @property
    def is_new(self) -> bool:
        return self.target is not None


class Kept:
    """The checkout that an environment has, as every command but configure uses it: nothing is fetched."""

    def __init__(self, environment: Environment, saved: Mapping[str, str], folder: str = ""):
        self.environment = environment
        self.saved = saved
        self.place = folder or place(environment, saved)
        self.comes_first = is_used(saved)
        self.platform = saved.get("PLATFORM", "")
        self.repository = saved.get("REPOSITORY", "")
        self.asks = False

    def folder(self, values: Mapping[str, str]) -> str | None:
        """Return the folder of the checkout, None where there is none."""
        if not self.comes_first:
            return None
        return self.place if os.path.isdir(self.place) else None

    def questions(self, values: Mapping[str, str], platform: Module | None = None) -> list[Question]:
        """Return the questions whose answers are stored; what is not given has no value."""
        name = values.get("PLATFORM") or "the platform"
        found = [
            replace(question, optional=True, default=None, advanced=True)
            for question in (repository_question(platform), ref_question(name), path_question(name))
        ]
        return [*found, version_question(name, [])]

    def settled(self, values: Mapping[str, str]) -> bool:
        """Return whether all that can be known of the checkout is known."""
        return True

    def version(self, values: Mapping[str, str]) -> str:
        return values.get("VERSION", "")

    def url(self, values: Mapping[str, str]) -> str:
        return values.get("REPOSITORY", "")

    def describe(self, question: Question) -> Question:
        return question


class Choosing:
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
        self.comes_first = bool(given(sources, "REPOSITORY") or self.beforehand == FOLDER)
        self.knows_version = bool(given(sources, "VERSION"))
        self.platform = given(sources, "PLATFORM")
        self.repository = "" if self.beforehand == FOLDER else given(sources, "REPOSITORY")
        self.draft = draft_folder(environment.home, environment.name)
        self._releases: dict[str, list[str]] = {}
        self._asked_of: tuple[str, Module | None] | None = None
        self._obtained: dict[Wanted, Obtained] = {}

    def settled(self, values: Mapping[str, str]) -> bool:
        """Return whether it was said what is wanted of the repository."""
        return Wanted.of(values) is not None

    def questions(self, values: Mapping[str, str], platform: Module | None = None) -> list[Question]:
        """Return the questions about where the platform comes from, for the values known."""
        name = platform.name if platform else "the platform"
        source = values.get(SOURCE)
        found = [source_question(name, self.beforehand or RELEASE)]
        if source == FOLDER:
            return [*found, path_question(name)]
        if source:
            found.append(repository_question(platform))
        if source == REF:
            found.append(ref_question(name))
        if source == RELEASE and values.get("REPOSITORY"):
            self._asked_of = (values["REPOSITORY"], platform)
            releases = [] if self.knows_version else self._offered(values["REPOSITORY"], platform)
            found.append(version_question(name, releases))
        return found

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
            self._releases[url] = self._list(url)
        return [release for release in self._releases[url] if not platform or speaks(platform, release)]

    def _list(self, url: str) -> list[str]:
        from rigger import checkout

        found = [*checkout.releases(check_url(url))]
        if not found:
            kind = NotReady if self.asks else BadUsage
            raise kind(f"{url} has no tags that are versions.", "Choose a branch with --ref BRANCH.")
        return found

    def folder(self, values: Mapping[str, str]) -> str | None:
        """Return the folder that has what is wanted, cloned if need be, None as long as that is not known."""
        found = self.found(values)
        return found.folder if found else None

    def found(self, values: Mapping[str, str]) -> Obtained | None:
        """Return what the values ask for, None as long as they do not say enough."""
        wanted = Wanted.of(values)
        if wanted is None:
            return None
        if wanted not in self._obtained:
            self._obtained[wanted] = self._obtain(wanted)
        return self._obtained[wanted]

    def version(self, values: Mapping[str, str]) -> str:
        """Return the version of what is wanted: a release as its tag is written, else what git describe says."""
        found = self.found(values)
        return found.version if found else ""

    def url(self, values: Mapping[str, str]) -> str:
        """Return the repository that the platform comes from; of a folder, the one that it was cloned from."""
        from rigger import checkout

        if (values.get(SOURCE) or stored_source(values)) != FOLDER:
            return values.get("REPOSITORY", "")
        top = checkout.around(values.get("CHECKOUT", ""))
        return checkout.origin(top) if top else ""

    def _obtain(self, wanted: Wanted) -> Obtained:
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
            return Obtained(wanted.name, describe(wanted.name))
        here = self.environment.file("checkout")
        if wanted == Wanted.of(self.saved) and os.path.isdir(here):
            self._agree_to_what_is_there(here)
            return Obtained(here, self.saved.get("VERSION", ""))  # nothing else was asked for: it stays
        return self._clone(wanted, check_url(wanted.url))

    def _agree_to_what_is_there(self, here: str) -> None:
        """Let a person agree to commits of others that the checkout was brought to by other means than rigger's."""
        from rigger import trust

        url = self.saved["REPOSITORY"]
        for commit in trust.unknown_commits(self.environment, url):
            self.agree(url, commit, here)

    def _clone(self, wanted: Wanted, url: str) -> Obtained:
        """Clone what is wanted among the drafts; a clone of last time is used again."""
        from rigger import checkout
        from rigger.home import Home

        key = {"version": wanted.name} if wanted.source == RELEASE else {"ref": wanted.name}
        target = checkout.resolve(url, **key)
        mark = hashlib.sha256(f"{url}\n{target.commit}\n{wanted.name}".encode(*UTF8)).hexdigest()[:16]
        folder = os.path.join(self.draft, mark)
        if not os.path.isdir(folder):
            Home(self.environment.home).make()
            os.makedirs(self.draft, mode=0o700, exist_ok=True)
            self.say(f"Cloning {target.name} of {url}")
            checkout.clone(url, folder, target, self.progress)
        bring_agreed(self.environment.home, url, target.commit, folder)
        self.agree(url, target.commit, folder)
        version = target.name if wanted.source == RELEASE else describe(folder)
        return Obtained(folder, version, url, target)

    def stored(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return REPOSITORY, REF, CHECKOUT and VERSION as they are stored; empty ones are not."""
        wanted, found = Wanted.of(values), self.found(values)
        if wanted is None or found is None:
            return {}
        return {
            "REPOSITORY": check_url(wanted.url) if wanted.url else "",
            "REF": wanted.name if wanted.source == REF else "",
            "CHECKOUT": wanted.name if wanted.source == FOLDER else "",
            "VERSION": found.version,
        }

    def discard(self) -> None:
        """Remove what was cloned for the conversation."""
        from rigger.home import remove_tree

        remove_tree(self.draft)


def bring_agreed(home: str, url: str, commit: str, folder: str) -> None:
    """Have a clone hold the commit that was agreed to last, so that it can be said what changed since."""
    from rigger import checkout, trust

    known = list(trust.agreed_commits(home, url))
    if known and commit not in known:
        with suppress(NotReady):
            checkout.fetch_to_compare(folder, url, known[-1])


def speaks(platform: Module, release: str) -> bool:
    try:
        require_interface(platform, release)
    except Refused:
        return False
    return True


def describe(folder: str) -> str:
    """Return the version of a folder, or of the repository around it: what git describe says, else UNVERSIONED."""
    from rigger import checkout

    top = checkout.around(folder)
    return checkout.describe(top) if top and checkout.commit(top) else UNVERSIONED


def standing(folder: str, version: str) -> str:
    """Return what to say of a folder of the user's own and its version."""
    if version == UNVERSIONED:
        return f"{folder} has no version: it lies in no git repository that has a commit"
    return f"{folder} is at {version}"


def is_bare(folder: str) -> bool:
    """Return whether a folder looks like a git repository without files."""
    return all(os.path.exists(os.path.join(folder, name)) for name in ("HEAD", "objects", "refs"))


def same_repository(one: str, other: str) -> bool:
    """Return whether two URLs lead to one repository: https or ssh, with or without .git."""

    def place(url: str) -> str:
        web = re.fullmatch(r"(?:https://|ssh://(?:[^@/]+@)?|[^@/:]+@)([^/:]+)[:/](.+)", url)
        path = f"{web[1].lower()}/{web[2].lstrip('/')}" if web else url
        return path.rstrip("/").removesuffix(".git")

    return place(one) == place(other)


def is_its_own(environment: Environment, saved: Mapping[str, str], place: str) -> bool:
    """Return whether a repository or a folder can be where an environment's platform comes from.

    It is the configured one, a clone of it, or a folder with the same platform; where the configured folder is no more,
    any can be what it has become.
    """
    own = saved.get("REPOSITORY") or saved.get("CHECKOUT", "")
    if own.startswith("/") and not os.path.isdir(own):
        return True
    folder, name = place.removeprefix("file://"), os.path.basename(saved.get("PLATFORM", ""))
    if os.path.isdir(folder) and any(
        found.name == name for found in modules.in_checkout("platform", environment.home, folder)
    ):
        return True
    return any(same_repository(one, other) for one in _places(own) for other in _places(place))


def _places(place: str) -> list[str]:
    """Return a repository or a folder, and where it was cloned from."""
    folder = place.removeprefix("file://")
    if not os.path.isdir(folder):
        return [place] if place else []
    from rigger import checkout

    top = checkout.around(folder)
    return [os.path.realpath(folder), *([url] if top and (url := checkout.origin(top)) else [])]


def other_place(environment: Environment, saved: Mapping[str, str], place: str) -> BadUsage:
    """Return the error for another place than the one that the platform of an unnamed environment comes from."""
    own = saved.get("REPOSITORY") or saved.get("CHECKOUT", "")
    here = f"its platform from {own}" if own else f"the platform {saved.get('PLATFORM', 'of another place')}"
    change = f", or add --name {environment.name} to change this one" if own else ""
    return BadUsage(
        f"{environment.name}, which this would change, has {here}, not from {place}.",
        f'Make another with "rigger configure --name NAME"{change}.',
    )


def given(sources: Sources, name: str) -> str:
    """Return the value that a question of that name would be given, nothing where it would be asked."""
    found = sources.find(Question(name, ""))
    return found.value if found else ""


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


def draft_folder(home: str, name: str) -> str:
    """Return where a clone lies until its environment is written."""
    return os.path.join(home, "drafts", f"{name}.checkout")


def settle(saved: Mapping[str, str], given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return changes of single values with what follows for the others that say what is checked out, and which go.

    A release, branch, tag or commit has to be one that the repository has; raises BadUsage, Refused or NotReady.
    """
    named = [name for name in SAYS if given.get(name)]
    after = {**saved, **given}
    if not is_used(after) or not (named or given.get("REPOSITORY")):
        return {**given}, []
    if len(named) > 1 and given.get("VERSION") != saved.get("VERSION"):
        raise BadUsage(f"{' and '.join(named)} exclude each other.", "Give one of them.")
    changes, source = {**given}, named[0] if named else ""
    if source == "CHECKOUT":
        folder = os.path.abspath(os.path.expanduser(given["CHECKOUT"]))
        if not os.path.isdir(folder):
            raise BadUsage(f"There is no folder {folder}.", "Give the folder of a platform's repository.")
        return {**changes, "VERSION": describe(folder)}, [n for n in ("REPOSITORY", "REF") if n in saved]
    from rigger import checkout

    if not after.get("REPOSITORY"):
        raise BadUsage(
            "It is not known from which repository.", 'Type "rigger configure --name NAME --repository URL".'
        )
    url = changes["REPOSITORY"] = check_url(after["REPOSITORY"])
    if source == "VERSION":
        changes["VERSION"] = checkout.resolve(url, version=given["VERSION"]).name
    elif source or after.get("REF"):
        checkout.resolve(url, ref=after["REF"])
    gone = {"VERSION": ("REF", "CHECKOUT"), "REF": ("CHECKOUT",)}.get(source, ())
    return changes, [name for name in gone if name in saved]


# What is there, against what is configured


def last_record(environment: Environment) -> Mapping | None:
    """Return the record of the last time that the environment's own checkout was brought to something."""
    folder = environment.file("checkout")
    records = [record for record in environment.audit.records() if record["event"] == "checked-out"]
    own = [record for record in records if os.path.basename(record["folder"]) == os.path.basename(folder)]
    return own[-1] if own else None


def record(environment: Environment, found: Obtained, ref: str, before: str = "") -> None:
    """Note in the audit log what the environment's checkout was brought to."""
    environment.audit.append(
        "checked-out",
        folder=environment.file("checkout"),
        version=found.version,
        before=before,
        commit=found.target.commit,
        ref=ref,
        tag=found.target.ref,
    )


def restore(
    environment: Environment,
    say: Callable[[str], None],
    progress: Callable[[str], None],
    agree: Callable[[str, str, str], None] | None = None,
) -> None:
    """Clone an environment's repository again where it is missing, at the commit that it had.

    `agree(url, commit, folder)` raises where nobody agrees to its scripts; without it they have to be agreed to already.
    """
    values = environment.vars()
    folder = environment.file("checkout")
    if not values.get("REPOSITORY") or values.get("CHECKOUT") or os.path.isdir(folder):
        return
    from rigger import checkout, trust

    url, last = check_url(values["REPOSITORY"]), last_record(environment)
    ref = values.get("REF", "")
    target = checkout.resolve(url, "" if ref else values.get("VERSION", ""), ref)
    if last and same_release(last["version"], values.get("VERSION", "")) and last["commit"] != target.commit:
        target = checkout.resolve(url, ref=last["commit"])  # a branch has moved on since, or a tag was moved
    if agree is None and target.commit not in trust.agreed_commits(environment.home, url):
        raise BadUsage(
            f"Nobody has agreed yet to run the scripts of {url} at {target.commit[:12]}.",
            'Type "rigger checkout".',
        )
    say(f"{folder} is missing; cloning {url} at {target.name}")
    checkout.clone(url, folder, target, progress, agree=lambda new: agree and agree(url, target.commit, new))
    record(environment, Obtained(folder, values.get("VERSION", ""), url, target), ref)


def judge(environment: Environment, values: Mapping[str, str]) -> str:
    """Return what to say of the checkout beside the configured version, nothing where it is that very version.

    Raises NotReady where it is something else, and not because of somebody's own work in it.
    """
    if values.get("CHECKOUT"):
        if not os.path.isdir(values["CHECKOUT"]):
            raise NotReady(f"There is no folder {values['CHECKOUT']}.", ANOTHER_FOLDER)
        return standing(values["CHECKOUT"], describe(values["CHECKOUT"]))
    folder, last = environment.file("checkout"), last_record(environment)
    if not values.get("REPOSITORY") or last is None or not os.path.isdir(folder):
        return ""
    from rigger import checkout

    found = checkout.state(folder, last["commit"])
    described = checkout.describe(folder)
    another = not (found.changed or found.branch) and re.search(
        "-0-g[0-9a-f]+$", described
    )  # a tag, nothing on top
    if found.local and not another:
        return f"{folder} is at {described}, with work of your own"
    version = values.get("VERSION", "")
    named = same_release(last["version"], version) and last.get("ref", "") == values.get("REF", "")
    if found.same and named:
        return ""
    wanted = values.get("REF") or version
    raise NotReady(
        f"{folder} is at {described}, but {wanted} is configured.",
        'Type "rigger checkout" to bring it there.',
    )


def same_release(one: str, other: str) -> bool:
    return one.removeprefix("v") == other.removeprefix("v")
