import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import net.spy.memcached.AddrUtil;
import net.spy.memcached.CASResponse;
import net.spy.memcached.CASValue;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.ConnectionFactoryBuilder.Protocol;
import net.spy.memcached.MemcachedClient;

/** spymemcached against a running server, in text and in the binary protocol: java -cp JARS FILE HOST PORT. */
public class SpymemcachedCheck {
  private static int checks = 0;

  private static void same(Object actual, Object expected) {
    checks++;
    if (Objects.equals(actual, expected)) return;
    System.out.println("check " + checks + ": " + actual + " instead of " + expected);
    System.exit(1);
  }

  public static void main(String[] arguments) throws Exception {
    System.setProperty("net.spy.log.LoggerImpl", "net.spy.memcached.compat.log.SunLogger");
    java.util.logging.Logger.getLogger("net.spy").setLevel(java.util.logging.Level.OFF);
    for (Protocol protocol : Protocol.values()) check(protocol, arguments[0] + ":" + arguments[1]);
    System.out.println(checks + " checks passed");
    System.exit(0);
  }

  private static void check(Protocol protocol, String address) throws Exception {
    List<InetSocketAddress> servers = AddrUtil.getAddresses(address);
    MemcachedClient client =
        new MemcachedClient(
            new ConnectionFactoryBuilder().setProtocol(protocol).setOpTimeout(10_000).build(), servers);
    client.flush().get();
    same(client.get("k"), null);
    for (Object value : new Object[] {"Gr\u00fc\u00dfe", "", 42, 1.5, 1L << 40, true, "a\r\nEND\r\n"}) {
      same(client.set("k", 0, value).get(), true);
      same(client.get("k"), value);
    }
    byte[] large = new byte[700_000];
    for (int i = 0; i < large.length; i++) large[i] = (byte) (i * 31 + i / 255);
    same(client.set("large", 0, large).get(), true);
    same(Arrays.equals((byte[]) client.get("large"), large), true);
    same(client.add("k", 0, "x").get(), false);
    same(client.replace("nothing", 0, "x").get(), false);
    same(client.set("k", 0, "b").get(), true);
    same(client.append("k", "c").get(), true);
    same(client.prepend("k", "a").get(), true);
    same(client.get("k"), "abc");
    CASValue<Object> shown = client.gets("k");
    same(client.cas("k", shown.getCas(), "new"), CASResponse.OK);
    same(client.cas("k", shown.getCas(), "newer"), CASResponse.EXISTS);
    same(client.cas("nothing", shown.getCas(), "x"), CASResponse.NOT_FOUND);
    same(client.get("k"), "new");
    same(client.incr("n", 1, 10L), 10L);
    same(client.incr("n", 5), 15L);
    same(client.decr("n", 100), 0L);
    same(client.incr("missing", 1), -1L);
    same(client.touch("k", 1000).get(), true);
    same(client.touch("nothing", 1000).get(), false);
    if (protocol == Protocol.BINARY) same(client.getAndTouch("k", 500).getValue(), "new");
    same(client.delete("k").get(), true);
    same(client.delete("k").get(), false);
    Map<String, Object> many = new HashMap<>();
    List<Object> pending = new ArrayList<>();
    for (int i = 0; i < 500; i++) many.put("many" + i, "value " + i);
    for (Map.Entry<String, Object> one : many.entrySet()) {
      pending.add(client.set(one.getKey(), 0, one.getValue()));
    }
    same(client.waitForQueues(10, TimeUnit.SECONDS), true);
    same(client.getBulk(many.keySet()), many);
    // Items of up to 1 MB: more is refused, and what was there is gone.
    String random = new java.util.Random(7).ints(1_500_000, 32, 127)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
    String refusal = "";
    try {
      client.set("many1", 0, random.getBytes(StandardCharsets.ISO_8859_1)).get();
    } catch (ExecutionException error) {
      refusal = error.getMessage();
    }
    // In text it takes the answer for a failure of the server, and comes again.
    if (protocol == Protocol.TEXT) same(refusal.contains("object too large for cache"), true);
    same(client.get("many1"), null);
    same(client.getVersions().values().iterator().next(), "1.6.45");
    Map<String, String> stats = client.getStats().values().iterator().next();
    same(stats.containsKey("cmd_get") && stats.containsKey("curr_items"), true);
    same(client.flush().get(), true);
    same(client.get("many2"), null);
    client.shutdown();
  }
}
