"""rigger restore; the way there and back is in tests/commands/test_backup.py."""

import json


def test_a_report_names_the_file_and_the_steps(provisioned):
    provisioned.script("platform", "restore", 'cp "$RIGGER_BACKUP_FILE" "$RIGGER_STATE_DIR/restored"')
    with open(provisioned.rigger.path("file"), "w") as file:
        file.write("data\n")
    said = provisioned.rigger("restore", provisioned.rigger.path("file"), "--yes", "-o", "json")
    report = json.loads(said.out)
    assert [step["step"] for step in report["steps"]] == ["restore", "check"]
    assert provisioned.content("modules", "tree", "restored") == "data\n"


def test_a_file_has_to_be_named(provisioned):
    assert "FILE" in provisioned.rigger("restore", code=2).err
    assert provisioned.ran() == []
