"""rigger offline: export all that an environment needs, import it, and live without a network."""

import hashlib
import json
import os
import shutil
import subprocess

import pytest
from conftest import Rigger
from helpers.addons import Machines
from helpers.image_registry import push, registry
from helpers.offline_world import APPLY, World, package
from helpers.web import served

from rigger.bundles import pack, read
from rigger.bundles.format import Member
from rigger.offline import debian

needs_apt = pytest.mark.skipif(not shutil.which("apt-get"), reason="there is no apt-get")


def has_no_network():
    done = subprocess.run(["unshare", "--net", "true"], capture_output=True)
    return done.returncode == 0


@pytest.fixture
def world(rigger, tmp_path):
    return World(tmp_path / "world", rigger)


@pytest.fixture
def machines(rigger, modules, world):
    machines = Machines(rigger, modules)
    rigger("provision")
    return machines


def add_tool(machines, manifest, **scripts):
    scripts = {"apply": APPLY, "test": "echo tested\n", **scripts}
    machines.addon("tool", manifest, **scripts)
    machines.rigger("module", "add", "tool")


def export(machines, tmp_path, *words, name="all.offline", code=0):
    path = str(tmp_path / name)
    return path, machines.rigger("offline", "export", "--without-rigger", "-f", path, *words, code=code)


class Unplugged(Rigger):
    """The real program in a network namespace without a route, where even loopback is down."""

    argv = ["unshare", "--net", *Rigger.argv]


@needs_apt
@pytest.mark.skipif(not has_no_network(), reason="no network namespace can be made here")
def test_the_whole_life_without_a_network(machines, world, tmp_path):
    with served(world.folder) as url:
        add_tool(machines, world.manifest(url))
        path, said = export(machines, tmp_path)
    assert "rigger offline import" in said.out
    shutil.rmtree(world.folder)
    shutil.rmtree(machines.modules.folder)
    (tmp_path / "elsewhere").mkdir()
    other = Unplugged(str(tmp_path / "elsewhere"), str(tmp_path))
    other.env["RIGGER_HOME"] = other.home
    said = other("offline", "import", path).out
    bundle = other.path("mirror", "bundles", "bare.rigger")
    assert f"rigger configure --file {bundle}" in said
    other("configure", "--file", bundle, "--no-input", "--trust")
    shown = other("provision", "-v").out
    for text in (
        "a tool",
        "seedling 1.0 was imported",
        "rigger-test-tool is here",
        "rigger-test-data is here",
    ):
        assert text in shown
    assert "tested" in other("test", "tool", "-v").out
    other("module", "remove", "tool", "-y")
    other("module", "add", "tool", "--from", "offline", "--trust")
    assert "seedling 1.0 was imported" in other("provision", "tool", "-v").out
    other("destroy", "-y")


@needs_apt
def test_what_is_in_it_is_listed_with_its_hash(machines, world, tmp_path):
    with served(world.folder) as url:
        add_tool(machines, world.manifest(url))
        path, _ = export(machines, tmp_path)
    machines.rigger("offline", "import", path)
    with open(machines.rigger.path("mirror", "bom.json")) as file:
        bom = json.load(file)
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    hashes = {one["bom-ref"]: one["hashes"][0]["content"] for one in bom["components"]}
    files = {name: one.sha256 for name, one in read.read_manifest(path).files.items() if name != "bom.json"}
    assert hashes == files and f"files/{world.sha256}/tool.tar" in files
    purls = {one.get("purl") for one in bom["components"]}
    assert {"pkg:deb/debian/rigger-test-data@1.0?arch=all", "pkg:pypi/seedling@1.0"} <= purls


