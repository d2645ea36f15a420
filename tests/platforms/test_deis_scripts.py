"""Single scripts of the platform Deis, against a miniature repository, a mirror and stand-ins."""

import os

import pytest
from helpers.deis_repository import DeisSteps, World

from rigger.modules import manifest, scripts, search


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """The repository, the mirror, the stand-ins and an agent, for all tests: none of them changes the repository."""
    world = World(tmp_path_factory.mktemp("outside") / "world")
    world.start_agent()
    yield world
    world.close()


@pytest.fixture
def world(outside):
    return outside.reset()


@pytest.fixture
def steps(world, private_home):
    return DeisSteps(private_home, world)


# Clients


def test_a_releases_clients_and_units_are_downloaded_and_verified(steps, world):
    done = steps.platform("setup-clients")
    assert steps.clients() == "1.12.0 1.12.0 # downloaded for v1.12.0"
    assert "checksum" not in done.out
    assert [p for p in world.mirror.asked if p.endswith(".run")] == [
        "/deis-cli-1.12.0-linux-amd64.run",
        "/deisctl-1.12.0-linux-amd64.run",
    ]
    assert not os.path.exists(os.path.join(steps.home, ".deis"))
    world.mirror.asked.clear()
    steps.platform("setup-clients")
    assert world.mirror.asked == []


def test_a_tag_with_a_v_names_the_same_release(steps, world):
    steps.at("v1.11.1").platform("setup-clients")
    assert steps.clients() == "1.11.1 1.11.1 # downloaded for v1.11.1"


def test_a_client_with_another_checksum_is_refused(steps, world):
    with open(f"{world.mirror.folder}/deisctl-1.12.0-linux-amd64.run", "a") as file:
        file.write("# tampered with\n")
    done = steps.platform("setup-clients", code=1)
    assert "has the SHA-256" in done.out and ".sha256 says" in done.out
    assert not os.path.exists(f"{steps.bin}/deisctl")
    assert not os.path.exists(steps.file("units"))


def test_a_client_of_another_version_is_refused(steps, world):
    for name in ("deisctl", "deis-cli"):
        wrong = f"{world.mirror.folder}/{name}-1.11.0-linux-amd64.run"
        right = f"{world.mirror.folder}/{name}-1.12.0-linux-amd64.run"
        os.replace(wrong, right)
        os.unlink(f"{right}.sha256")
    done = steps.platform("setup-clients", code=1)
    assert "there is no checksum" in done.out and "should be deis 1.12.0, but says: 1.11.0" in done.out


def test_a_client_that_is_not_there_is_named_with_the_way_out(steps, world):
    done = steps.at("1.13.0").platform("setup-clients", code=1, DEIS_CLIENTS_URL=f"{world.mirror.url}/none")
    assert "/none/deis-cli-1.13.0-linux-amd64.run could not be downloaded: set DEIS_CLIENTS_URL" in done.out
    [source] = os.listdir(os.path.join(steps.cache, "deis"))
    assert os.listdir(os.path.join(steps.cache, "deis", source, "1.13.0")) == []


@pytest.mark.slow
def test_clients_of_one_address_are_not_taken_for_those_of_another(steps, world):
    steps.at("1.13.0").platform("setup-clients")
    done = steps.platform("setup-clients", code=1, DEIS_CLIENTS_URL=f"{world.mirror.url}/none")
    assert "could not be downloaded" in done.out


def test_without_the_units_of_the_network_those_of_the_checkout_are_taken(steps, world):
    open(f"{world.stand_in}/offline", "w").close()
    done = steps.platform("setup-clients")
    assert "could not fetch its unit files (no route to the internet)" in done.out
    assert steps.clients() == "1.12.0 1.12.0 # of the checkout of 1.12.0"


def test_what_is_no_release_is_built(steps, world):
    steps.at("origin/next").platform("setup-clients")
    assert world.calls() == ["make -C deisctl build", "make -C client build"]
    assert world.mirror.asked == []
    assert steps.clients().startswith("built-") and steps.clients().endswith("# of the branch")
    assert os.path.realpath(steps.file("go/src/github.com/deis/deis")) == os.path.realpath(steps.root)
    assert os.listdir(steps.file("modules", "platform")) == ["clients"]


def test_clients_that_cannot_be_built_say_so(steps, world):
    steps.at("origin/next")
    with open(f"{steps.root}/client/Makefile", "w") as file:
        file.write("build:\n\ttrue\n")
    done = steps.platform("setup-clients", code=1)
    assert "left no client behind" in done.out


