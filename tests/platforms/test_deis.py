"""Deis's whole life cycle with rigger, as people type it: a miniature repository, a mirror, stand-ins for the rest."""

import os
import subprocess

import pytest
from helpers.deis_repository import BRANCH, Talk, World, git
from helpers.same_answers import same_answers

from rigger.modules import manifest, search
from rigger.modules.search import folders

UP, DOWN, ENTER, CTRL_C = "\x1b[A", "\x1b[B", "\r", "\x03"
# The checkout's providers, mini and vagrant, come before those that ship, among which `local` is the default.
TO_VAGRANT = UP * (1 + sorted(folders("provider", os.devnull)).index("local"))
VARS = (
    "DEIS_ID DEIS_ROOT DEIS_VERSION VERSION DEISCTL_UNITS DEISCTL_TUNNEL DEIS_TEST_DOMAIN DEIS_TEST_AUTH_KEY "
    "DEIS_TEST_SSH_KEY DEIS_TEST_ROOT DEIS_VARS_FILE DEIS_PROFILE DEV_REGISTRY IMAGE_PREFIX GOPATH ORIGINAL_PATH PATH"
).split()


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """The repository, the mirror and the stand-ins, for all tests: none of them changes the repository."""
    world = World(tmp_path_factory.mktemp("outside") / "world")
    yield world
    world.close()


@pytest.fixture
def world(outside, rigger):
    outside.reset()
    rigger.env.pop("SSH_AUTH_SOCK", None)
    rigger.env.update(outside.environ, RIGGER_DEIS_CLIENTS_URL=outside.mirror.url)
    rigger.env["PATH"] = f"{outside.stand_in}/bin:{rigger.env['PATH']}"
    return outside


def configure(rigger, world, *more, provider="mini", code=0):
    return rigger(
        "configure", "--no-input", "--name", "d", "--platform", "deis", "--repository", world.repository,
        "--provider", provider, "--set", f"DEIS_TEST_SSH_KEY={world.key}", "--trust", *more, code=code,
    )  # fmt: skip


