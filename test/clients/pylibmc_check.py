"""pylibmc (Debian: python3-pylibmc) against a running server: python3 FILE HOST PORT.

libmemcached beneath it speaks the binary protocol or text; both are tried. Says so and ends well
where pylibmc is not installed.
"""

import sys

try:
    import pylibmc
except ImportError:
    print("left out: pylibmc is not installed (apt-get install python3-pylibmc)")
    sys.exit(0)

host, port = sys.argv[1], sys.argv[2]
checks = 0


def same(actual, expected):
    global checks
    checks += 1
    if actual != expected:
        sys.exit(f"check {checks}: {str(actual)[:200]!r} instead of {str(expected)[:200]!r}")


for binary in (False, True):
    behaviors = {"cas": True, "tcp_nodelay": True, "no_block": False}
    client = pylibmc.Client([f"{host}:{port}"], binary=binary, behaviors=behaviors)
    same(client.flush_all(), True)
    same(client.get("k"), None)
    for value in ("Grüße \r\n END", b"\0\r\n\xff", 42, 2**40, True, {"a": [1, None]}, ""):
        same(client.set("k", value), True)
        same(client.get("k"), value)
    for key in ("schlüssel", "テキスト", "k" * 250):
        same(client.set(key, "x"), True)
        same(client.get(key), "x")
    same(client.delete("k"), True)
    same(client.delete("k"), False)
    try:
        same(client.replace("k", "x"), False)
    except pylibmc.NotFound:  # So the binary protocol says it.
        checks += 1
    same(client.add("k", "b"), True)
    same(client.add("k", "x"), False)
    same(client.append("k", "c"), True)
    same(client.prepend("k", "a"), True)
    same(client.get("k"), "abc")
    same(client.set("n", 9), True)
    same(client.incr("n", 3), 12)
    same(client.decr("n", 100), 0)
    try:
        client.incr("nokey")
        sys.exit("a counter that is not there was counted")
    except pylibmc.NotFound:
        checks += 1
    if not binary:  # In the binary protocol pylibmc cannot ask for cas numbers.
        same(client.set("c", "one"), True)
        value, cas = client.gets("c")
        same(value, "one")
        same(client.cas("c", "two", cas), True)
        try:
            same(client.cas("c", "three", cas), False)
        except pylibmc.Error:
            checks += 1
        same(client.get("c"), "two")
    same(client.set("k", "x", time=100), True)
    same(client.touch("k", 200), True)
    same(client.touch("nokey", 200), False)
    same(client.set("gone", "x", time=2592001), True)
    same(client.get("gone"), None)
    many = {f"m{i}": f"{i} " * (10000 if i % 10 == 0 else 10) for i in range(300)}
    same(client.set_multi(many), [])
    same(client.get_multi([*many, "nokey"]), many)
    same(client.delete_multi(list(many)), True)
    same(client.get_multi(list(many)), {})
    large = {f"l{i}": f"{i} " * 20000 for i in range(150)}
    same(client.set_multi(large), [])
    same(client.get_multi(list(large)), large)
    same(client.set("big", "x" * 900_000), True)
    same(len(client.get("big")), 900_000)
    try:
        same(client.set("big", b"x" * 2_000_000), False)
    except pylibmc.Error:
        checks += 1
    same(client.get("big"), None)
    (_, stats), = client.get_stats()
    same(stats[b"version" if b"version" in stats else "version"] in (b"1.6.45", "1.6.45"), True)
    same(client.flush_all(), True)
    same(client.get_multi(list(large)), {})
print(f"{checks} checks passed")
