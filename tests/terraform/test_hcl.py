"""What .tf files say, as rigger reads them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from helpers.terraform_provider import MANIFEST, TerraformProvider, needs_terraform

from rigger.terraform import hcl, steps
from rigger.terraform.hcl import Variable


@pytest.fixture
def write(tmp_path):
    """Write files into a module's folder, and return that."""

    def write(**files: str) -> str:
        folder = tmp_path / "module"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_bytes(text.encode())
        return str(folder)

    return write


@pytest.fixture
def clay(tmp_path, monkeypatch) -> TerraformProvider:
    return TerraformProvider(tmp_path, monkeypatch)


@pytest.fixture
def cache(tmp_path) -> str:
    (tmp_path / "home").mkdir()
    return str(tmp_path / "home" / "cache" / "hcl")


def variables(folder: str) -> dict[str, Variable]:
    content = hcl.read_folder(folder)
    assert content.is_known, content.problems
    return dict(content.variables)


# ---- variables -------------------------------------------------------------------------------------------


def test_a_heredoc_declares_nothing(write):
    folder = write(
        main__tf="""\
variable "text" {
  default = <<-EOT
    variable "x" {
      type = list(string)
    # no comment
  EOT
}
locals {
  script = <<EOT
variable "y" {}
terraform { backend "s3" {} }
EOT
}
variable "after" { type = number }
"""
    )
    assert variables(folder) == {"text": Variable(True, ""), "after": Variable(False, "number")}
    assert not hcl.read_folder(folder).has_backend


def test_comments_declare_nothing(write):
    folder = write(
        main__tf="""\
# variable "a" {}
// variable "b" {}
/* variable "c" {
   default = 1 } */
variable "d" { # default = 1
  // default = 2
  /* default = 3 */ type = string # list
}
/* terraform { backend "s3" {} } */
"""
    )
    assert variables(folder) == {"d": Variable(False, "string")}
    assert not hcl.read_folder(folder).has_backend


def test_what_is_nested_belongs_to_its_block(write):
    folder = write(
        main__tf="""\
variable "size" {
  type = object({
    name    = string # what it is called
    default = optional(number, 3)
  })
  validation {
    condition     = alltrue([for k, v in var.size : v != "}"])
    error_message = "{ is ${var.size["name"]} }"
  }
}
module "m" {
  source  = "./m"
  backend = { default = 1 }
}
"""
    )
    assert variables(folder) == {"size": Variable(False, "object({name=string,default=optional(number,3)})")}
    assert not hcl.read_folder(folder).has_backend


def test_strings_may_hold_braces_quotes_and_comments(write):
    folder = write(
        main__tf="""\
variable "a" {
  description = "} /* \\" ${"}"} # // variable \\"b\\" {"
  default     = "{"
}
variable c { type = map(string) }
"""
    )
    assert variables(folder) == {"a": Variable(True, ""), "c": Variable(False, "map(string)")}


def test_letters_of_any_script(write):
    folder = write(
        main__tf='variable "größe" { default = "日本 – ü" }\n# ☃\n',
        windows__tf='\ufeffvariable "w" {\r\n  type = string\r\n}\r\n',
    )
    assert variables(folder) == {"größe": Variable(True, ""), "w": Variable(False, "string")}


@pytest.mark.parametrize("type", ["string", '"string"', "number", "bool", ""])
def test_a_plain_type_is_no_expression(write, type):
    line = f"type = {type}" if type else ""
    assert not variables(write(main__tf=f'variable "a" {{\n  {line}\n}}\n'))["a"].is_expression


@pytest.mark.parametrize("type", ["list(string)", '"list"', "any", "object({a = string})"])
def test_any_other_type_is_one(write, type):
    assert variables(write(main__tf=f'variable "a" {{ type = {type} }}'))["a"].is_expression


def test_json_says_the_same(write):
    body = {
        "variable": [{"a": {"type": "list(string)"}}, {"b": [{"default": 1}], "c": {}}],
        "terraform": {"backend": {"s3": {}}},
        "//": 'a comment: variable "no" {}',
    }
    folder = write(main__tf__json=json.dumps(body))
    assert variables(folder) == {
        "a": Variable(False, "list(string)"),
        "b": Variable(True, ""),
        "c": Variable(False, ""),
    }
    assert hcl.read_folder(folder).has_backend


def test_an_override_adds_to_what_it_overrides(write):
    folder = write(
        a_override__tf='variable "a" { default = "x" }', main__tf='variable "a" { type = list(string) }'
    )
    assert variables(folder) == {"a": Variable(True, "list(string)")}


@pytest.mark.parametrize(
    "text",
    [
        'terraform {\n  backend "s3" {\n  }\n}\n',
        "terraform {\n  backend s3 {}\n}\n",
        'terraform {\n  cloud {\n    organization = "x"\n  }\n}\n',
        'terraform {\n  required_version = ">= 1"\n}\nterraform {\n  backend "http" {}\n}\n',
    ],
)
def test_a_backend_of_its_own_is_seen(write, text):
    assert hcl.read_folder(write(main__tf=text)).has_backend


