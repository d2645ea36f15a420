"""The example with two services: alone, and the story that its README tells, typed as it is there."""

import json
import os
import re
import shutil
import subprocess
import urllib.request

import pytest
from conftest import ROOT
from helpers.programs import install_rigger

EXAMPLE = os.path.join(ROOT, "examples", "two-services")


def ask(url):
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(url, timeout=10) as answer:
        return answer.read().decode()


@pytest.fixture
def shop(rigger):
    """A copy of the example, in which one types."""
    rigger.folder = shutil.copytree(EXAMPLE, os.path.join(rigger.folder, "two-services"))
    yield rigger
    for name in json.loads(rigger("list", "-o", "json").out)["environments"]:
        rigger("-e", name["name"], "destroy", "-y")


def images(shop, **versions):
    shop("config", "set", *(f"IMAGE_{name.upper()}=localhost/{name}:{tag}" for name, tag in versions.items()))


@pytest.mark.slow
def test_the_services_run_as_the_configuration_says(shop):
    shop(
        "configure",
        "--defaults",
        "--name",
        "one",
        "--provider",
        "local",
        "--platform",
        "./shop",
        "--set",
        "NODES=2",
    )
    shop("provision", "-y")
    assert "nothing is deployed yet" in shop("test", "smoke").out
    images(shop, api="1.0", web="1.1")
    shop("provision", "-y")
    url = shop("config", "get", "SHOP_WEB_URL").out.strip()
    assert ask(url) == "<h1>Hello</h1> <small>page 1.1, API 1.0</small>\n"
    shop("test", "smoke")
    # A bad version never takes the place of a good one, on no node.
    images(shop, api="1.2")
    said = shop("provision", "-y", "-v", code=5)
    assert "api 1.2 is not well on node-1, and was stopped; what ran before still runs" in said.out + said.err
    assert "API 1.0" in ask(url)
    assert "it is 1.0, not 1.2" in shop("check", "-v", code=5).out
    images(shop, api="9.9")
    assert "there is no image localhost/api:9.9" in shop("provision", "-y", "-v", code=5).out
    images(shop, api="1.1")
    shop("provision", "-y")
    assert (
        json.loads(ask(shop("config", "get", "SHOP_API_URL").out.strip() + "/you"))["greeting"] == "Hello you"
    )
    # One that ends is noticed by the check, where it does not come up again by itself.
    shop("check")
    images(shop, api="none", web="none")
    shop("config", "set", "IMAGE_API=none", "IMAGE_WEB=none")
    shop("provision", "-y")
    with pytest.raises(OSError):
        ask(url)


def test_the_platform_conforms(shop):
    shop("module", "check", "./shop")


# The story


def typed():
    """Yield the commands of the README, each with its exit code and what it says, where that is told."""
    with open(os.path.join(EXAMPLE, "README.rst"), encoding="utf-8") as file:
        blocks = re.findall(r"^\.\. code-block:: bash\n\n((?:    .*\n|\n)+)", file.read(), re.M)
    for line in "".join(blocks).splitlines():
        command, _, told = line.strip().partition("  # ")
        if command:
            said = told.partition("says: ")[2].strip()
            yield command.strip(), int(told.partition("exits ")[2] or 0), said


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
def test_the_story_of_the_readme(shop, tmp_path):
    programs = install_rigger(tmp_path / "programs")
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    commands = [*typed()]
    assert len(commands) > 20 and {code for _, code, _ in commands} == {0, 5}
    for command, code, said in commands:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=shop.folder,
            env={**shop.env, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
        )
        printed = done.stdout.decode()
        assert done.returncode == code, f"{command}: exit {done.returncode}\n{printed}"
        assert said in printed, f"{command}\n{printed}"
