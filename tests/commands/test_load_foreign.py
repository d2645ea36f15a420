"""Bundles of somebody who would like to run something here, or to be sent the user's token."""

import http.server
import os
import threading

import pytest
from helpers.clusters import Cluster
from helpers.second_machine import contents, elsewhere, forge, save

from rigger.envfile import file as envfile

TOKEN = "a-token-of-the-user"
PROVIDER = """
    questions:
      - {name: NODES, type: integer, min: 0, max: 9, default: 1}
      - {name: API, ask: Where is the API?, default: "http://127.0.0.1:9", advanced: true}
      - {name: REGION, default: here}
      - {name: CLOUD_TOKEN, type: secret, check: bin/check-token}
    outputs: [MADE]
"""
PLATFORM = """
    questions:
      - {name: TOOLS_DIR, type: path, optional: true, advanced: true}
"""


@pytest.fixture
def cluster(rigger, modules):
    cluster = Cluster(rigger, modules, PROVIDER, PLATFORM)
    cluster.script("provider", "bin/check-token", 'curl -sf -m 5 "$API/check" -H "X: $CLOUD_TOKEN"; exit 0')
    cluster.script(
        "provider",
        "create",
        'rigger-save-vars MADE=yes; cd "$RIGGER_STATE_DIR"; tar -cf x.tar --files-from /dev/null',
    )
    cluster.configure(env={"RIGGER_CLOUD_TOKEN": "of-the-other"})
    cluster.rigger("provision")
    return cluster


@pytest.fixture
def other(cluster, tmp_path):
    return elsewhere(cluster.rigger, tmp_path)


@pytest.fixture
def bundle(cluster, tmp_path):
    return save(cluster.rigger, tmp_path)


@pytest.fixture
def hears():
    """A server that writes down what it is asked, with the headers."""
    heard = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append(str(self.headers))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", heard
    server.shutdown()
    server.server_close()


def load(other, path, *options, **settings):
    return other(
        "configure", "--no-input", "--file", path, *options, env={"RIGGER_CLOUD_TOKEN": TOKEN}, **settings
    )


def with_vars(bundle, tmp_path, **values):
    """Return a bundle whose vars say something more."""
    vars = envfile.parse(contents(bundle)["vars"], "vars") | values
    return forge(bundle, str(tmp_path / "forged.rigger"), change_files={"vars": envfile.render(vars)})


def refused(other, path, *told, left=None):
    """Load it where nobody agrees: what it would do is shown, nothing is left; then agree, and once is enough."""
    said = load(other, path, code=2)
    for words in told:
        assert words in said.out
    assert "--trust" in said.err
    folder = other.path("environments")
    assert (os.listdir(folder) if os.path.isdir(folder) else []) == (left or [])


def test_a_bundle_as_it_was_saved_asks_nothing(other, bundle):
    load(other, bundle)
    other("provision", "--again")


@pytest.mark.slow
def test_a_program_in_a_folder_that_it_puts_on_path(other, bundle, tmp_path):
    marker = tmp_path / "ran"
    script = f"#!/bin/sh\ntouch {marker}\n".encode()
    evil = forge(
        bundle,
        str(tmp_path / "evil.rigger"),
        {"path_folders": ["runs/x"]},
        {"runs/x/tar": script},
        {"runs/x/tar": 0o700},
    )
    refused(other, evil, "on PATH", "runs/x", "runs/x/tar")
    load(other, evil, "--trust")
    load(other, evil)
    other("provision", "--again")
    assert marker.exists()


@pytest.mark.parametrize("place", ["runs", "tests", "modules/soil"])
@pytest.mark.parametrize("mode", [0o700, 0o600])
def test_programs_anywhere_are_shown(other, bundle, tmp_path, place, mode):
    name = f"{place}/x/tool"
    refused(
        other, forge(bundle, str(tmp_path / "evil.rigger"), None, {name: b"#!/bin/sh\n"}, {name: mode}), name
    )


@pytest.mark.slow
def test_scripts_that_are_not_used_do_not_get_onto_path_unseen(other, bundle, tmp_path):
    folder = "scripts/provider/soil"
    refused(
        other,
        forge(bundle, str(tmp_path / "evil.rigger"), {"path_folders": [folder]}),
        folder,
        f"{folder}/create",
    )


@pytest.mark.slow
def test_vars_that_steer_programs(other, bundle, tmp_path):
    marker = tmp_path / "ran"
    options = f"--checkpoint=1 --checkpoint-action=exec=touch${{IFS}}{marker}"
    evil = with_vars(bundle, tmp_path, TAR_OPTIONS=options)
    refused(other, evil, "unknown name", "TAR_OPTIONS=--checkpoint=1")
    load(other, evil, "--trust")
    load(other, evil)
    assert other("config", "get", "TAR_OPTIONS").out.strip() == options


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, value",
    [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("HTTPS_PROXY", "http://127.0.0.1:1"),
        ("all_proxy", "socks5://x"),
        ("TERRAFORM_DOWNLOAD_URL", "file:///tmp/x"),
        ("TF_VAR_x", "y"),
        ("GODEBUG", "x"),
        ("DOCKER_HOST", "tcp://x"),
        ("SSH_AUTH_SOCK", "/tmp/x"),
        ("KUBECONFIG", "/tmp/x"),
        ("CARGO_HOME", "/tmp/x"),
        ("TREE_ROOT", "/tmp/x"),
        ("SOMETHING", "harmless"),
    ],
)
def test_a_name_that_no_module_knows(other, bundle, tmp_path, name, value):
    refused(other, with_vars(bundle, tmp_path, **{name: value}), f"{name}={value}")


@pytest.mark.slow
def test_an_address_that_a_token_would_go_to(other, bundle, tmp_path, hears):
    url, heard = hears
    evil = with_vars(bundle, tmp_path, API=url)
    refused(other, evil, "address", f"API={url}")
    assert heard == []
    load(other, evil, "--trust")
    assert any(TOKEN in headers for headers in heard)


@pytest.mark.slow
@pytest.mark.parametrize(
    "value", ["evil.example.com", "10.1.2.3:8080", "user@evil.example:443/path", "http:evil"]
)
def test_addresses_have_many_forms(other, bundle, tmp_path, value):
    refused(other, with_vars(bundle, tmp_path, API=value), f"API={value}")


def test_what_the_user_says_takes_the_place_of_an_address(other, bundle, tmp_path, hears):
    url, heard = hears
    load(other, with_vars(bundle, tmp_path, API="http://evil.example.com"), "--set", f"API={url}")
    assert any(TOKEN in headers for headers in heard) and other("config", "get", "API").out.strip() == url


def test_a_folder_of_programs(other, bundle, tmp_path):
    refused(other, with_vars(bundle, tmp_path, TOOLS_DIR=str(tmp_path)), "path", f"TOOLS_DIR={tmp_path}")


def test_a_module_that_lies_somewhere_on_this_machine(cluster, other, bundle, tmp_path):
    folder = cluster.folders["provider"]
    refused(other, with_vars(bundle, tmp_path, PROVIDER=folder), "scripts", f"PROVIDER={folder}")


@pytest.mark.slow
def test_an_update_shows_what_is_new(cluster, other, bundle, tmp_path):
    load(other, bundle)
    cluster.rigger("config", "set", "API=http://new.example.com", "REGION=there")
    newer = save(cluster.rigger, tmp_path, name="newer.rigger")
    refused(other, newer, "API=http://new.example.com", left=["wood"])
    load(other, newer, "--trust")
    load(other, newer)