def test_files_of_values(write):
    folder = write(
        terraform__tfvars='a = "x"\nb = {\n  c = 1\n}\nd = <<E\ne = 1\nE\n# f = 1\n',
        **{"x.auto.tfvars.json": '{"g": [1], "h": null}', "other.tfvars": "i = 1"},
    )
    found = {os.path.basename(path): set(content.names) for path, content in hcl.value_files(folder)}
    assert found == {"terraform.tfvars": {"a", "b", "d"}, "x.auto.tfvars.json": {"g", "h"}}


# ---- what cannot be read ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("main.tf", 'variable "a" {}\n\nvariable "b" {\n  type =\n}\n', 4),
        ("main.tf", 'variable "a" {\n  default = 1\n\n', 2),
        ("main.tf", "\n\n%\n", 3),
        ("main.tf.json", '{"variable": {\n  "a": }}', 2),
        ("terraform.tfvars", "a = 1\nb = = 2\n", 2),
    ],
)
def test_what_cannot_be_read_is_told_with_file_and_line(write, name, text, line):
    folder = write(**{name.replace(".", "__"): text})
    path = os.path.join(folder, name)
    (sentence,) = hcl.unreadable(folder)
    assert sentence.startswith(f"{path}, line {line}: rigger cannot read this file: ")
    assert sentence.endswith(".") and "\n" not in sentence


def test_the_other_files_count_all_the_same(write):
    folder = write(good__tf='variable "a" { type = any }', bad__tf="variable {{{")
    content = hcl.read_folder(folder)
    assert not content.is_known and content.variables == {"a": Variable(False, "any")}


@needs_terraform
def test_what_terraform_accepts_is_not_refused(clay):
    """A name in other letters than ASCII's stands bare: python-hcl2 does not know it, Terraform does."""
    clay.write("more.tf", 'locals {\n  größe = 1\n}\nvariable "colour" { default = "none" }\n')
    clay.write("extra.tf", 'output "colour" { value = var.colour }\n')
    clay.write("rigger.yml", f"{MANIFEST}  - {{name: COLOUR}}\n")
    clay.values["COLOUR"] = "blue"
    for _ in range(2):
        clay.create()
    assert f"warning: {clay.module}/more.tf, line 2: rigger cannot read this file" in clay.text
    assert clay.state()["outputs"]["colour"]["value"] == "blue"
    assert len(clay.made()) == 2
    clay.run(steps.destroy)
    assert clay.made() == []


# ---- what is kept ----------------------------------------------------------------------------------------


def test_a_file_that_changes_is_read_again(write, cache):
    folder = write(main__tf='variable "a" {}')
    assert list(hcl.read_folder(folder, cache).variables) == ["a"]
    write(main__tf='variable "b" {}')
    assert list(hcl.read_folder(folder, cache).variables) == ["b"]
    assert len(os.listdir(cache)) == 2
    write(main__tf='variable "a" {}')
    assert list(hcl.read_folder(folder, cache).variables) == ["a"]
    assert len(os.listdir(cache)) == 2


def test_what_is_kept_needs_no_parser(write, cache):
    folder = write(main__tf='variable "a" { type = list(string) }', bad__tf="{", terraform__tfvars="a = []")
    program = (
        "import sys\nfrom rigger.terraform import hcl\n"
        "content = hcl.read_folder(*sys.argv[1:])\n"
        "print(dict(content.variables), content.problems, list(hcl.value_files(*sys.argv[1:])))\n"
        "print([name for name in ('hcl2', 'lark', 'importlib.metadata') if name in sys.modules])\n"
    )
    argv = [sys.executable, "-c", program, folder, cache]
    cold, warm = (subprocess.check_output(argv, text=True).splitlines() for _ in range(2))
    assert cold[0] == warm[0] and "Variable(has_default=False, type='list(string)')" in warm[0]
    assert "'hcl2', 'lark'" in cold[1] and warm[1] == "[]"


def test_another_version_of_the_parser_reads_again(write, cache, monkeypatch):
    folder = write(main__tf='variable "a" {}')
    hcl.read_folder(folder, cache)
    monkeypatch.setattr(hcl, "_parser_version", lambda: "9.0")
    hcl.read_folder(folder, cache)
    assert len(os.listdir(cache)) == 2


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"variables": {"a": {}}}', b'{"variables": 1}'])
def test_what_is_kept_and_broken_is_read_again(write, cache, data):
    folder = write(main__tf='variable "a" {}')
    hcl.read_folder(folder, cache)
    (name,) = os.listdir(cache)
    with open(os.path.join(cache, name), "wb") as file:
        file.write(data)
    assert list(hcl.read_folder(folder, cache).variables) == ["a"]
    with open(os.path.join(cache, name), "rb") as file:
        assert file.read() != data


def test_no_home_is_made_to_keep_something(write, tmp_path):
    folder = write(main__tf='variable "a" {}')
    assert list(hcl.read_folder(folder, str(tmp_path / "none" / "cache" / "hcl")).variables) == ["a"]
    assert not (tmp_path / "none").exists()
