"""memcached-tool (of Debian's package memcached) against a running server: python3 FILE HOST PORT.

Not part of `npm test`. Says so and ends well where the tool is not installed.
"""

import os
import socket
import subprocess
import sys

TOOL = "/usr/share/memcached/scripts/memcached-tool"
KEYS = 300

if not os.path.exists(TOOL):
    print("left out: memcached-tool is not installed (apt-get install memcached)")
    sys.exit(0)

host, port = sys.argv[1], int(sys.argv[2])
connection = socket.create_connection((host, port), timeout=5)
sent = "flush_all\r\n"
for i in range(KEYS):
    sent += f"set tool:{i} {i} 0 {i}\r\n{'x' * i}\r\n"
connection.sendall(sent.encode())
expected = len("OK\r\n") + KEYS * len("STORED\r\n")
while expected > 0:
    expected -= len(connection.recv(65536))
connection.close()


def tool(*arguments):
    run = subprocess.run(
        ["perl", TOOL, f"{host}:{port}", *arguments], capture_output=True, timeout=60, check=False
    )
    if run.returncode != 0:
        sys.exit(f"{arguments}: {run.stderr.decode()}")
    return run.stdout.decode("latin1")


def check(name, is_right, output):
    if not is_right:
        sys.exit(f"{name} is not right:\n{output}")


display = tool("display").splitlines()
counts = [int(line.split()[4]) for line in display[1:]]
check("display", display[0].split()[:2] == ["#", "Item_Size"] and sum(counts) >= KEYS, display)

stats = dict(line.split()[:2] for line in tool("stats").splitlines()[1:])
check("stats", stats["curr_items"] == str(KEYS) and stats["version"] == "1.6.45", stats)

settings = dict(line.split()[:2] for line in tool("settings").splitlines()[1:])
check("settings", settings["maxconns"].isdigit() and settings["lru_crawler"] == "yes", settings)

sizes = tool("sizes")
check("sizes", "sizes_status" in sizes, sizes)

keys = tool("keys").splitlines()
check("keys", len(keys) == KEYS and all(line.startswith("key=tool%3A") for line in keys), keys)

dump = tool("dump").splitlines()
adds = {line for line in dump if line.startswith("add ")}
# The tool writes the value of 0 bytes as an empty line like any other.
check("dump", adds == {f"add tool:{i} {i} 0 {i}" for i in range(KEYS)}, dump)

print("6 checks passed: display, stats, settings, sizes, keys, dump")
