# shellcheck shell=bash
# Summary: How a snapshot file is told from a damaged one, on this computer.
# Needs: RIGGER_PYTHON
#
# etcd ends a snapshot with the SHA-256 of all before it, and a database consists of pages of 512 bytes or more:
# https://etcd.io/docs/v3.5/op-guide/recovery/

# Prints the file's own SHA-256; false, with the reason, when it is no whole snapshot.
check_snapshot() {
    "$RIGGER_PYTHON" -c '
import hashlib, os, sys
content, whole = hashlib.sha256(), hashlib.sha256()
try:
    with open(sys.argv[1], "rb") as file:
        size = os.fstat(file.fileno()).st_size
        left = size - 32
        if left <= 0 or left % 512:
            sys.exit("it is not a snapshot of etcd, or not all of one")
        while left:
            block = file.read(min(left, 1 << 20))
            content.update(block)
            whole.update(block)
            left -= len(block)
        end = file.read()
except OSError as problem:
    sys.exit(problem.strerror)
if end != content.digest():
    sys.exit("it is damaged: its contents and its checksum differ")
whole.update(end)
print(whole.hexdigest())
' "$1"
}
