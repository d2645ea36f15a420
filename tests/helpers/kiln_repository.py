"""A repository whose provider `kiln` has no manifest, and keeps what it made in its own folder."""

import os

from helpers.repositories import git, put

PLATFORM = "interface: 2\nname: tulip\nrole: platform\ndescription: A flower\nversions: git-tags\n"
# Machines are files; `pots` in the provider's own folder is all that tells which ones there are.
SCRIPTS = {
    "install": "",
    "create": """
        [ -s pots ] || { pot=$(date +%s%N).$$; mkdir -p "$MACHINES"; echo "$pot" >pots; touch "$MACHINES/$pot"; }
        echo $$ >"$MACHINES.pid"
        sleep "${KILN_SLEEPS:-0}"
    """,
    "check": 'for pot in $(cat pots); do [ -e "$MACHINES/$pot" ]; done\n',
    "destroy": '[ -s pots ] || exit 0\nfor pot in $(cat pots); do rm -f "$MACHINES/$pot"; done\n: >pots\n',
}
TERRAFORM = {
    "install": "terraform init -input=false -no-color\n",
    "create": "terraform init -input=false -no-color\nterraform apply -auto-approve -input=false -no-color\n",
    "check": "terraform plan -detailed-exitcode -input=false -no-color\n",
    "destroy": "terraform init -input=false -no-color\nterraform destroy -auto-approve -input=false -no-color\n",
}
MAIN = """
resource "terraform_data" "pot" {
  count = 2
  provisioner "local-exec" { command = "mkdir -p $MACHINES && touch $MACHINES/${self.id}" }
  provisioner "local-exec" {
    when    = destroy
    command = "rm $MACHINES/${self.id}"
  }
}
"""


class Kiln:
    """The repository, the machines that its provider made, and the environments that use it."""

    def __init__(
        self, rigger, tmp_path, scripts=SCRIPTS, ignored="pots\ntoken\n.terraform/\n*.tfstate*\n", **files
    ):
        self.rigger = rigger
        self.upstream = str(tmp_path / "upstream")
        self.url = f"file://{self.upstream}"
        self.machines = str(tmp_path / "machines")
        rigger.env["MACHINES"] = self.machines
        os.makedirs(self.upstream)
        git(self.upstream, "init", "-q", "-b", "main")
        self.write("rigger/rigger.yml", PLATFORM)
        for verb in ("install", "deploy", "check", "undeploy"):
            self.write(f"rigger/{verb}", "#!/bin/sh\n")
        for verb, body in scripts.items():
            self.script(verb, body)
        for name, content in files.items():
            self.write(f"contrib/kiln/{name.replace('_', '.')}", content)
        self.write(".gitignore", ignored)
        for version in ("v1.0.0", "v1.1.0"):
            self.write("release", version)
            git(self.upstream, "add", "-A", "-f")
            git(self.upstream, "commit", "-qm", version)
            git(self.upstream, "tag", version)

    def script(self, verb, body):
        self.write(f"contrib/kiln/{verb}", f"#!/bin/sh\nset -e\n{body}")

    def write(self, name, content):
        put(self.upstream, name, content)

    def configure(self, *words, name="a", version="v1.0.0", **options):
        words = words or ("--repository", self.url, "--version", version)
        given = ("--provider", "kiln", "--platform", "tulip", *words)
        return self.rigger("configure", "--no-input", "--trust", "--name", name, *given, **options)

    def made(self):
        return sorted(os.listdir(self.machines)) if os.path.isdir(self.machines) else []

    def file(self, *parts, name="a"):
        return self.rigger.path("environments", name, *parts)

    def folder(self, *parts, name="a"):
        """Return the provider's own folder in an environment's checkout."""
        return self.file("checkout", "contrib", "kiln", *parts, name=name)

    def state(self, *parts, name="a"):
        return self.file("modules", "kiln", *parts, name=name)