@pytest.mark.slow
@needs_apt
def test_only_what_an_earlier_export_lacks(machines, world, tmp_path):
    with served(world.folder) as url:
        add_tool(machines, world.manifest(url))
        first, _ = export(machines, tmp_path)
        package(os.path.join(world.folder, "debs"), "rigger-test-more")
        debian.write_index(os.path.join(world.folder, "debs"))
        machines.addon("more", "requirements: {packages: {debian: [rigger-test-more]}}\n")
        machines.rigger("module", "add", "more")
        second, said = export(machines, tmp_path, "--since", first, name="more.offline")
    names = set(read.read_manifest(second).files)
    assert (
        "debian/rigger-test-more_1.0_all.deb" in names and "debian/rigger-test-tool_1.0_all.deb" not in names
    )
    assert "more are in the earlier export" in said.out
    refused = machines.rigger("offline", "import", second, code=9).err
    assert "Import the earlier export first" in refused and not os.path.exists(machines.rigger.path("mirror"))
    machines.rigger("offline", "import", first)
    machines.rigger("offline", "import", second)
    debs = os.listdir(machines.rigger.path("mirror", "debian"))
    assert len([name for name in debs if name.endswith(".deb")]) == 3


def test_what_cannot_be_had_names_the_module_and_the_line(machines, world, tmp_path):
    with served(world.folder) as url:
        lines = (
            world.manifest(url)
            .replace("rigger-test-tool", "rigger-test-tol")
            .replace("seedling==1.0", "seedlin")
        )
        add_tool(machines, lines.replace(world.sha256, "0" * 64))
        path, refused = export(machines, tmp_path, code=4)
    for line, text in ((7, "tool.tar"), (8, "rigger-test-tol"), (9, "seedlin")):
        place = f"rigger.yml, line {line}) cannot be had"
        assert text in refused.err and place in refused.err, refused
    assert f"its SHA-256 is {world.sha256}" in refused.err
    assert "Unable to locate package rigger-test-tol" in refused.err
    assert not os.path.exists(path) and not os.path.exists(tmp_path / ".rigger")


