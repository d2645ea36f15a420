"""rigger doctor"""

import json
import os

from helpers.clusters import PROVIDER

TOOLS = (
    PROVIDER
    + """
    tools: [shovel, "spade>=2.10", {name: rake, remedy: grow one on a tree}, sh]
"""
)


def tool(cluster, name, version):
    folder = os.path.join(cluster.rigger.folder, "tools")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(f"#!/bin/sh\necho '{name} version v{version} (built 2020)'\n")
    os.chmod(path, 0o755)
    cluster.rigger.env["PATH"] = f"{folder}:{os.environ['PATH']}"


def findings(cluster, code=0):
    said = cluster.rigger("doctor", "-o", "json", code=code)
    return {finding["what"]: finding for finding in json.loads(said.out)}


def test_before_anything_is_configured(rigger):
    assert 'Ready for "rigger configure"' in rigger("doctor").out
    assert {finding["what"] for finding in json.loads(rigger("doctor", "-o", "json").out)} == {
        "folder",
        "disk",
    }


def test_all_is_well(cluster):
    assert cluster.rigger("doctor").out.endswith("Ready.\n")
    assert cluster.ran() == []


def test_missing_and_old_tools_with_their_remedies(cluster, modules):
    modules.write("provider", "soil", TOOLS)
    tool(cluster, "spade", "2.9.1")
    found = findings(cluster, code=4)
    assert not found["tool shovel"]["good"] and "not on PATH; soil needs it" in found["tool shovel"]["detail"]
    assert not found["tool spade"]["good"] and "2.9.1, but soil needs 2.10" in found["tool spade"]["detail"]
    assert found["tool rake"]["remedy"] == "grow one on a tree"
    assert found["tool sh"]["good"]
    refused = cluster.rigger("provision", code=4)
    assert "grow one on a tree" in refused.err and "nothing was started" in refused.err
    assert cluster.ran() == []
    for name in ("shovel", "rake"):
        tool(cluster, name, "1")
    tool(cluster, "spade", "2.10")
    assert all(finding["good"] for finding in findings(cluster).values())


def test_credentials_are_tried(cluster, modules):
    modules.write(
        "provider", "soil", PROVIDER.replace("type: secret,", "type: secret, check: bin/try-token,")
    )
    modules.script(
        cluster.folders["provider"],
        "bin/try-token",
        'case $TOKEN in good*) ;; *) echo "who is $TOKEN?"; exit 1 ;; esac',
    )
    cluster.rigger("config", "set", "TOKEN=good-for-now")
    assert findings(cluster)["TOKEN"]["good"]
    modules.script(cluster.folders["provider"], "bin/try-token", 'echo "who is $TOKEN?"; exit 1')
    found = findings(cluster, code=4)
    assert found["TOKEN"]["detail"] == "who is ***?" and "config set TOKEN" in found["TOKEN"]["remedy"]
    assert "good-for-now" not in str(cluster.rigger("provision", code=4))
    assert cluster.ran() == []
