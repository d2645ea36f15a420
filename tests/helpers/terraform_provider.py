"""A provider of `terraform_data` that a real Terraform makes, and the workspace that it works in."""

import http.server
import json
import os
import shutil
import threading

import pytest

from rigger.envfile import output as step_output
from rigger.modules import manifest
from rigger.terraform import steps
from rigger.terraform.workspace import Workspace

needs_terraform = pytest.mark.skipif(
    not shutil.which("terraform"), reason="there is no terraform on the PATH"
)

MANIFEST = """\
interface: 2
name: clay
role: provider
description: Pieces of data
questions:
  - {name: NODES, type: integer, min: 0, default: 2}
  - {name: GREETING, default: hello}
  - {name: ZONES, type: checkbox, choices: [a, b, c], default: "a,c"}
  - {name: SLOWLY, default: "0", changes: none}
  - {name: TOKEN, type: secret, optional: true}
"""
MAIN = """\
variable "nodes" { type = number }
variable "greeting" { type = string }
variable "zones" { type = list(string) }
variable "slowly" { default = "0" }
variable "token" {
  type      = string
  sensitive = true
  default   = "none"
}
resource "terraform_data" "node" {
  count = var.nodes
  input = { name = "node-${count.index + 1}", zones = var.zones, token = var.token }
}
resource "terraform_data" "ready" {
  count = var.slowly == "0" ? 0 : var.nodes
  input = terraform_data.node[count.index].id
  provisioner "local-exec" { command = "sleep ${var.slowly}" }
}
output "nodes" {
  value = nonsensitive([for i, n in terraform_data.node : { name = "node-${i + 1}", address = "127.0.9.${i + 1}" }])
}
output "greeting_back" { value = var.greeting }
output "zones" { value = var.zones }
output "pass" {
  value     = "open-${var.token}"
  sensitive = true
}
"""


class TerraformProvider:
    """The provider `clay` in a workspace of its own, whose steps run in this process."""

    def __init__(self, tmp_path, monkeypatch):
        self.tmp_path = tmp_path
        self.monkeypatch = monkeypatch
        self.module = str(tmp_path / "clay")
        self.folder = str(tmp_path / "state")
        self.said = []
        os.makedirs(self.module)
        self.write("rigger.yml", MANIFEST)
        self.write("main.tf", MAIN)
        self.values = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "CHECKPOINT_DISABLE": "1",
            "RIGGER_ENVIRONMENT_ID": "0123456789",
            **{
                f"RIGGER_{name}": str(tmp_path / name)
                for name in ("OUTPUT", "SECRETS_OUTPUT", "INVENTORY_OUTPUT")
            },
            "NODES": "2",
            "GREETING": "hello",
            "ZONES": "a,c",
            "SLOWLY": "0",
        }

    def write(self, name, text):
        with open(os.path.join(self.module, name), "w") as file:
            file.write(text)

    @property
    def workspace(self):
        return Workspace.of(manifest.load(self.module), self.folder, str(self.tmp_path / "home"), self.values)

    def run(self, step, *arguments, **values):
        """Run a step with what is given; `self.said` is what it said."""
        self.values.update(values)
        for name in ("OUTPUT", "SECRETS_OUTPUT", "INVENTORY_OUTPUT"):
            open(self.tmp_path / name, "w").close()
        self.said = []
        return step(self.workspace, *arguments, self.said.append)

    def create(self, **values):
        return self.run(steps.create, **values)

    @property
    def text(self):
        return "\n".join(self.said)

    def given(self, channel="OUTPUT"):
        with open(self.tmp_path / channel, "rb") as file:
            return step_output.parse_output(file.read(), "create")[0]

    def nodes(self):
        with open(self.tmp_path / "INVENTORY_OUTPUT") as file:
            return [json.loads(line)["name"] for line in file]

    def file(self, *parts):
        return os.path.join(self.folder, *parts)

    def bytes(self, name="terraform.tfstate"):
        with open(self.file(name), "rb") as file:
            return file.read()

    def state(self, name="terraform.tfstate"):
        return json.loads(self.bytes(name))

    def put(self, state, name="terraform.tfstate"):
        with open(self.file(name), "wb") as file:
            file.write(state if isinstance(state, bytes) else json.dumps(state).encode())

    def made(self):
        return instances(self.state())

    def stand_in(self, body, name="terraform"):
        """Put a program before the real Terraform, which it finds as $REAL; return the file that it may note in."""
        folder = self.tmp_path / "programs"
        folder.mkdir(exist_ok=True)
        program = folder / name
        program.write_text("#!/bin/bash\n" + body)
        program.chmod(0o755)
        noted = self.tmp_path / "noted"
        for name, value in {"REAL": shutil.which("terraform"), "NOTED": str(noted)}.items():
            self.monkeypatch.setenv(name, value)
            self.values[name] = value
        self.values["PATH"] = f"{folder}:{os.environ['PATH']}"
        return noted


def instances(state):
    return [instance for resource in state["resources"] for instance in resource["instances"]]


def without_terraform(tmp_path):
    """Return a PATH that has all programs but Terraform."""
    folder = tmp_path / "others"
    folder.mkdir(exist_ok=True)
    for place in reversed(os.environ["PATH"].split(os.pathsep)):
        for name in os.listdir(place) if os.path.isdir(place) else []:
            link = folder / name
            if name not in ("terraform", "tofu"):
                link.unlink(missing_ok=True)
                link.symlink_to(os.path.join(place, name))
    return str(folder)


class _States(http.server.BaseHTTPRequestHandler):
    """A server of states as Terraform's http backend asks it: GET, POST, LOCK, UNLOCK."""

    def do_GET(self):
        state = self.server.states.get(self.path)
        self.answer(200 if state else 404, state or b"")

    def do_POST(self):
        body = self.body()
        self.server.posts += 1
        body = self.server.keeps(body)
        if self.server.posts not in self.server.broken:
            self.server.states[self.path.partition("?")[0]] = body
        self.answer(500 if self.server.posts in self.server.broken else 200)

    def do_LOCK(self):
        wanted = self.body()
        held = self.server.held
        if not held:
            self.server.held = wanted
        self.answer(423 if held else 200, held or b"")

    def do_UNLOCK(self):
        self.body()
        self.server.held = b""
        self.answer(200)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, code, body=b""):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


class StateServer:
    """A server of states on loopback: what it holds, who holds its lock, and which posts it refuses."""

    def __init__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _States)
        self.server.states, self.server.held, self.server.broken, self.server.posts = {}, b"", (), 0
        self.server.keeps = lambda body: body  # what it makes of a state
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def state(self):
        return json.loads(self.server.states["/pots"])

    @property
    def settings(self):
        url = f"http://127.0.0.1:{self.server.server_port}/pots"
        named = " ".join(f"{name}={url}" for name in ("address", "lock_address", "unlock_address"))
        return {"TERRAFORM_BACKEND": "http", "TERRAFORM_BACKEND_CONFIG": f"{named} retry_max=0"}


def clay_manifest(more):
    return f"interface: 2\nname: clay\nrole: provider\nquestions:\n  - {{name: NODES, default: 2}}\n{more}"
