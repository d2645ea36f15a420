"""rigger setup-clients"""

import json

from rigger.text import short_home


def test_the_clients_alone(cluster):
    cluster.script(
        "platform",
        "setup-clients",
        'echo "#!/bin/sh" >"$RIGGER_BIN_DIR/shrub"; chmod +x "$RIGGER_BIN_DIR/shrub"',
    )
    said = cluster.rigger("setup-clients")
    assert short_home(cluster.file("bin")) in said.out
    assert cluster.ran() == ["platform/setup-clients"]
    assert json.loads(cluster.rigger("setup-clients", "-o", "json").out)["steps"][0]["good"]
    assert "nothing made yet" in cluster.rigger("status").out


def test_a_platform_without_clients(cluster):
    assert "tree has no clients to install" in cluster.rigger("setup-clients", code=2).err


def test_a_script_that_fails(cluster):
    cluster.script("platform", "setup-clients", "echo no network; exit 1")
    assert "setup-clients exited 1" in cluster.rigger("setup-clients", code=5).err
