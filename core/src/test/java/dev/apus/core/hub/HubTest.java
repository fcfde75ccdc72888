package dev.apus.core.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.hub.HostileHub.Fault;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class HubTest {

  private static final HubModel MODEL = HubModel.parse("some/model");
  private static final String WEIGHTS = "model.safetensors";
  private static final byte[] BYTES = random(100_000, 1);

  @TempDir private Path cache;
  private HostileHub server;

  @BeforeEach
  void start() throws IOException {
    server = new HostileHub();
    server.put("config.json", "{}".getBytes(StandardCharsets.UTF_8));
    server.put("README.md", new byte[10]);
    server.put("pytorch_model.bin", new byte[10]);
    server.put(WEIGHTS, BYTES);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private static byte[] random(int size, long seed) {
    byte[] bytes = new byte[size];
    new SplittableRandom(seed).nextBytes(bytes);
    return bytes;
  }

  private Hub hub() {
    return Hub.of(Map.of(), cache)
        .withEndpoint(server.address())
        .withCache(cache)
        .withPatience(Duration.ofSeconds(30), Duration.ofMillis(1));
  }

  /** Leaves nothing beside the weights that a failure could cut off. */
  private void offerWeightsAlone() {
    server.remove("config.json");
  }

  private static byte[] weights(Path folder) throws IOException {
    return Files.readAllBytes(folder.resolve(WEIGHTS));
  }

  private List<String> blobs() throws IOException {
    try (Stream<Path> all = Files.list(cache.resolve("models--some--model/blobs"))) {
      return all.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void laysFilesOutAsOtherToolsDo() throws IOException {
    Path folder = hub().pull(MODEL);

    Path root = cache.resolve("models--some--model");
    assertEquals(root.resolve("snapshots").resolve(HostileHub.COMMIT), folder);
    assertEquals(HostileHub.COMMIT, Files.readString(root.resolve("refs/main")));
    assertArrayEquals(BYTES, weights(folder));
    Path link = Files.readSymbolicLink(folder.resolve(WEIGHTS));
    assertTrue(link.startsWith("../../blobs"), link.toString());
    assertEquals(64, link.getFileName().toString().length());
    Path settings = Files.readSymbolicLink(folder.resolve("config.json"));
    assertEquals("9e26dfeeb6e641a33dae4961196235bdb965b21b", settings.getFileName().toString());
    try (Stream<Path> all = Files.list(folder)) {
      assertEquals(2, all.count(), "what no model needs does not come");
    }
  }

  @Test
  void getsNothingTwice() {
    hub().pull(MODEL);
    int before = server.requests().size();
    hub().pull(MODEL);
    assertEquals(before, server.requests().size());
  }

  @ParameterizedTest
  @EnumSource(names = {"DROP", "STALL", "BUSY"})
  void goesOnWhereItWasCutOff(Fault fault) throws IOException {
    server.fail(WEIGHTS, fault, fault, fault);
    List<String> troubles = new ArrayList<>();
    Hub hasty = hub().withPatience(Duration.ofMillis(500), Duration.ofMillis(1));
    Path folder = hasty.pull(MODEL, telling(troubles));
    assertArrayEquals(BYTES, weights(folder));
    assertEquals(3, troubles.size(), troubles.toString());
    assertTrue(server.served() <= BYTES.length + 2, "nothing was sent twice");
  }

  private static PullListener telling(List<String> troubles) {
    return new PullListener() {
      @Override
      public void tellsTrouble(String sentence) {
        troubles.add(sentence);
      }
    };
  }

  @Test
  void understandsServersWithoutRanges() throws IOException {
    server.fail(WEIGHTS, Fault.DROP, Fault.NO_RANGES);
    assertArrayEquals(BYTES, weights(hub().pull(MODEL)));
  }

  @Test
  void givesUpWithoutProgressAndGoesOnLater() throws IOException {
    offerWeightsAlone();
    List<Fault> faults = new ArrayList<>(List.of(Fault.DROP));
    faults.addAll(Collections.nCopies(6, Fault.BUSY));
    server.fail(WEIGHTS, faults.toArray(Fault[]::new));
    HubException e = assertThrows(HubException.class, () -> hub().pull(MODEL));
    assertTrue(e.getMessage().contains("429"), e.getMessage());

    AtomicLong present = new AtomicLong();
    Path folder =
        hub()
            .pull(
                MODEL,
                new PullListener() {
                  @Override
                  public void begins(int files, long bytes, long here) {
                    present.set(here);
                  }
                });
    assertArrayEquals(BYTES, weights(folder));
    assertEquals(BYTES.length / 2, present.get());
    assertEquals(BYTES.length, server.served());
  }

  @Test
  void noticesDamage() throws IOException {
    server.fail(WEIGHTS, Fault.DAMAGE);
    List<String> troubles = new ArrayList<>();
    assertArrayEquals(BYTES, weights(hub().pull(MODEL, telling(troubles))));
    assertEquals(1, troubles.size());
  }

  @Test
  void keepsNothingDamaged() throws IOException {
    offerWeightsAlone();
    server.fail(WEIGHTS, Fault.DAMAGE, Fault.DAMAGE);
    HubException e = assertThrows(HubException.class, () -> hub().pull(MODEL));
    assertTrue(e.getMessage().contains("damaged twice"), e.getMessage());
    assertEquals(List.of(), blobs());
    assertArrayEquals(BYTES, weights(hub().pull(MODEL)));
  }

  @Test
  void showsItsTokenToTheHubAlone() {
    hub().withToken("secret").pull(MODEL);
    assertEquals(List.of(), server.tokensSeenByTheStore());
    Hub open = hub().withToken("secret").withEndpoint("http://hub.example");
    assertThrows(HubException.class, () -> open.pull(MODEL));
  }

  @ParameterizedTest
  @EnumSource(names = {"LOOP", "ELSEWHERE"})
  void followsNoBadRedirect(Fault fault) {
    server.fail(WEIGHTS, Collections.nCopies(10, fault).toArray(Fault[]::new));
    HubException e = assertThrows(HubException.class, () -> hub().pull(MODEL));
    assertTrue(e.getMessage().contains("redirects"), e.getMessage());
  }

  @Test
  void severalPartsComeSideBySide() throws IOException {
    byte[] large = random((64 << 20) + 12_345, 2);
    server.put(WEIGHTS, large);
    server.fail(WEIGHTS, Fault.DROP, Fault.DROP);
    assertArrayEquals(large, weights(hub().pull(MODEL)));
    assertTrue(server.requests().contains(WEIGHTS + " bytes=67108864-67121208"));
    assertEquals(large.length + 2, server.served());
  }

  @Test
  void twoPullsAtOnceGetItOnce() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Path>> all = threads.invokeAll(Collections.nCopies(4, () -> hub().pull(MODEL)));
      for (Future<Path> one : all) {
        assertArrayEquals(BYTES, weights(one.get()));
      }
    }
    assertEquals(BYTES.length + 2, server.served());
  }

  @Test
  void worksWithoutTheNetwork() throws IOException {
    HubException e = assertThrows(HubException.class, () -> hub().offline().pull(MODEL));
    assertTrue(e.getMessage().contains("is not in"), e.getMessage());
    Path folder = hub().pull(MODEL);
    server.close();
    assertEquals(folder, hub().offline().pull(MODEL));
    assertEquals(folder, hub().pull(MODEL), "the hub is gone, the model is here");
    HubModel pinned = HubModel.parse("some/model@" + HostileHub.COMMIT);
    assertEquals(folder, hub().pull(pinned));

    Files.delete(folder.resolve(WEIGHTS));
    assertThrows(HubException.class, () -> hub().offline().pull(MODEL), "half a model is none");
  }

  @ParameterizedTest
  @ValueSource(ints = {401, 403, 404})
  void saysWhatToDoWhenRefused(int status) {
    server.answerListingsWith(status);
    HubException e = assertThrows(HubException.class, () -> hub().pull(MODEL));
    assertTrue(e.getMessage().contains(server.address() + "/some/model"), e.getMessage());
    assertTrue(e.getMessage().contains("status " + status), e.getMessage());
  }

  @Test
  void saysWhenAFileIsRefused() {
    server.fail(WEIGHTS, Fault.FORBIDDEN);
    HubException e = assertThrows(HubException.class, () -> hub().pull(MODEL));
    assertTrue(e.getMessage().contains("HF_TOKEN"), e.getMessage());
  }

  /** The first of two shards would take a minute, the second is refused. */
  @Test
  void tellsTheFirstFailureAtOnceAndGoesOnLater() throws IOException {
    server.remove(WEIGHTS);
    server.put(
        "model.safetensors.index.json",
        "{\"weight_map\":{\"a\":\"x-1.safetensors\",\"b\":\"x-2.safetensors\"}}"
            .getBytes(StandardCharsets.UTF_8));
    server.put("x-1.safetensors", BYTES);
    server.put("x-2.safetensors", new byte[5]);
    server.fail("x-1.safetensors", Fault.STALL);
    server.fail("x-2.safetensors", Fault.FORBIDDEN);
    Hub patient = hub().withPatience(Duration.ofMinutes(1), Duration.ofMillis(1));
    HubException e = assertThrows(HubException.class, () -> patient.pull(MODEL));
    assertTrue(e.getMessage().contains("status 403"), e.getMessage());
    assertFalse(blobs().contains(HostileHub.digest("SHA-256", BYTES)), "it was waited for");
    Path folder = hub().pull(MODEL);
    assertArrayEquals(BYTES, Files.readAllBytes(folder.resolve("x-1.safetensors")));
  }

  @Test
  void getsTheShardsOfAnIndex() throws IOException {
    server.remove(WEIGHTS);
    server.put(
        "model.safetensors.index.json",
        "{\"weight_map\":{\"a\":\"x-1.safetensors\",\"b\":\"x-2.safetensors\"}}"
            .getBytes(StandardCharsets.UTF_8));
    server.put("x-1.safetensors", new byte[5]);
    HubException e = assertThrows(HubException.class, () -> hub().pull(MODEL));
    assertTrue(e.getMessage().contains("x-2.safetensors"), e.getMessage());

    server.put("x-2.safetensors", new byte[0]);
    server.put("y.safetensors", new byte[5]);
    Path folder = hub().pull(MODEL);
    assertEquals(0, Files.size(folder.resolve("x-2.safetensors")));
    assertFalse(Files.exists(folder.resolve("y.safetensors")));
    assertEquals(folder, hub().offline().pull(MODEL));
  }

  @Test
  void choosesAmongGgufFiles() throws IOException {
    server.put("m-Q8_0.gguf", new byte[] {8});
    server.put("m-Q4_K_M-00001-of-00002.gguf", new byte[] {4});
    server.put("m-Q4_K_M-00002-of-00002.gguf", new byte[] {5});
    server.put("mmproj-Q8_0.gguf", new byte[] {9});

    Path one = hub().pull(HubModel.parse("some/model:q8_0"));
    assertArrayEquals(new byte[] {8}, Files.readAllBytes(one));
    Path first = hub().pull(HubModel.parse("hf:some/model:Q4_K_M"));
    assertTrue(first.endsWith("m-Q4_K_M-00001-of-00002.gguf"), first.toString());
    assertTrue(Files.exists(first.resolveSibling("m-Q4_K_M-00002-of-00002.gguf")));
    assertEquals(one, hub().offline().pull(HubModel.parse("some/model:Q8_0")));

    HubModel unknown = HubModel.parse("some/model:Q4_K");
    HubException e = assertThrows(HubException.class, () -> hub().pull(unknown));
    assertTrue(e.getMessage().contains("m-Q8_0.gguf"), e.getMessage());
  }

  @Test
  void saysWhatThereIsWhenNothingCanBeRead() {
    server.remove(WEIGHTS);
    HubException e = assertThrows(HubException.class, () -> hub().pull(MODEL));
    assertTrue(e.getMessage().contains("pytorch_model.bin"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "no json",
        "{}",
        "{\"sha\":\"main\",\"siblings\":[]}",
        "{\"sha\":\"" + HostileHub.COMMIT + "\",\"siblings\":[{\"rfilename\":\"a\"}]}",
        "{\"sha\":\""
            + HostileHub.COMMIT
            + "\",\"siblings\":[{\"rfilename\":\"../../evil\",\"size\":1,"
            + "\"blobId\":\"0123456789abcdef0123456789abcdef01234567\"}]}",
        "{\"sha\":\""
            + HostileHub.COMMIT
            + "\",\"siblings\":[{\"rfilename\":\"/evil\",\"size\":1,"
            + "\"blobId\":\"0123456789abcdef0123456789abcdef01234567\"}]}",
        "{\"sha\":\""
            + HostileHub.COMMIT
            + "\",\"siblings\":[{\"rfilename\":\"config.json\",\"size\":1,"
            + "\"blobId\":\"../../../evil\"}]}",
      })
  void trustsNoListing(String json) throws IOException {
    server.list(json);
    assertThrows(HubException.class, () -> hub().pull(MODEL));
    try (Stream<Path> all = Files.walk(cache)) {
      assertEquals(0, all.filter(Files::isRegularFile).count());
    }
  }

  @Test
  void readsTheEnvironmentOfOtherTools() throws IOException {
    Files.writeString(cache.resolve("token"), "from-a-file\n");
    Hub plain = Hub.of(Map.of(), Path.of("/home/me"));
    assertEquals(Path.of("/home/me/.cache/huggingface/hub"), plain.cache());
    assertEquals("https://huggingface.co", plain.endpoint().toString());
    Hub home = Hub.of(Map.of("HF_HOME", cache.toString(), "HF_HUB_OFFLINE", "true"), cache);
    assertEquals(cache.resolve("hub"), home.cache());
    assertEquals("from-a-file", home.token());
    assertTrue(home.isOffline());
    Hub set =
        Hub.of(
            Map.of("HF_TOKEN", "t", "HF_HUB_CACHE", "/c", "HF_ENDPOINT", "https://mirror.example/"),
            cache);
    assertEquals("t", set.token());
    assertEquals(Path.of("/c"), set.cache());
    assertEquals("https://mirror.example", set.endpoint().toString());
    assertThrows(HubException.class, () -> Hub.of(Map.of("HF_ENDPOINT", "mirror"), cache));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "model", "a/b/c", "a/../b", "../b", "a/b@", "a/b:", "a--b/c", "a/b@x y"})
  void refusesWhatNamesNoModel(String reference) {
    assertThrows(HubException.class, () -> HubModel.parse(reference));
  }

  @Test
  void readsReferences() {
    assertEquals(
        new HubModel("Qwen", "Qwen3-0.6B", "refs/pr/1", "Q8_0"),
        HubModel.parse("hf:Qwen/Qwen3-0.6B@refs/pr/1:Q8_0"));
    assertEquals("a/b.c@main", HubModel.parse("a/b.c").toString());
  }
}
