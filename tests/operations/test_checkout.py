"""The checkout of a platform's repository, brought to a version from Python."""

import os

import pytest
from helpers.repositories import Upstream, git
from helpers.without_terminal import Listener, Person

from rigger.environments.home import Home
from rigger.errors import BadUsage, InvalidConfig
from rigger.operations.checkout import checkout
from rigger.operations.consent import Consent

MANIFEST = "interface: 2\nname: grove\nrole: platform\n"
TRUST = Consent(trust=True)


@pytest.fixture
def upstream(tmp_path):
    upstream = Upstream(tmp_path / "upstream")
    scripts = {verb: "#!/bin/sh\n" for verb in ("install", "deploy", "check", "undeploy")}
    for version in ("2.0.0", "2.1.0"):
        upstream.commit(version, **{"rigger.yml": MANIFEST, **scripts, "news": version})
        git(upstream.folder, "tag", f"v{version}")
    return upstream


@pytest.fixture
def grove(rigger, upstream):
    vars = {
        "PLATFORM": "grove",
        "PROVIDER": "noop",
        "REPOSITORY": upstream.url,
        "VERSION": "v2.0.0",
        "GROVE_ID": "0123456789",
        "GROVE_VERSION": "v2.0.0",
    }
    return Home(rigger.home).create("grove", vars, {})


def commit(upstream, name) -> str:
    return git(upstream.folder, "rev-parse", f"{name}^{{commit}}")


def test_what_is_missing_is_cloned(grove, upstream):
    heard = Listener()
    done = checkout(grove, reporter=heard, consent=TRUST)
    report = done.as_dict()
    assert (report["done"], report["configured_version"], report["before"]) == ("clone", "v2.0.0", "")
    assert report["commit"] == commit(upstream, "v2.0.0") and report["folder"] == grove.file("checkout")
    assert heard.lines[0].startswith(f"Cloning {upstream.url} at v2.0.0")
    assert grove.vars()["GROVE_ROOT"] == grove.file("checkout")
    assert checkout(grove).done == "current"
    assert len([r for r in grove.audit.records() if r["event"] == "checked-out"]) == 1


def test_nothing_appears_that_nobody_agreed_to(grove):
    with pytest.raises(BadUsage, match="rigger has to ask if the scripts"):
        checkout(grove)
    assert not os.path.exists(grove.file("checkout"))


def test_what_differs_is_asked_about(grove, upstream):
    checkout(grove, consent=TRUST)
    grove.save_values({**grove.values(), "VERSION": "v2.1.0"})
    with pytest.raises(BadUsage, match="There is no terminal to ask on"):
        checkout(grove, consent=TRUST)
    heard, person = Listener(), Person("update")
    done = checkout(grove, reporter=heard, consent=person.consent(trust=True))
    assert person.asked == ["What should become of it?"] and "not at v2.1.0" in heard.lines[0]
    assert done.done == "update" and done.after.commit == commit(upstream, "v2.1.0")
    assert done.configured == grove.vars()["GROVE_VERSION"] == "v2.1.0"


def test_what_is_left_stays_as_it_is(grove, upstream):
    checkout(grove, consent=TRUST)
    grove.save_values({**grove.values(), "VERSION": "v2.1.0"})
    done = checkout(grove, "leave")
    assert done.done == "leave" and done.after.commit == commit(upstream, "v2.0.0") and not done.after.same


def test_a_folder_of_ones_own(grove, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    grove.save_values({**grove.values(), "CHECKOUT": str(own)})
    done = checkout(grove)
    assert done.source.own and done.done == "leave" and done.version == done.configured
    with pytest.raises(BadUsage, match="is your own folder"):
        checkout(grove, "update")


def test_a_platform_that_comes_from_no_repository(wood):
    with pytest.raises(InvalidConfig, match="comes from no repository"):
        checkout(wood)
