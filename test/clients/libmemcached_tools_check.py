"""The tools of libmemcached (Debian: libmemcached-tools) against a running server: python3 FILE HOST PORT.

Not memccapable, which has a check of its own. Says so and ends well where they are not installed.
"""

import os
import shutil
import subprocess
import sys
import tempfile

if shutil.which("memcstat") is None:
    print("left out: they are not installed (apt-get install libmemcached-tools)")
    sys.exit(0)

servers = f"--servers={sys.argv[1]}:{sys.argv[2]}"
checks = 0


def tool(name, *arguments, status=0):
    global checks
    checks += 1
    run = subprocess.run([name, *arguments], capture_output=True, timeout=60, check=False)
    said = (run.stdout + run.stderr).decode("latin1")
    if run.returncode != status:
        sys.exit(f"{name} {arguments} ended with {run.returncode}: {said}")
    return said


def check(is_right, what):
    if not is_right:
        sys.exit(f"check {checks}: {what[:500]!r}")


with tempfile.TemporaryDirectory() as folder:
    file = os.path.join(folder, "copied")
    with open(file, "w", encoding="ascii") as out:
        out.write("of a file")
    tool("memcflush", servers)
    for protocol in ((), ("--binary",)):
        tool("memcping", servers)
        tool("memccp", servers, *protocol, file)
        check("of a file" in (said := tool("memccat", servers, *protocol, "copied")), said)
        tool("memcexist", servers, *protocol, "copied")
        tool("memcexist", servers, *protocol, "nothing", status=1)
        tool("memctouch", servers, *protocol, "--expire=100", "copied")
        check("copied" in (said := tool("memcdump", servers)), said)
        tool("memcrm", servers, *protocol, "copied")
        tool("memcexist", servers, *protocol, "copied", status=1)
    check("curr_items: " in (said := tool("memcstat", servers)), said)
    for test in ("set", "get", "mget"):
        for protocol in ((), ("--binary",)):
            load = ("--concurrency=4", "--execute-number=100", f"--test={test}")
            check("Time total" in (said := tool("memcslap", servers, *load, *protocol)), said)
    for protocol in ((), ("-B",)):
        load = ("-s", f"{sys.argv[1]}:{sys.argv[2]}", "-x", "5000", "-T", "1", "-c", "8", "-v", "0.1")
        said = tool("memcaslap", *load, *protocol)
        check("get_misses: 0" in said and "cmd_set" in said, said)
    tool("memcflush", servers)
print(f"{checks} checks passed")