# Before the machines


def discovery(path):
    with open(path) as file:
        return next(line.split()[1] for line in file if "discovery:" in line)


def test_a_cluster_gets_its_discovery_url_once_and_keeps_it_while_it_lives(steps):
    user_data = f"{steps.root}/contrib/coreos/user-data"
    saved = steps.platform("prepare").saved
    first = discovery(user_data)
    assert first.startswith("http://discovery.invalid/")
    assert saved["PATH"].startswith(steps.file("go", "bin") + ":")
    steps.platform("prepare")
    assert discovery(user_data) == first
    os.unlink(user_data)  # as another checkout does
    steps.platform("prepare")
    assert discovery(user_data) == first
    steps.platform("undeploy")
    steps.platform("prepare")
    assert discovery(user_data) != first


def test_without_a_discovery_url_it_fails(steps):
    with open(f"{steps.root}/Makefile", "w") as file:
        file.write("discovery-url:\n\techo nothing >contrib/coreos/user-data\n")
    assert "left no discovery URL" in steps.platform("prepare", code=1).out


def test_without_a_checkout_it_says_so(steps):
    assert "rigger checkout" in steps.platform("prepare", code=1, DEIS_ROOT="/nowhere").out


# Deploying


def test_a_release_is_configured_installed_and_started_with_its_key_at_hand(steps, world):
    world.machines()
    assert "nothing to build" in steps.platform("install").out
    steps.platform("deploy")
    with open(f"{world.stand_in}/calls") as file:
        said = file.read()
    assert world.calls() == [
        "deisctl 1.12.0 config platform set domain=example.org",
        f"deisctl 1.12.0 config platform set sshPrivateKey={world.key}",
        "deisctl 1.12.0 config platform set version=v1.12.0",
        "deisctl 1.12.0 install platform",
        "deisctl 1.12.0 start platform",
    ]
    assert said.count("tunnel=10.0.0.1 ") == 6 and said.count("(ED25519)") == 6
    steps.platform("check")


def test_what_is_no_release_is_built_and_pushed(steps, world):
    world.machines()
    steps.at("origin/next").platform("install")
    assert "make -C store build as deis/store" in world.calls()
    steps.platform("deploy", DEV_REGISTRY="registry.example.org")
    calls = [call for call in world.calls() if not call.startswith("make -C")]
    assert calls[3] == "make dev-release to registry.example.org"
    assert calls[2].endswith(f"version={steps.values['VERSION']}")
    assert [call.split(" ", 2)[2] for call in calls[4:]] == ["install platform", "start platform"]


def test_without_a_tunnel_the_first_node_is_it(steps, world):
    world.machines()
    del steps.values["DEISCTL_TUNNEL"]
    assert "cannot reach a cluster" in steps.platform("deploy", code=1).out
    with open(steps.file("inventory.tsv"), "w") as file:
        file.write("node-1\t10.0.0.7\t-\t0\tcore\t2200\nnode-2\t10.0.0.8\t-\t0\tcore\t-\n")
    assert steps.platform("deploy").saved == {"DEISCTL_TUNNEL": "10.0.0.7:2200"}
    with open(steps.file("inventory.tsv"), "w") as file:
        file.write("node-1\t10.0.0.9\t-\t0\tcore\t-\n")
    again = steps.platform("deploy", DEISCTL_TUNNEL="10.0.0.7:2200")
    assert again.saved == {"DEISCTL_TUNNEL": "10.0.0.9:22"}


def test_the_check_names_units_that_do_not_run(steps, world):
    assert "does not answer" in steps.platform("check", code=1).out
    world.machines()
    assert "no units" in steps.platform("check", code=1).out
    steps.platform("deploy")
    steps.platform("check")
    with open(f"{world.stand_in}/units", "a") as file:
        file.write("deis-builder.service\tf1/10.0.0.1\tloaded\tfailed\tfailed\n")
    assert "deis-builder.service does not run" in steps.platform("check", code=1).out
    assert "DEISCTL_TUNNEL is not set" in steps.platform("check", code=1, DEISCTL_TUNNEL="").out


def test_undeploying_is_safe_on_nothing(steps, world):
    steps.platform("undeploy", DEISCTL_TUNNEL="")
    steps.platform("setup-clients")
    assert "does not answer" in steps.platform("undeploy").out
    world.machines()
    assert "no units" in steps.platform("undeploy").out
    steps.platform("deploy")
    world.calls()
    steps.platform("undeploy")
    assert [call.split(" ", 2)[2] for call in world.calls()] == [
        "list",
        "stop platform",
        "uninstall platform",
    ]
    steps.platform("undeploy")


