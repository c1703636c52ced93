"""python-memcached (Debian: python3-memcache) against a running server: python3 FILE HOST PORT.

Says so and ends well where it is not installed.
"""

import sys

try:
    import memcache
except ImportError:
    print("left out: python-memcached is not installed (apt-get install python3-memcache)")
    sys.exit(0)

host, port = sys.argv[1], sys.argv[2]
client = memcache.Client([f"{host}:{port}"], cache_cas=True, socket_timeout=5)
checks = 0


def same(actual, expected):
    global checks
    checks += 1
    if actual != expected:
        sys.exit(f"check {checks}: {str(actual)[:200]!r} instead of {str(expected)[:200]!r}")


client.flush_all()
same(client.get("k"), None)
for value in ("Grüße \r\n END", b"\0\r\n\xff", 42, 2**40, {"a": [1, None]}, ""):
    same(bool(client.set("k", value)), True)
    same(client.get("k"), value)
same(bool(client.set("schlüssel", "x")), True)
same(client.get("schlüssel"), "x")
same(bool(client.delete("k")), True)
same(bool(client.replace("k", "x")), False)
same(bool(client.add("k", "b")), True)
same(bool(client.add("k", "x")), False)
same(bool(client.append("k", "c")), True)
same(bool(client.prepend("k", "a")), True)
same(client.get("k"), "abc")
client.set("n", "9")
same(client.incr("n", 3), 12)
same(client.decr("n", 100), 0)
same(client.incr("nokey"), None)
client.set("c", "one")
same(client.gets("c"), "one")
same(bool(client.cas("c", "two")), True)
same(client.gets("c"), "two")
other = memcache.Client([f"{host}:{port}"])
other.set("c", "three")
same(bool(client.cas("c", "four")), False)
same(client.get("c"), "three")
same(bool(client.touch("c", 100)), True)
client.set("gone", "x", time=2592001)
same(client.get("gone"), None)
many = {f"m{i}": f"{i} " * (20000 if i % 2 == 0 else 10) for i in range(300)}
same(client.set_multi(many), [])
same(client.get_multi([*many, "nokey"]), many)
same(bool(client.delete_multi(list(many))), True)
same(client.get_multi(many), {})
client.set("big", "x" * 1_000_000)
same(len(client.get("big")), 1_000_000)
(_, stats), = client.get_stats()
same(stats["version"], "1.6.45")
(_, settings), = client.get_stats("settings")
same(settings["item_size_max"], "1048576")
client.flush_all()
same(client.get("c"), None)
print(f"{checks} checks passed")
