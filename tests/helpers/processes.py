"""What runs: below a process, or for a folder."""

import contextlib
import os


def below(pid):
    """Return the processes below one, from /proc."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            found += [int(name), *below(int(name))]
    return found


def name_of(pid):
    """Return the name of a process, nothing where it has ended."""
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""


def at_home_below(folder):
    """Return the processes that have a folder below this one for their home."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
            if f"HOME={folder}/".encode() in file.read():
                found.append(int(name))
    return found