def sourced(rigger, command, name="d"):
    """Run a command in a bash that has sourced the vars, and return what it prints."""
    script = f'. "{rigger.path("environments", name, "vars")}" && {command}'
    environ = {
        "HOME": os.path.dirname(rigger.home),
        "PATH": rigger.env["PATH"],
        "STAND_IN": rigger.env["STAND_IN"],
    }
    done = subprocess.run(["bash", "-c", script], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def values(rigger):
    """Return the vars as bash has them after it sourced the file."""
    printed = sourced(rigger, "printf '%s\\n' " + " ".join(f'"{name}=${{{name}?}}"' for name in VARS))
    return dict(line.split("=", 1) for line in printed.splitlines())


def verbs(calls):
    """Return calls without the clients' versions and without what the platform is configured to."""
    return [
        " ".join(w for w in call.split() if w[:1] not in "0123456789")
        for call in calls
        if " config " not in call
    ]


PROVISION = [
    "make discovery-url",
    "vagrant up",
    "deisctl install platform",
    "deisctl start platform",
    "vagrant status",
    "deisctl list",
]
DESTROY = ["deisctl list", "deisctl stop platform", "deisctl uninstall platform", "vagrant destroy -f"]


@pytest.mark.slow
def test_a_life_from_the_wizard_to_the_end(rigger, world, private_home):
    """configure, checkout, provision, test, upgrade both ways, destroy: on a terminal all the while."""
    key = private_home / ".ssh" / "rigger-rsa"
    talk = Talk(rigger, "configure", "--name", "d", "--platform", "deis", "--repository", world.repository)
    talk.goes(
        ("come from?", ENTER),  # a released version
        ("Which version", DOWN * 4 + ENTER),
        ("May they run on this machine", "y"),
        ("Where should the machines come from?", TO_VAGRANT + ENTER),
        ("How many virtual machines?", ENTER),
        ("make a new one", ENTER),
        ("Which domain should applications get?", ENTER),
        ("Is this right?", ENTER),
    )
    assert "1.12.0-rc1" in talk.ends()
    assert key.stat().st_mode & 0o777 == 0o600

    assert "1.11.0" in Talk(rigger, "-e", "d", "checkout").ends()
    said = Talk(rigger, "provision").ends()
    assert "Started an ssh agent for this run." in said
    assert [said.index(f"{n}.  {step}") for n, step in enumerate(STEPS, 1)] == sorted(
        said.index(f"{n}.  {step}") for n, step in enumerate(STEPS, 1)
    )
    with open(f"{world.stand_in}/calls") as file:
        recorded = [line for line in file if line.startswith(("deisctl", "vagrant"))]
    assert all("4096 SHA256:" in line and "(RSA)" in line for line in recorded), "a step had no agent"
    calls = world.calls()
    assert verbs(calls) == PROVISION
    assert f"deisctl 1.11.0 config platform set sshPrivateKey={key}" in calls
    assert "deisctl 1.11.0 config platform set domain=local3.deisapp.com" in calls
    assert "deisctl 1.11.0 config platform set version=v1.11.0" in calls
    assert "SSH_AUTH_SOCK" not in open(rigger.path("environments", "d", "vars")).read()

    folder = rigger.path("environments", "d")
    assert values(rigger) | {"PATH": "", "ORIGINAL_PATH": "", "DEIS_ID": ""} == {
        "DEIS_ID": "",
        "DEIS_ROOT": f"{folder}/checkout",
        "DEIS_VERSION": "1.11.0",
        "VERSION": "1.11.0",
        "DEISCTL_UNITS": f"{folder}/units",
        "DEISCTL_TUNNEL": "127.0.0.1:2222",
        "DEIS_TEST_DOMAIN": "local3.deisapp.com",
        "DEIS_TEST_AUTH_KEY": "rigger-rsa",
        "DEIS_TEST_SSH_KEY": str(key),
        "DEIS_TEST_ROOT": folder,
        "DEIS_VARS_FILE": f"{folder}/vars",
        "DEIS_PROFILE": f"rigger-{values(rigger)['DEIS_ID']}",
        "DEV_REGISTRY": "localhost:5000",
        "IMAGE_PREFIX": "deis/",
        "GOPATH": f"{folder}/go",
        "ORIGINAL_PATH": "",
        "PATH": "",
    }
    assert len(values(rigger)["DEIS_ID"]) == 10 and int(values(rigger)["DEIS_ID"], 16) >= 0
    path = values(rigger)["PATH"]
    assert path.removesuffix(values(rigger)["ORIGINAL_PATH"]) == f"{folder}/bin:{folder}/go/bin:"
    assert sourced(rigger, "deisctl --version; command -v deis").split() == ["1.11.0", f"{folder}/bin/deis"]

    assert "smoke: 1 passed" in Talk(rigger, "test", "smoke").ends()
    assert "full: 1 passed" in Talk(rigger, "test", "full").ends()
    assert "router: 1 passed" in Talk(rigger, "test", "component", "router").ends()
    assert world.calls() == [
        f"make test-smoke with {folder}/bin/deis as {values(rigger)['DEIS_PROFILE']}",
        "deis 1.11.0 register http://deis.local3.deisapp.com",
        "make test-full",
        f"make -C router test in {folder}/go",
    ]

    upgrade(rigger, world, "1.12.0", "graceful")
    assert [call for call in world.calls() if " config " not in call] == [
        "deisctl 1.11.0 upgrade-prep",
        "deisctl 1.12.0 install platform",
        "deisctl 1.12.0 start platform",
        "deisctl 1.12.0 upgrade-takeover",
        "deisctl 1.12.0 list",
    ]
    assert git(f"{folder}/checkout", "rev-parse", "HEAD") == commit_of(world, "1.12.0")
    upgrade(rigger, world, "1.13.0", "inplace")
    assert [call for call in world.calls() if " config " not in call] == [
        "deisctl 1.12.0 stop platform",
        "deisctl 1.12.0 uninstall platform",
        "deisctl 1.13.0 install platform",
        "deisctl 1.13.0 start platform",
        "deisctl 1.13.0 list",
    ]
    found = values(rigger)
    assert found["VERSION"] == found["DEIS_VERSION"] == "1.13.0"
    assert sourced(rigger, "deisctl --version; deis --version").split() == ["1.13.0", "1.13.0"]
    assert sourced(rigger, 'cat "$DEISCTL_UNITS"/*').strip() == "# downloaded for v1.13.0"

    # Nothing is left to do after an upgrade but to look.
    said = Talk(rigger, "provision").ends()
    assert verbs(world.calls()) == ["vagrant status", "deisctl list"]

    talk = Talk(rigger, "destroy").goes(("Type d to destroy it", "d" + ENTER))
    assert "d is destroyed" in talk.ends()
    assert verbs(world.calls()) == DESTROY
    assert not os.path.exists(f"{world.stand_in}/machines")
    assert "DEISCTL_TUNNEL" not in open(f"{folder}/vars").read()


@pytest.mark.slow
@pytest.mark.parametrize(
    "provider, typed",
    [("mini", {}), ("vagrant", {"DEIS_NUM_INSTANCES": "5"}), ("noop", {"DEIS_TEST_DOMAIN": "example.org"})],
)
def test_the_questions_as_data_give_the_same_answers_as_the_prompts(rigger, world, provider, typed):
    """Also those that a config.sh asks, one after another: each answer brings the next."""
    words = ("--platform", "deis", "--repository", world.repository, "--version", "1.11.0", "--trust")
    words += ("--provider", provider, "--advanced", "--set", f"DEIS_TEST_SSH_KEY={world.key}")
    asked = same_answers(rigger, *words, typed=typed)
    assert {"DEIS_TEST_DOMAIN", "IMAGE_PREFIX", *typed} <= {*asked}


STEPS = (
    "vagrant  install",
    "deis     setup-clients",
    "deis     prepare",
    "vagrant  create",
    "deis     install",
    "deis     deploy",
    "vagrant  check",
    "deis     check",
)


def upgrade(rigger, world, version, style):
    """Upgrade on a terminal, agreeing to the scripts of the new version."""
    talk = Talk(rigger, "upgrade", "--version", version, "--upgrade-style", style)
    talk.goes(("May they run on this machine", "y")).sees(f"d runs {version}").ends()


def commit_of(world, tag):
    return git(world.repository.removeprefix("file://"), "rev-parse", tag)


@pytest.mark.slow
def test_the_same_without_a_terminal_and_with_scripts_without_sh(rigger, world):
    configure(rigger, world, "--version", "1.12.0")
    rigger("setup-clients")
    assert sourced(rigger, "deis --version; deisctl --version").split() == ["1.12.0", "1.12.0"]
    world.calls()
    for name in set(VARS) - {"DEISCTL_TUNNEL"}:  # which only the machines' provider can know
        assert sourced(rigger, f"printf %s ${name}"), name
    rigger("provision")
    assert verbs(world.calls()) == [
        "mini install",
        "make discovery-url",
        "mini create",
        "deisctl install platform",
        "deisctl start platform",
        "mini check",
        "deisctl list",
    ]
    assert values(rigger)["DEISCTL_TUNNEL"] == "10.0.0.1"
    rigger("provision")
    assert verbs(world.calls()) == ["mini check", "deisctl list"]
    said = sourced(
        rigger,
        'eval "$(ssh-agent -s)" >/dev/null; ssh-add -q "$DEIS_TEST_SSH_KEY"; deisctl list; ssh-agent -k',
    )
    assert "deis-controller.service" in said
    assert "make test-smoke" in sourced(rigger, 'make -C "$DEIS_ROOT" test-smoke')
    rigger("destroy", "--yes")


@pytest.mark.slow
def test_a_branch_is_built_instead_of_downloaded(rigger, world):
    configure(rigger, world, "--ref", BRANCH)
    world.mirror.asked.clear()
    rigger("provision")
    calls = world.calls()
    assert world.mirror.asked == []
    assert calls[:4] == [
        "mini install",
        "make -C deisctl build",
        "make -C client build",
        "make discovery-url",
    ]
    order = ["mini create", "make -C builder build as deis/builder", "make dev-release to localhost:5000"]
    assert [call for call in calls if call in order] == order
    assert sourced(rigger, 'cat "$DEISCTL_UNITS"/*').strip() == "# of the branch"
    assert sourced(rigger, "deisctl --version").startswith("built-")
    assert rigger("test", "smoke").code == 0
    rigger("destroy", "--yes")


@pytest.mark.slow
def test_a_folder_of_ones_own_is_built_where_it_is(rigger, world, tmp_path):
    place = tmp_path / "go" / "src" / "github.com" / "deis" / "deis"
    subprocess.run(["git", "clone", "-q", world.repository, str(place)], check=True)
    rigger(
        "configure", "--no-input", "--name", "d", "--platform", "deis", "--path", place, "--provider", "mini",
        "--set", f"DEIS_TEST_SSH_KEY={world.key}", "--trust",
    )  # fmt: skip
    found = dict(
        line.split("=", 1)
        for line in sourced(rigger, 'printf "%s\n" "R=$DEIS_ROOT" "G=$GOPATH" "V=$VERSION"').split()
    )
    assert (found["R"], found["G"]) == (str(place), str(tmp_path / "go"))
    assert found["V"].startswith("1.13.0-0-g")
    rigger("provision")
    assert "make -C deisctl build" in world.calls()
    assert not place.is_symlink()
    rigger("destroy", "--yes")


@pytest.mark.parametrize("version", ["1.10.0", "1.9.0"])
def test_a_version_before_interface_1_is_refused(rigger, world, version):
    said = configure(rigger, world, "--version", version, code=None)
    assert said.code in (2, 9)
    if version == "1.10.0":
        assert said.code == 9
        assert (
            "1.10.0 speaks no interface that this rigger knows; 1.11.0 and later speak interface 1"
            in said.err
        )
    assert not os.path.exists(rigger.path("environments", "d"))


def test_graceful_upgrades_stay_within_a_major_version_and_begin_at_1_9():
    deis = manifest.load(os.path.join(search.packaged("platform"), "deis"))
    assert (deis.upgrades["graceful"].within, deis.upgrades["graceful"].since) == ("major", "1.9.0")
    assert (deis.upgrades["inplace"].within, deis.upgrades["inplace"].since) == ("", "")
    assert deis.repository == "https://github.com/deis/deis.git" and deis.git_tags and deis.prefix == "DEIS"


@pytest.mark.slow
def test_a_create_that_failed_keeps_the_discovery_url_and_destroy_forgets_it(rigger, world):
    configure(rigger, world, "--version", "1.12.0", provider="vagrant")
    user_data = rigger.path("environments", "d", "checkout", "contrib", "coreos", "user-data")
    world.fail("vagrant up")
    rigger("provision", code=5)
    world.mend()
    first = open(user_data).read()
    rigger("provision")
    assert open(user_data).read() == first
    assert "make discovery-url" in (calls := world.calls()) and calls.count("make discovery-url") == 1
    rigger("destroy", "--yes")
    rigger("provision")
    assert open(user_data).read() != first
    rigger("destroy", "--yes")


@pytest.mark.slow
def test_an_upgrade_that_failed_goes_on(rigger, world):
    configure(rigger, world, "--version", "1.11.0")
    rigger("provision")
    world.calls()
    world.fail("upgrade-takeover")
    said = rigger("upgrade", "--version", "1.12.0", "--upgrade-style", "graceful", "--trust", code=5)
    assert "--continue" in said.err
    assert values(rigger)["VERSION"] == "1.11.0"
    world.mend()
    world.calls()
    rigger("upgrade", "--continue")
    assert verbs(world.calls()) == ["deisctl upgrade-takeover", "deisctl list"]
    assert values(rigger)["VERSION"] == "1.12.0"
    rigger("destroy", "--yes")


@pytest.mark.slow
def test_a_bundle_stands_up_elsewhere_with_its_own_paths(rigger, world, tmp_path):
    from helpers.second_machine import elsewhere

    configure(rigger, world, "--version", "1.11.0")
    rigger("provision")
    rigger("save", "--with-checkout", "-o", tmp_path / "d.rigger")
    other = elsewhere(rigger, tmp_path)
    other("configure", "--file", tmp_path / "d.rigger", "--no-input", "--trust")
    found, folder = values(other), other.path("environments", "d")
    assert found["DEISCTL_UNITS"] == f"{folder}/units" and found["DEIS_VARS_FILE"] == f"{folder}/vars"
    assert found["GOPATH"] == f"{folder}/go" and found["DEIS_TEST_ROOT"] == folder
    assert found["DEIS_ID"] == values(rigger)["DEIS_ID"]
    world.calls()
    assert "smoke: 1 passed" in other("test", "smoke").out
    assert sourced(other, 'deisctl --version; cat "$DEISCTL_UNITS"/*').split()[0] == "1.11.0"
    other("upgrade", "--version", "1.12.0", "--upgrade-style", "inplace", "--trust")
    other("destroy", "--yes")
