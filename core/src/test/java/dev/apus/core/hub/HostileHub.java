package dev.apus.core.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/**
 * A hub on this machine that redirects to a store, as large hubs do, and whose store can be told to
 * answer badly.
 */
final class HostileHub implements AutoCloseable {

  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  /** What the store does instead of answering well. */
  enum Fault {
    DROP,
    STALL,
    DAMAGE,
    BUSY,
    NO_RANGES,
    LOOP,
    ELSEWHERE,
    FORBIDDEN
  }

  private final HttpServer hub;
  private final HttpServer store;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Map<String, byte[]> files = new TreeMap<>();
  private final Map<String, List<Fault>> faults = new ConcurrentHashMap<>();
  private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
  private final List<String> tokens = Collections.synchronizedList(new ArrayList<>());
  private final AtomicLong served = new AtomicLong();
  private volatile int status = 200;
  private volatile String listing;

  HostileHub() throws IOException {
    hub = server();
    store = server();
    hub.createContext("/api/", this::list);
    hub.createContext("/", this::redirect);
    store.createContext("/", this::send);
    hub.start();
    store.start();
  }

  private HttpServer server() throws IOException {
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    return server;
  }

  String address() {
    return "http://127.0.0.1:" + hub.getAddress().getPort();
  }

  void put(String path, byte[] content) {
    files.put(path, content);
  }

  void remove(String path) {
    files.remove(path);
  }

  /** What happens to the next requests of a file, one after another; then all goes well. */
  void fail(String path, Fault... next) {
    faults.put(path, Collections.synchronizedList(new ArrayList<>(List.of(next))));
  }

  void answerListingsWith(int code) {
    status = code;
  }

  void list(String json) {
    listing = json;
  }

  /** Every request for a file that came to the store, with its range. */
  List<String> requests() {
    return List.copyOf(requests);
  }

  /** The tokens that the store saw, which should see none. */
  List<String> tokensSeenByTheStore() {
    return List.copyOf(tokens);
  }

  long served() {
    return served.get();
  }

  private void list(HttpExchange exchange) throws IOException {
    String json = listing == null ? listing() : listing;
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private String listing() {
    return files.entrySet().stream()
        .map(file -> entry(file.getKey(), file.getValue()))
        .collect(
            Collectors.joining(
                ",", "{\"id\":\"a/b\",\"sha\":\"" + COMMIT + "\",\"siblings\":[", "]}"));
  }

  private static String entry(String path, byte[] content) {
    String large =
        path.endsWith(".json")
            ? ""
            : ",\"lfs\":{\"sha256\":\"" + digest("SHA-256", content) + "\",\"pointerSize\":134}";
    return "{\"rfilename\":\""
        + path
        + "\",\"size\":"
        + content.length
        + ",\"blobId\":\""
        + git(content)
        + "\""
        + large
        + "}";
  }

  private static String git(byte[] content) {
    byte[] head = ("blob " + content.length + "\0").getBytes(StandardCharsets.UTF_8);
    byte[] all = new byte[head.length + content.length];
    System.arraycopy(head, 0, all, 0, head.length);
    System.arraycopy(content, 0, all, head.length, content.length);
    return digest("SHA-1", all);
  }

  static String digest(String algorithm, byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private void redirect(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String file = path.substring(path.indexOf(COMMIT) + COMMIT.length() + 1);
    Fault next = next(file, Fault.LOOP, Fault.ELSEWHERE, Fault.FORBIDDEN);
    String location =
        next == Fault.LOOP
            ? path
            : next == Fault.ELSEWHERE
                ? "file:///etc/passwd"
                : "http://127.0.0.1:" + store.getAddress().getPort() + "/" + file;
    exchange.getResponseHeaders().set("Location", location);
    exchange.sendResponseHeaders(next == Fault.FORBIDDEN ? 403 : 302, -1);
    exchange.close();
  }

  /** The next fault of a file if it is one of these; a loop goes on for ever. */
  private Fault next(String file, Fault... of) {
    List<Fault> left = faults.getOrDefault(file, List.of());
    synchronized (left) {
      if (left.isEmpty() || !List.of(of).contains(left.get(0))) {
        return null;
      }
      return left.get(0) == Fault.LOOP ? Fault.LOOP : left.remove(0);
    }
  }

  private void send(HttpExchange exchange) throws IOException {
    String file = exchange.getRequestURI().getPath().substring(1);
    String range = exchange.getRequestHeaders().getFirst("Range");
    requests.add(file + " " + range);
    if (exchange.getRequestHeaders().containsKey("Authorization")) {
      tokens.add(exchange.getRequestHeaders().getFirst("Authorization"));
    }
    byte[] content = files.get(file);
    Fault fault = next(file, Fault.DROP, Fault.STALL, Fault.DAMAGE, Fault.BUSY, Fault.NO_RANGES);
    if (fault == Fault.BUSY) {
      exchange.getResponseHeaders().set("Retry-After", "0");
      exchange.sendResponseHeaders(429, -1);
      exchange.close();
      return;
    }
    int from = 0;
    int to = content.length;
    if (fault != Fault.NO_RANGES) {
      String[] ends = range.substring("bytes=".length()).split("-");
      from = Integer.parseInt(ends[0]);
      to = Integer.parseInt(ends[1]) + 1;
      exchange
          .getResponseHeaders()
          .set("Content-Range", "bytes " + from + "-" + (to - 1) + "/" + content.length);
    }
    exchange.sendResponseHeaders(fault == Fault.NO_RANGES ? 200 : 206, to - from);
    try (exchange;
        OutputStream out = exchange.getResponseBody()) {
      int some = fault == Fault.DROP || fault == Fault.STALL ? (to - from) / 2 : to - from;
      byte[] bytes = Arrays.copyOfRange(content, from, from + some);
      if (fault == Fault.DAMAGE) {
        bytes[bytes.length / 2] ^= 1;
      }
      out.write(bytes);
      out.flush();
      served.addAndGet(some);
      if (fault == Fault.STALL) {
        closing.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      // The other side has had enough, or this one ended too early on purpose.
    }
  }

  @Override
  public void close() {
    closing.countDown();
    hub.stop(0);
    store.stop(0);
    threads.shutdownNow();
  }
}
