"""Agreement to scripts of somebody else: of a bundle, or of a repository at a commit."""

import pytest
from helpers.repositories import Upstream, git
from helpers.without_terminal import Listener, Person

from rigger.environments.home import Home
from rigger.errors import BadUsage, Declined
from rigger.git import clone as git_clone
from rigger.git import remote as git_remote
from rigger.operations.agreement import agree_to_bundle, agree_to_repository
from rigger.operations.consent import Consent
from rigger.trust import ledger

URL = "https://example.invalid/tree.git"
ONE, TWO = "1" * 40, "2" * 40
HASHES = [("a" * 64, "scripts/platform/tree/deploy")]
MAY_THEY = "May they run on this machine, as you?"


class Said(Listener):
    """A listener that hears tables too."""

    def table(self, rows, headers=(), indent="  ", rest=""):
        self.lines += [" ".join(row) for row in rows]


@pytest.fixture
def home(private_home):
    return Home().path


@pytest.fixture
def cloned(tmp_path):
    """A clone of release 2.0.0, its repository, and the commit."""
    upstream = Upstream(tmp_path / "upstream")
    upstream.commit("a platform", **{"rigger.yml": "interface: 2\nname: tree\nrole: platform\n"})
    git(upstream.folder, "tag", "2.0.0")
    target = git_remote.resolve(upstream.url, version="2.0.0")
    folder = str(tmp_path / "clone")
    git_clone.clone(upstream.url, folder, target)
    return upstream, folder, target.commit


# Of a repository


def test_without_a_terminal_it_takes_trust(home):
    with pytest.raises(
        BadUsage, match="rigger has to ask if the scripts of .* at 111111111111 may"
    ) as problem:
        agree_to_repository(Consent(), Said(), home, URL, ONE, "/nowhere")
    assert "--trust" in problem.value.next_step and ledger.agreed_commits(home, URL) == {}
    heard = Said()
    agree_to_repository(Consent(trust=True), heard, home, URL, ONE, "/nowhere")
    assert URL in heard.warnings[0] and ONE in heard.warnings[0]
    assert list(ledger.agreed_commits(home, URL)) == [ONE]


def test_once_is_enough_for_that_commit_of_that_repository(home):
    agree_to_repository(Consent(trust=True), Said(), home, URL, ONE, "/nowhere")
    heard = Said()
    agree_to_repository(Consent(), heard, home, URL, ONE, "/nowhere")
    assert heard.lines == heard.warnings == [], "once is enough"
    other = "https://example.invalid/other.git"
    with pytest.raises(BadUsage):
        agree_to_repository(Consent(), heard, home, other, ONE, "/nowhere")


def test_a_no_agrees_to_nothing_and_a_yes_is_kept(home):
    person = Person(False, True)
    with pytest.raises(Declined, match="Nothing was changed"):
        agree_to_repository(person.consent(), Said(), home, URL, TWO, "/nowhere")
    assert ledger.agreed_commits(home, URL) == {}
    agree_to_repository(person.consent(), Said(), home, URL, TWO, "/nowhere")
    assert list(ledger.agreed_commits(home, URL)) == [TWO] and person.asked == [MAY_THEY, MAY_THEY]


def test_a_changed_commit_says_what_changed(home, cloned):
    upstream, folder, commit = cloned
    ledger.agree_repository(home, upstream.url, commit)
    new = upstream.commit("trap", **{"contrib/soil/create": "#!/bin/sh\nrm\n"})
    git_clone.update(folder, upstream.url, git_remote.resolve(upstream.url, ref="main"))
    heard = Said()
    with pytest.raises(BadUsage):
        agree_to_repository(Consent(), heard, home, upstream.url, new, folder)
    assert new in heard.warnings[0]
    since, *changes = heard.lines
    assert since.startswith(f"  Since {commit[:12]}, which was agreed to on 2")
    assert changes == ["    changed contrib/soil/create"]


def test_a_commit_that_changes_no_script_says_so(home, cloned):
    upstream, folder, commit = cloned
    ledger.agree_repository(home, upstream.url, commit)
    new = upstream.commit("words", **{"README": "words\n"})
    git_clone.update(folder, upstream.url, git_remote.resolve(upstream.url, ref="main"))
    heard = Said()
    agree_to_repository(Consent(trust=True), heard, home, upstream.url, new, folder)
    assert heard.lines[1:] == ["    No script changed."]


# Of a bundle


def test_scripts_of_a_bundle_are_shown_before_anybody_agrees():
    heard = Said()
    with pytest.raises(BadUsage, match=r"^rigger has to ask if they may run, and there is no terminal\.$"):
        agree_to_bundle(Consent(yes=True), heard, ["soil", "tree"], HASHES)
    unknown = "This machine does not know soil and tree; these scripts came in the bundle:"
    assert heard.warnings == [unknown] and heard.lines == [" ".join(HASHES[0])]


def test_programs_of_modules_that_are_known_are_agreed_to_as_well():
    heard, person = Said(), Person(True, False)
    agree_to_bundle(person.consent(), heard, [], HASHES)
    assert heard.warnings == ["These scripts came in the bundle:"]
    with pytest.raises(Declined):
        agree_to_bundle(person.consent(), heard, [], HASHES)
    assert person.asked == [MAY_THEY, MAY_THEY]