# Tests


def test_suites_and_components_are_the_checkouts_own_make_targets(steps, world):
    world.machines()
    steps.platform("deploy")
    world.calls()
    assert "which is not there: DEIS_TEST_AUTH_KEY names another" in steps.platform("tests/smoke").out
    assert world.calls() == [
        f"make test-smoke with {steps.bin}/deis as rigger-{steps.id}",
        "deis 1.12.0 register http://deis.example.org",
    ]
    steps.platform("tests/full")
    assert world.calls() == ["make test-full"]
    for component in ("builder", "store", "client", "deisctl"):
        steps.platform(f"tests/{component}")
        assert world.calls() == [f"make -C {component} test in {steps.file('go')}"]
    open(f"{world.stand_in}/broken", "w").close()
    steps.platform("tests/full", code=2)


def test_every_test_of_the_manifest_is_there_and_every_component_of_the_checkout():
    from helpers.deis_repository import COMPONENTS

    deis = manifest.load(os.path.join(search.packaged("platform"), "deis"))
    named = {test for suite in (*deis.suites.values(), *deis.components.values()) for test in suite.tests}
    assert named == set(os.listdir(os.path.join(deis.folder, "tests")))
    assert sorted(deis.components) == COMPONENTS
    for path in [deis.script(f"tests/{name}") for name in named]:
        assert scripts.script_problem(path) is None


# Upgrades

GRACEFUL = [
    "deisctl 1.11.0 upgrade-prep",
    "deisctl 1.12.0 config platform set domain=example.org",
    "deisctl 1.12.0 config platform set sshPrivateKey=KEY",
    "deisctl 1.12.0 config platform set version=v1.12.0",
    "deisctl 1.12.0 install platform",
    "deisctl 1.12.0 start platform",
    "deisctl 1.12.0 upgrade-takeover",
]
INPLACE = [
    "deisctl 1.11.0 stop platform",
    "deisctl 1.11.0 uninstall platform",
    *GRACEFUL[1:-1],
]


@pytest.fixture
def running(steps, world):
    """Deis 1.11.0, about to become 1.12.0."""
    world.machines()
    steps.at("1.11.0").platform("deploy")
    world.calls()
    return steps.at("1.12.0")


def seen(world):
    return [call.replace(world.key, "KEY") for call in world.calls()]


@pytest.mark.parametrize("style, expected", [("graceful", GRACEFUL), ("inplace", INPLACE)])
def test_an_upgrade_uses_the_old_client_first_and_then_the_new_one(running, world, style, expected):
    running.platform(f"upgrade-{style}", RIGGER_FROM_VERSION="1.11.0")
    assert seen(world) == expected
    assert running.clients() == "1.12.0 1.12.0 # downloaded for v1.12.0"
    running.platform("check")


@pytest.mark.slow
@pytest.mark.parametrize("style, expected", [("graceful", GRACEFUL), ("inplace", INPLACE)])
def test_an_upgrade_that_failed_anywhere_goes_on_where_it_was(running, world, style, expected):
    for call in expected:
        world.fail(call.replace("KEY", world.key))
        running.platform(f"upgrade-{style}", code=1, RIGGER_FROM_VERSION="1.11.0")
        world.mend()
    running.platform(f"upgrade-{style}", RIGGER_FROM_VERSION="1.11.0")
    calls = seen(world)
    assert list(dict.fromkeys(calls)) == expected
    once = [
        call for call in expected if "1.11.0" in call
    ]  # each was tried twice: it failed, then it was done
    assert [calls.count(call) for call in once] == [2] * len(once)
    running.platform("check")


@pytest.mark.slow
def test_an_upgrade_can_be_taken_back_half_way(running, world):
    world.fail("upgrade-takeover")
    running.platform("upgrade-graceful", code=1, RIGGER_FROM_VERSION="1.11.0")
    world.mend()
    world.calls()
    running.at("1.11.0").platform("upgrade-graceful", RIGGER_FROM_VERSION="1.12.0")
    calls = seen(world)
    assert calls[0] == "deisctl 1.12.0 upgrade-prep" and calls[-1] == "deisctl 1.11.0 upgrade-takeover"
    assert running.clients().startswith("1.11.0 1.11.0")
    running.at("1.12.0").platform("upgrade-graceful", RIGGER_FROM_VERSION="1.11.0")
    assert seen(world) == GRACEFUL
