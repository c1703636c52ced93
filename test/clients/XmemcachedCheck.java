import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import net.rubyeye.xmemcached.CommandFactory;
import net.rubyeye.xmemcached.GetsResponse;
import net.rubyeye.xmemcached.MemcachedClient;
import net.rubyeye.xmemcached.MemcachedClientBuilder;
import net.rubyeye.xmemcached.XMemcachedClientBuilder;
import net.rubyeye.xmemcached.command.BinaryCommandFactory;
import net.rubyeye.xmemcached.command.TextCommandFactory;
import net.rubyeye.xmemcached.utils.AddrUtil;

/** xmemcached against a running server, in text and in the binary protocol: java -cp JARS FILE HOST PORT. */
public class XmemcachedCheck {
  private static int checks = 0;

  private static void same(Object actual, Object expected) {
    checks++;
    if (Objects.equals(actual, expected)) return;
    System.out.println("check " + checks + ": " + actual + " instead of " + expected);
    System.exit(1);
  }

  public static void main(String[] arguments) throws Exception {
    String address = arguments[0] + ":" + arguments[1];
    check(new TextCommandFactory(), address);
    check(new BinaryCommandFactory(), address);
    System.out.println(checks + " checks passed");
    System.exit(0);
  }

  private static void check(CommandFactory protocol, String address) throws Exception {
    MemcachedClientBuilder builder = new XMemcachedClientBuilder(AddrUtil.getAddresses(address));
    builder.setCommandFactory(protocol);
    // With more, what is sent without reply and what is asked behind it may go different ways.
    builder.setConnectionPoolSize(1);
    MemcachedClient client = builder.build();
    client.setOpTimeout(10_000);
    client.flushAll();
    same(client.get("k"), null);
    for (Object value : new Object[] {"Gr\u00fc\u00dfe", "", 42, 1.5, 1L << 40, true, "a\r\nEND\r\n"}) {
      same(client.set("k", 0, value), true);
      same(client.get("k"), value);
    }
    byte[] large = new byte[700_000];
    for (int i = 0; i < large.length; i++) large[i] = (byte) (i * 31 + i / 255);
    same(client.set("large", 0, large), true);
    same(Arrays.equals((byte[]) client.get("large"), large), true);
    same(client.add("k", 0, "x"), false);
    same(client.replace("nothing", 0, "x"), false);
    same(client.set("k", 0, "b"), true);
    same(client.append("k", "c"), true);
    same(client.prepend("k", "a"), true);
    same(client.get("k"), "abc");
    GetsResponse<String> shown = client.gets("k");
    same(client.cas("k", 0, "new", shown.getCas()), true);
    same(client.cas("k", 0, "newer", shown.getCas()), false);
    same(client.get("k"), "new");
    same(client.incr("n", 1, 10), 10L);
    same(client.incr("n", 5, 10), 15L);
    same(client.decr("n", 100, 10), 0L);
    same(client.touch("k", 1000), true);
    if (protocol instanceof BinaryCommandFactory) same(client.getAndTouch("k", 500), "new");
    same(client.delete("k"), true);
    same(client.delete("k"), false);
    client.setWithNoReply("quiet", 0, "1");
    client.addWithNoReply("quiet", 0, "2");
    client.appendWithNoReply("quiet", "3");
    same(client.get("quiet"), "13");
    Map<String, Object> many = new HashMap<>();
    List<String> keys = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      keys.add("many" + i);
      many.put("many" + i, "value " + i);
      same(client.set("many" + i, 0, "value " + i), true);
    }
    same(client.get(keys), many);
    same(client.gets(keys).size(), 500);
    same(client.getVersions().values().iterator().next(), "1.6.45");
    Map<String, String> stats = client.getStats().values().iterator().next();
    same(stats.containsKey("cmd_get") && stats.containsKey("curr_items"), true);
    same(client.getStatsByItem("items").size(), 1);
    client.flushAll();
    same(client.get("many2"), null);
    client.shutdown();
  }
}
