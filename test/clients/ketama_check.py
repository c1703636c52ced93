"""pylibmc with ketama hashing over several running servers: python3 FILE HOST PORT...

Says so and ends well where pylibmc is not installed.
"""

import socket
import sys

try:
    import pylibmc
except ImportError:
    print("left out: pylibmc is not installed (apt-get install python3-pylibmc)")
    sys.exit(0)

host, ports = sys.argv[1], [int(port) for port in sys.argv[2:]]
KEYS = 600
checks = 0


def check(is_right, what):
    global checks
    checks += 1
    if not is_right:
        sys.exit(f"check {checks}: {what}")


def items(port):
    with socket.create_connection((host, port), timeout=5) as connection:
        connection.sendall(b"stats\r\nquit\r\n")
        text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    return int(text.split("STAT curr_items ")[1].split()[0])


def connected(chosen, binary):
    behaviors = {"ketama": True, "tcp_nodelay": True}
    return pylibmc.Client([f"{host}:{port}" for port in chosen], binary=binary, behaviors=behaviors)


for binary in (False, True):
    client = connected(ports, binary)
    client.flush_all()
    values = {f"key{i}": f"value {i} " * 20 for i in range(KEYS)}
    check(client.set_multi(values) == [], "not everything was stored")
    check(connected(ports, binary).get_multi(list(values)) == values, "another client misses keys")
    counts = [items(port) for port in ports]
    check(sum(counts) == KEYS, f"{counts} items")
    check(min(counts) > KEYS / len(ports) / 3, f"the servers have {counts} items")
    # One server less: the keys of the others stay where they are.
    fewer = connected(ports[:-1], binary).get_multi(list(values))
    check(len(fewer) == sum(counts[:-1]), f"{len(fewer)} keys are left of {counts}")
    check(all(values[key] == value for key, value in fewer.items()), "a value is wrong")
print(f"{checks} checks passed; items of the servers: {counts}")
