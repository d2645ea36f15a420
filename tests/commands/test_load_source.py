"""A bundle of an environment whose modules lie in a repository or a folder, one provider of interface 1, elsewhere."""

import os

import pytest
from helpers.repositories import git

from rigger.envfile import file as envfile

PLATFORM = """\
interface: 2
name: grove
role: platform
repository: {}
versions: git-tags
interfaces: {{1: 1.0.0}}
questions:
  - {{name: DOMAIN, ask: Which domain?}}
"""
ASKS = """
prompt "Which?" WHICH small
password-prompt "Which token?" ENTRY
export WHERE="$GROVE_ROOT/x" DOMAIN=example.org
"""
TOKEN = "hunter2 & co"
SOURCES = {
    "folder": ["--path"],
    "release": ["--version", "1.0.0", "--repository"],
    "branch": ["--ref", "main", "--repository"],
}


@pytest.fixture
def grove(tmp_path):
    """Return the folder of a repository with a platform and a provider of interface 1."""
    root = tmp_path / "grove"
    toy = root / "contrib" / "toy"
    toy.mkdir(parents=True)
    (root / "rigger.yml").write_text(PLATFORM.format(root))
    (toy / "config.sh").write_text(ASKS)
    for verb in ("install", "deploy", "check", "undeploy"):
        (root / verb).write_text(f'#!/bin/sh\n# Summary: {verb}\necho "{verb} from $0"\n')
    for verb in ("install", "create", "check", "destroy"):
        (toy / verb).write_text(f'#!/bin/sh\n# Summary: {verb}\necho "{verb} from $0 for $WHICH"\n')
    for path in (*root.iterdir(), *toy.iterdir()):
        path.chmod(0o755)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "All")
    git(root, "tag", "1.0.0")
    return str(root)


@pytest.mark.slow
@pytest.mark.parametrize("with_checkout", [["--with-checkout"], []], ids=["with its checkout", "without"])
@pytest.mark.parametrize("source", SOURCES)
def test_it_stands_up_with_its_provider_and_what_that_asked(rigger, grove, tmp_path, source, with_checkout):
    given = [*SOURCES[source], grove, "--provider", "toy", "--set", "WHICH=large", "--set", f"ENTRY={TOKEN}"]
    rigger("configure", "--no-input", "--trust", "--name", "grove", *given)
    rigger("provision")
    bundle = str(tmp_path / "grove.rigger")
    rigger("save", *with_checkout, "-o", bundle)
    if with_checkout or source == "folder":
        os.rename(grove, f"{grove}.away")  # nothing may ask for it
    home = str(tmp_path / "elsewhere")
    there = {"RIGGER_HOME": home}
    load = ["configure", "--no-input", "--file", bundle, "--set", f"ENTRY={TOKEN}"]
    assert "--trust" in rigger(*load, env=there, code=2).err
    rigger(*load, "--trust", env=there)
    if source != "folder" and not with_checkout:
        assert "rigger checkout" in rigger("provision", env=there, code=2).err
        rigger("checkout", "--trust", env=there)
    folder = os.path.join(home, "environments", "grove")
    found = envfile.read(os.path.join(folder, "vars"))
    root = found.get("GROVE_ROOT", os.path.join(folder, "scripts", "platform", "grove"))
    assert found["WHICH"] == "large" and found["WHERE"] == f"{root}/x" and root.startswith(folder)
    rigger("config", "set", "WHICH=small", env=there)
    assert "WHICH large -> small" in rigger("provision", "--plan", env=there).out
    ran = rigger("provision", "-v", env=there).out
    assert f"create from {folder}" in ran and "for small" in ran and grove not in ran
    rigger("configure", "--no-input", "--set", "WHICH=large", env=there)
    assert envfile.read(os.path.join(folder, "vars"))["VERSION"] == found["VERSION"]
    rigger("destroy", "--yes", env=there)


@pytest.mark.slow
def test_the_folder_of_a_new_machine_takes_the_place_of_what_came_along(rigger, grove, tmp_path):
    rigger(
        "configure",
        "--no-input",
        "--name",
        "grove",
        "--path",
        grove,
        "--provider",
        "toy",
        "--set",
        f"ENTRY={TOKEN}",
    )
    rigger("provision")
    bundle, there = str(tmp_path / "grove.rigger"), {"RIGGER_HOME": str(tmp_path / "elsewhere")}
    rigger("save", "-o", bundle)
    os.rename(grove, f"{grove}.here")
    rigger("configure", "--no-input", "--trust", "--file", bundle, "--set", f"ENTRY={TOKEN}", env=there)
    rigger("configure", "--no-input", "--path", f"{grove}.here", env=there)
    assert f"create from {grove}.here/" in rigger("provision", "--again", "-v", env=there).out


@pytest.mark.slow
@pytest.mark.parametrize("with_checkout", [["--with-checkout"], []], ids=["with its checkout", "without"])
def test_a_folder_used_by_a_platform_that_both_machines_have(rigger, grove, modules, tmp_path, with_checkout):
    manifest = f"repository: {grove}.git\nversions: git-tags\n"
    modules.write("platform", "oak", manifest, deploy='cat "$OAK_ROOT/rigger.yml"')
    rigger("configure", "--no-input", "--path", grove, "--platform", "oak", "--provider", "noop")
    rigger("provision")
    bundle, there = str(tmp_path / "oak.rigger"), {"RIGGER_HOME": str(tmp_path / "elsewhere")}
    rigger("save", *with_checkout, "-o", bundle)
    os.rename(grove, f"{grove}.away")
    rigger("configure", "--no-input", "--trust", "--file", bundle, env=there)
    if with_checkout:
        assert "name: grove" in rigger("provision", "--again", "-v", env=there).out
        return
    assert '"rigger configure --path FOLDER"' in rigger("provision", env=there, code=4).err
    rigger("configure", "--no-input", "--path", f"{grove}.away", env=there)
    assert "name: grove" in rigger("provision", "--again", "-v", env=there).out
