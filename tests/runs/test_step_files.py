"""The files through which a script gives values back."""

import pytest


@pytest.mark.parametrize("instead", ["mkfifo", "mkdir", "ln -s /etc/passwd"])
def test_something_else_than_a_file_of_values_is_refused(cluster, instead):
    cluster.script("provider", "create", f'rm -f "$RIGGER_OUTPUT"; {instead} "$RIGGER_OUTPUT"')
    said = cluster.rigger("provision", code=5, timeout=60)
    assert "something else than a file" in said.out + said.err
    cluster.script("provider", "create")
    cluster.rigger("provision")
