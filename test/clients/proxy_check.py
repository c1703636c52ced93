"""Several running servers behind a proxy: python3 FILE HOST PROXY-PORT PORT...

Needs nothing but Python: it speaks to the proxy as any client in text does.
"""

import socket
import sys

host, proxy, ports = sys.argv[1], int(sys.argv[2]), [int(port) for port in sys.argv[3:]]
KEYS = 600
checks = 0


def check(is_right, what):
    global checks
    checks += 1
    if not is_right:
        sys.exit(f"check {checks}: {what}")


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection((host, port), timeout=10)
        self.file = self.socket.makefile("rb")

    def ask(self, request):
        self.socket.sendall(request)
        return self.file.readline()

    def get(self, *keys):
        self.socket.sendall(b"get " + b" ".join(keys) + b"\r\n")
        found = {}
        while True:
            words = self.file.readline().split()
            if words == [b"END"]:
                return found
            check(words[:1] == [b"VALUE"], f"{words} in place of a value")
            found[words[1]] = self.file.read(int(words[3]))
            self.file.read(2)


def items(port):
    connection = Connection(port)
    connection.socket.sendall(b"stats\r\nquit\r\n")
    text = connection.file.read().decode()
    return int(text.split("STAT curr_items ")[1].split()[0])


for port in ports:
    check(Connection(port).ask(b"flush_all\r\n") == b"OK\r\n", "flush_all")
client = Connection(proxy)
values = {b"key%d" % i: b"value %d " % i * (2000 if i % 10 == 0 else 5) for i in range(KEYS)}
# All in one pipeline.
client.socket.sendall(
    b"".join(b"set %s 7 100 %d\r\n%s\r\n" % (k, len(v), v) for k, v in values.items())
)
check(all(client.file.readline() == b"STORED\r\n" for _ in values), "not everything was stored")
check(client.get(*values, b"nokey") == values, "a multiget of all keys")
counts = [items(port) for port in ports]
check(sum(counts) == KEYS, f"{counts} items")
check(min(counts) > KEYS / len(ports) / 3, f"the servers have {counts} items")
for request, reply in (
    (b"add key1 0 0 1\r\nx\r\n", b"NOT_STORED\r\n"),
    (b"replace nokey 0 0 1\r\nx\r\n", b"NOT_STORED\r\n"),
    (b"set n 0 0 1\r\n9\r\n", b"STORED\r\n"),
    (b"incr n 3\r\n", b"12\r\n"),
    (b"decr n 100\r\n", b"0\r\n"),
    (b"incr nokey 1\r\n", b"NOT_FOUND\r\n"),
    (b"incr key1 1\r\n", b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"),
    (b"append n 0 0 1\r\nx\r\n", b"STORED\r\n"),
    (b"prepend n 0 0 1\r\nx\r\n", b"STORED\r\n"),
    (b"cas key1 0 0 1 987654321\r\nx\r\n", b"EXISTS\r\n"),
    (b"cas nokey 0 0 1 1\r\nx\r\n", b"NOT_FOUND\r\n"),
    (b"touch key1 100\r\n", b"TOUCHED\r\n"),
    (b"set big 0 0 900000\r\n" + b"x" * 900000 + b"\r\n", b"STORED\r\n"),
    (b"delete key1\r\n", b"DELETED\r\n"),
    (b"delete key1\r\n", b"NOT_FOUND\r\n"),
):
    got = client.ask(request)
    check(got == reply, f"{request[:60]!r} was answered {got!r}")
check(len(client.get(b"big")[b"big"]) == 900000, "the large value")
client.socket.sendall(b"gets key2\r\n")
line = client.file.readline().split()
client.file.read(int(line[3]) + 2)
check(client.file.readline() == b"END\r\n", "gets")
check(client.ask(b"cas key2 0 0 1 %s\r\nx\r\n" % line[4]) == b"STORED\r\n", "cas with the right number")
print(f"{checks} checks passed; items of the servers: {counts}")
