"""bmemcached (PyPI: python-binary-memcached) against a running server: python3 FILE HOST PORT.

It speaks the binary protocol; Datadog's agent uses it. Says so and ends well where it is not
installed.
"""

import sys

try:
    import bmemcached
except ImportError:
    print("left out: bmemcached is not installed (pip install python-binary-memcached)")
    sys.exit(0)

host, port = sys.argv[1], sys.argv[2]
client = bmemcached.Client((f"{host}:{port}",), socket_timeout=5)
checks = 0


def same(actual, expected):
    global checks
    checks += 1
    if actual != expected:
        sys.exit(f"check {checks}: {str(actual)[:200]!r} instead of {str(expected)[:200]!r}")


same(client.flush_all(), True)
same(client.get("k"), None)
for value in ("Grüße \r\n END", b"\0\r\n\xff", 42, {"a": [1, None]}, ""):
    same(client.set("k", value), True)
    same(client.get("k"), value)
same(client.set("schlüssel", "x"), True)
same(client.get("schlüssel"), "x")
same(client.delete("k"), True)
same(client.replace("k", "x"), False)
same(client.add("k", "a"), True)
same(client.add("k", "x"), False)
value, cas = client.gets("k")
same(value, "a")
same(client.cas("k", "b", cas), True)
same(client.cas("k", "c", cas), False)
same(client.get("k"), "b")
same(client.incr("n", 3, default=10), 10)
same(client.incr("n", 3), 13)
same(client.decr("n", 100), 0)
same(client.set("gone", "x", time=2592001), True)
same(client.get("gone"), None)
many = {f"m{i}": f"{i} " * (20000 if i % 2 == 0 else 10) for i in range(300)}
same(client.set_multi(many), [])
same(client.get_multi([*many, "nokey"]), many)
same(client.delete_multi(list(many)), True)
same(client.get_multi(list(many)), {})
same(client.set("big", b"x" * 900_000, compress_level=0), True)
same(len(client.get("big")), 900_000)
for argument in (None, "items", "slabs", "settings"):
    (stats,) = client.stats(argument).values()
    same(isinstance(stats, dict) and len(stats) > 0, True)
same(client.flush_all(), True)
same(client.get("n"), None)
client.disconnect_all()
print(f"{checks} checks passed")
