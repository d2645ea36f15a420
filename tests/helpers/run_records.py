"""What a run leaves in files."""

import os


def files_with(folder, needle: bytes) -> list[str]:
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                if needle in file.read():
                    found.append(os.path.relpath(path, folder))
    return sorted(found)


def unbroken(cluster) -> bool:
    return "unbroken" in cluster.rigger("audit").out