@pytest.fixture
def tiny(tmp_path):
    """A file system of a few pages."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder]).returncode:
        pytest.skip("no disk can be mounted here")
    yield str(folder)
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
def test_a_full_disk_is_the_reason_and_leaves_nothing(machines, tiny, tmp_path):
    folder = machines.addon("tool", "version: 1.0\n")
    machines.rigger("module", "add", "tool")
    with open(os.path.join(folder, "large"), "w") as file:
        file.write(f"{os.urandom(20000).hex()}\n")
    path, _ = export(machines, tmp_path)
    full = os.path.join(tiny, "all.offline")
    said = machines.rigger("offline", "export", "--without-rigger", "-f", full, code=4).err
    assert f"Cannot write {full}: No space left on device." in said and "Make room on the disk" in said
    assert os.listdir(tiny) == []
    said = machines.rigger("offline", "import", path, code=4, env={"RIGGER_HOME": tiny}).err
    assert "are free in" in said and "Make room on that disk" in said
    assert "mirror" not in os.listdir(tiny)


def test_a_flipped_byte_is_refused_and_nothing_is_imported(machines, tmp_path):
    folder, blob = machines.addon("tool", "version: 1.0\n"), os.urandom(400_000)
    with open(os.path.join(folder, "blob"), "wb") as file:
        file.write(blob)
    machines.rigger("module", "add", "tool")
    path, _ = export(machines, tmp_path)
    with open(path, "rb") as file:
        data = bytearray(file.read())
    inside = data.rindex(blob[200_000:200_100])
    for at in (10, inside, len(data) - 20):
        flipped = bytearray(data)
        flipped[at] ^= 1
        with open(path, "wb") as file:
            file.write(flipped)
        said = machines.rigger("offline", "import", path, code=9).err
        assert "was refused" in said
        if at == inside:
            assert "it is damaged, at 'modules/tool/1.0/blob'." in said
        assert not os.path.exists(machines.rigger.path("mirror"))
    with open(path, "wb") as file:
        file.write(data)
    whole = str(tmp_path / "whole")
    manifest = read.extract(path, whole)
    with open(os.path.join(whole, "modules/tool/1.0/apply"), "a") as file:
        file.write("x")
    members = [Member(name, path=os.path.join(whole, name)) for name in manifest.files]
    fields = {name: value for name, value in manifest.fields.items() if name != "rigger"}
    pack.pack(path, members, fields)
    refused = machines.rigger("offline", "import", path, code=9).err
    assert "modules/tool/1.0/apply is not what its bill of materials says." in refused
    assert not os.path.exists(machines.rigger.path("mirror"))
    bundle = str(tmp_path / "bare.rigger")
    machines.rigger("save", "-f", bundle)
    assert "is not what" in machines.rigger("offline", "import", bundle, code=9).err


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("skopeo") and shutil.which("docker-registry")),
    reason="there is no skopeo, or no docker-registry",
)
@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
def test_images_keep_their_digests_from_registry_to_registry(machines, tmp_path, docker):
    (tmp_path / "first").mkdir()
    with registry(tmp_path / "first") as address:
        digest = push(str(tmp_path / "first"), address, "tiny", docker)
        image = f"{address}/tiny@{digest}"
        machines.addon("tool", f"requirements: {{images: ['{image}']}}\n")
        machines.rigger("module", "add", "tool")
        path, _ = export(machines, tmp_path)
    refused = export(machines, tmp_path, name="no.offline", code=4)[1].err
    assert f"{image}, which tool needs" in refused and "cannot be had" in refused
    (tmp_path / "second").mkdir()
    with registry(tmp_path / "second") as other:
        report = machines.rigger("offline", "import", path, "--registry", other, "-o", "json").out
        (loaded,) = json.loads(report)["images"]
        assert loaded == {"name": image, "place": f"{other}/tiny@{digest}"}
        words = ["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{loaded['place']}"]
        raw = subprocess.run(words, check=True, capture_output=True).stdout
        assert f"sha256:{hashlib.sha256(raw).hexdigest()}" == digest


@pytest.mark.slow
@pytest.mark.skipif(
    not all(map(shutil.which, ("skopeo", "docker-registry", "podman"))),
    reason="there is no skopeo, no docker-registry, or no podman",
)
def test_podman_has_an_imported_image_by_its_digest(machines, tmp_path):
    (tmp_path / "Registry").mkdir()
    with registry(tmp_path / "Registry") as address:
        image = f"{address}/tiny@{push(str(tmp_path / 'Registry'), address, 'tiny')}"
        machines.addon("tool", f"requirements: {{images: ['{image}']}}\n")
        machines.rigger("module", "add", "tool")
        path, _ = export(machines, tmp_path)
    assert f"{image}: podman" in machines.rigger("offline", "import", path).out
    try:
        subprocess.run(["podman", "image", "exists", image], check=True)
    finally:
        subprocess.run(["podman", "rmi", f"{address}/tiny:rigger"], capture_output=True)


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
def test_an_export_is_signed_and_insisted_on(machines, tmp_path):
    keys = [str(tmp_path / name) for name in ("mine", "other")]
    for key in keys:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    path, _ = export(machines, tmp_path, "--sign", keys[0])
    refused = machines.rigger("offline", "import", path, "--verify-key", f"{keys[1]}.pub", code=9).err
    assert "signature is not valid by a key in" in refused
    assert not os.path.exists(machines.rigger.path("mirror"))
    said = machines.rigger("offline", "import", path, "--verify-key", f"{keys[0]}.pub").out
    assert "It is signed by " in said
    assert json.loads(machines.rigger("offline", "import", path, "-o", "json").out)["signer"]
    plain, _ = export(machines, tmp_path, name="plain.offline")
    refused = machines.rigger("offline", "import", plain, "--verify-key", f"{keys[0]}.pub", code=9).err
    assert "is not signed, and should be by" in refused
    assert json.loads(machines.rigger("offline", "import", plain, "-o", "json").out)["signer"] == ""
