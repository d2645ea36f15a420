"""The environment, a bundle and an upgrade as pictures."""

import os
import shutil

import pytest


@pytest.mark.slow
def test_an_environment_that_waits_and_then_ran(cluster):
    before = cluster.rigger("graph").out
    assert 'label="environment wood"' in before and 'label="provider soil"' in before
    assert 'label="platform tree 1.10.0"' in before and '[label="create\\nwaits: first time"' in before
    assert "ran" not in before.replace("rankdir", "") and "10.0.0.1" not in before
    cluster.rigger("provision")
    after = cluster.rigger("graph").out
    assert 'label="node-1\\n10.0.0.1"' in after and "first time" not in after
    assert after.count("\\nran 20") == 5 and "check\\nwaits: are the machines as they should be?" in after
    cluster.rigger("config", "set", 'COLOUR=a"b\\c')
    assert 'waits: COLOUR green -> a\\"b\\\\c' in cluster.rigger("graph").out


def test_a_step_that_failed(cluster):
    cluster.script("platform", "deploy", "exit 7")
    cluster.rigger("provision", code=5)
    said = cluster.rigger("graph", "-o", "mermaid").out
    assert (
        said.startswith("flowchart LR\n") and "deploy<br/>failed in run" in said and "classDef failed" in said
    )


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not here")
def test_svg_is_graphvizs(provisioned):
    said = provisioned.rigger("graph", "-o", "svg").out
    assert said.lstrip().startswith("<?xml") and said.rstrip().endswith("</svg>") and "node&#45;1" in said


def test_svg_without_graphviz_says_how_to_get_it(cluster, tmp_path):
    (tmp_path / "bin").mkdir()
    said = cluster.rigger("graph", "-o", "svg", code=4, env={"PATH": str(tmp_path / "bin")})
    assert "there is no program dot" in said.err and "rigger graph -o mermaid" in said.err


@pytest.mark.slow
def test_a_secret_is_in_no_picture(cluster):
    cluster.rigger("provision")
    cluster.rigger("config", "set", "TOKEN=hunter2-of-mine")
    said = cluster.rigger("graph").out
    assert "TOKEN is new" in said and "hunter2" not in said


@pytest.mark.slow
def test_a_bundle(provisioned, tmp_path):
    path = str(tmp_path / "wood.rigger")
    provisioned.rigger("save", "-f", path)
    said = provisioned.rigger("graph", "--file", path).out
    assert (
        'label="bundle of wood"' in said and "secrets: left out" in said and "platform\\ntree 1.10.0" in said
    )
    assert "audit" in said and "provider\\nsoil" in said
    assert (
        "was refused: it is not a plain file" in provisioned.rigger("graph", "--file", os.devnull, code=9).err
    )


def test_an_upgrade(rigger, modules):
    from helpers.clusters import PLATFORM, Cluster

    platform = PLATFORM.replace("versions:", "upgrades: {graceful: {description: one by one}}\n    versions:")
    cluster = Cluster(rigger, modules, platform=platform)
    for verb in ("upgrade-graceful", "backup"):
        cluster.script("platform", verb)
    cluster.configure("--version", "1.9.0")
    cluster.rigger("provision")
    ran = cluster.ran()
    said = cluster.rigger("graph", "--to", "1.10.0", "--upgrade-style", "graceful").out
    assert "wood: upgrade to 1.10.0" in said and "tree upgrade-graceful\\n1.9.0 to 1.10.0" in said
    assert "tree backup" in said and "n1 -> n2;" in said and ran and cluster.ran() == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--file", "x", "--to", "1"), "exclude each other"),
        (("--upgrade-style", "graceful"), "Add --to VERSION"),
        (("-o", "png"), "png"),
    ],
)
def test_what_makes_no_sense(cluster, words, reason):
    assert reason in cluster.rigger("graph", *words, code=2).err
