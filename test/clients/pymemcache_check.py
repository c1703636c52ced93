"""pymemcache (Debian: python3-pymemcache) against a running server: python3 FILE HOST PORT.

Not part of `npm test`. Says so and ends well where pymemcache is not installed. Its commands are
`noreply` by default, so a reply too many puts it out of step: what follows would fail.
"""

import sys

try:
    from pymemcache.client.base import Client
    from pymemcache.exceptions import MemcacheClientError
except ImportError:
    print("left out: pymemcache is not installed (apt-get install python3-pymemcache)")
    sys.exit(0)

host, port = sys.argv[1], int(sys.argv[2])
client = Client((host, port), timeout=2)
checks = 0


def same(actual, expected):
    global checks
    checks += 1
    if actual != expected:
        sys.exit(f"check {checks}: {actual!r} instead of {expected!r}")


version = client.version().decode()
client.flush_all()
same(client.get("k"), None)
# Without replies, whatever comes of them.
client.set("k", "x")
client.add("k", "y")
client.replace("nokey", "y")
client.append("nokey", "y")
client.delete("nokey")
client.touch("nokey", 10)
same(client.get("k"), b"x")
# With replies.
same(client.add("k", "y", noreply=False), False)
same(client.replace("k", "y", noreply=False), True)
same(client.append("k", "z", noreply=False), True)
same(client.prepend("k", "x", noreply=False), True)
same(client.get("k"), b"xyz")
value, cas = client.gets("k")
same(value, b"xyz")
same(client.cas("k", "1", cas), True)
same(client.cas("k", "2", cas), False)
same(client.cas("nokey", "2", cas), None)
same(client.incr("k", 41), 42)
same(client.decr("k", 100), 0)
same(client.incr("nokey", 1), None)
same(client.touch("k", 100, noreply=False), True)
same(client.set_many({f"m{i}": str(i) for i in range(500)}), [])
same(client.get_many([f"m{i}" for i in range(501)]), {f"m{i}": b"%d" % i for i in range(500)})
if hasattr(client, "gat"):  # From 4.0 on.
    same(client.gat("m1", 100), b"1")
same(client.delete("k", noreply=False), True)
same(client.delete("k", noreply=False), False)
try:
    client.set("k", "x" * 2_000_000, noreply=False)
    sys.exit("a value of 2 MB was taken")
except Exception as error:
    same("too large" in str(error), True)
same(client.get("k"), None)
try:
    client.incr("m1", "x")
    sys.exit("x was added")
except (MemcacheClientError, TypeError, ValueError):
    pass
same(client.stats()[b"curr_items"], 500)
client.flush_all(noreply=False)
same(client.get_many(["m1", "m2"]), {})
client.quit()
print(f"{checks} checks passed against {version}")
