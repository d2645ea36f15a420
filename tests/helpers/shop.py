"""A project whose services are the platform `shop`, deployed to the environments `wood` (stage) and `forest` (prod).

What "runs" is a file that the platform's deploy writes, and its check compares: an image with `broken` in its name cannot be
deployed, one with `sick` never gets well, one with `late` gets well with the third check.
"""

import json
import os
import subprocess

MANIFEST = {
    "storage": {
        "name": "Storage service",
        "environments": [
            {"id": "stage", "name": "Staging", "rigger": {"environment": "wood"}},
            {"id": "prod", "name": "Production", "rigger": {"environment": "forest"}},
            {"id": "dev"},
        ],
        "image_repositories": [{"id": "api", "services": ["api", {"id": "worker"}]}, {"id": "notifier"}],
    }
}
QUESTIONS = """
    versions: [1.0.0]
    questions:
      - {name: IMAGE_API, default: none, changes: deploy}
      - {name: IMAGE_WORKER, default: none, changes: deploy}
      - {name: IMAGE_NOTIFIER, default: none, changes: deploy}
"""
DEPLOY = """
    echo "$IMAGE_API $IMAGE_WORKER" >>"$NOTED"
    cp "$RIGGER_IMAGES" "$RIGGER_STATE_DIR/images.json"
    case $IMAGE_API in *broken*) exit 1 ;; esac
    echo "$IMAGE_API" >"$RIGGER_STATE_DIR/running"
    rm -f "$RIGGER_STATE_DIR/looks"
"""
CHECK = """
    echo look >>"$RIGGER_STATE_DIR/looks"
    looks=$(wc -l <"$RIGGER_STATE_DIR/looks")
    case $IMAGE_API in
      *sick*) echo "the service is sick" >&2; exit 1 ;;
      *late*) [ "$looks" -ge 3 ] || exit 1 ;;
    esac
    [ "$(cat "$RIGGER_STATE_DIR/running")" = "$IMAGE_API" ]
"""
FAST = ("--confirm-within", "2s", "--confirm-every", "0s")


class Shop:
    """The project, in a folder that is a git repository where a test makes it one."""

    def __init__(self, rigger, modules, environments=("wood",), manifest=MANIFEST):
        self.rigger = rigger
        self.modules = modules
        self.noted = os.path.join(rigger.folder, "noted")
        rigger.env["NOTED"] = self.noted
        make = 'echo \'{"name": "n1", "address": "127.0.0.1"}\' >>"$RIGGER_INVENTORY_OUTPUT"\n'
        modules.write("provider", "soil", create=make, exec="exit 253\n")  # the node is on paper alone
        self.platform = modules.write("platform", "shop", QUESTIONS, deploy=DEPLOY, check=CHECK)
        self.write(manifest)
        for name in environments:
            rigger("configure", "--defaults", "--name", name, "--provider", "soil", "--platform", "shop")

    def write(self, manifest, name=".rigger_project"):
        with open(os.path.join(self.rigger.folder, name), "w") as file:
            file.write(manifest if isinstance(manifest, str) else json.dumps(manifest, indent=2))

    def build(self, tag, *, label="latest", code=0, **others):
        """Do what CI does: let a label mean a new image."""
        words = [f"{name}=127.0.0.1:9/{name}:{tag}" for name in ("api", *others)]
        return self.rigger("image", "set", label, *words, code=code)

    def deploy(self, *words, code=0, fast=True, **options):
        return self.rigger("deploy", *words, "-y", *(FAST if fast else ()), code=code, **options)

    def json(self, *words, code=0):
        return json.loads(self.rigger(*words, "-o", "json", code=code).out)

    def runs(self, environment="wood"):
        """Return the image that "runs" there, by the platform's own file."""
        path = self.rigger.path("environments", environment, "modules", "shop", "running")
        if not os.path.exists(path):
            return None
        with open(path) as file:
            return file.read().strip()

    def value(self, name="IMAGE_API", environment="wood"):
        return self.rigger("-e", environment, "config", "get", name).out.strip()

    def label(self, name):
        return self.json("image", "list")["labels"].get(name, {})

    def status(self, environment="stage"):
        [found] = [one for one in self.json("release", "status")["environments"] if one["id"] == environment]
        return found

    def deployments(self, environment="stage"):
        """Return the records of the deployments to an environment, the oldest first."""
        every = [
            one for release in self.json("release", "list")["releases"] for one in release["deployments"]
        ]
        return sorted(
            (one for one in every if one["environment"]["id"] == environment),
            key=lambda one: one["date_created"],
        )

    def git(self, *words):
        settings = ["-c", "user.name=ann", "-c", "user.email=ann@example"]
        done = subprocess.run(
            ["git", *settings, *words], cwd=self.rigger.folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()


# Nobody listens there, which a registry is asked for a digest.
def image(tag, name="api"):
    return f"127.0.0.1:9/{name}:{tag}"
