"""URLs and refs: hostile ones and those that people use."""

import os
import subprocess

import pytest
from helpers.hostile_urls import hostile_refs, hostile_urls
from helpers.repositories import Canary

from rigger.errors import NotReady, Refused
from rigger.git import clone as git_clone
from rigger.git import remote as git_remote
from rigger.git import urls as git_urls
from rigger.git.remote import Target


def test_two_hundred_hostile_urls_and_refs(upstream, tmp_path, monkeypatch):
    canary = Canary(str(tmp_path))
    monkeypatch.chdir(upstream.folder)
    urls, refs = [*hostile_urls(canary.program)], [*hostile_refs(canary.program)]
    assert len({*urls, *refs}) >= 200
    through = 0
    for url in urls:
        try:
            git_urls.check_url(url)
        except Refused as problem:
            assert problem.exit_code == 9 and "\n" not in problem.message and problem.message.isprintable()
        else:
            assert os.path.isabs(url), (
                f"{url!r} went through"
            )  # the program's own path with something behind it
            through += 1
            with pytest.raises(NotReady):
                git_remote.releases(url)
    assert through <= 1
    for url in urls[::9]:
        with pytest.raises((Refused, NotReady)):
            git_clone.clone(url, str(tmp_path / "clone"), Target(upstream.commits["main"], "main", "branch"))
    for ref in refs:
        with pytest.raises(Refused) as problem:
            git_urls.check_ref(ref)
        assert problem.value.message.isprintable()
    for ref in refs[::9]:
        for asked in ({"ref": ref}, {"version": ref}):
            if ref:
                with pytest.raises(Refused):
                    git_remote.resolve(upstream.url, **asked)
    assert canary.ran() == "" and not os.path.exists(tmp_path / "clone")


@pytest.mark.parametrize("ref", [*hostile_refs("x")])
def test_the_rules_for_refs_are_gits_own(ref, tmp_path):
    """Whatever git refuses is refused here; the hyphen and the length are refused beyond that."""
    if "\0" in ref or ref.startswith("-") or "/-" in ref or len(ref) > 255 or not ref.isprintable():
        return
    done = subprocess.run(["git", "check-ref-format", "--allow-onelevel", ref], cwd=tmp_path)
    assert done.returncode or ref.startswith((";", "|", "$("))


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/deis/deis.git",
        "https://host.example:8443/a/b.git",
        "ssh://git@host.example/x.git",
        "ssh://host.example:2222/~me/x.git",
        "ssh://git@[2001:db8::1]:22/x.git",
        "git@github.com:deis/deis.git",
        "host:x.git",
        "file:///srv/x.git",
        "http://127.0.0.1:8080/x.git",
        "http://localhost/x",
        "http://[::1]:80/x",
        "/srv/with blank/x.git",
    ],
)
def test_what_people_use_is_accepted(url):
    assert git_urls.check_url(url) == url


def test_folders_become_absolute(tmp_path, monkeypatch, private_home):
    monkeypatch.chdir(tmp_path)
    assert git_urls.check_url("./x") == str(tmp_path / "x") and git_urls.check_url("..") == str(
        tmp_path.parent
    )
    assert git_urls.check_url("~/x") == str(private_home / "x") and git_urls.check_url(".") == str(tmp_path)


@pytest.mark.parametrize(
    "ref", ["main", "feature/x-y", "v1.2.3", "refs/heads/main", "a" * 40, "zweig-ä", "HEAD"]
)
def test_refs_that_people_use_are_accepted(ref):
    assert git_urls.check_ref(ref) == ref
