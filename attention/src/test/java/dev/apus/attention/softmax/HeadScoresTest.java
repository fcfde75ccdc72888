package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HeadScoresTest {

  @TempDir Path folder;

  private static Selections.Layer layer(int index, int layers) {
    return new Selections.Layer(index, layers, new Heads(2, 2), null, null, null, false, false);
  }

  private Config config(String scores, Object... more) throws IOException {
    Path file = Files.writeString(folder.resolve("full_attention_heads.tsv"), scores);
    Map<String, Object> settings = new HashMap<>(Map.of("file", file.toString()));
    for (int i = 0; i < more.length; i += 2) {
      settings.put((String) more[i], more[i + 1]);
    }
    return Config.of("select", settings);
  }

  private static BitSet full(Config c, int layer) {
    return ((DuoKeys) DuoKeys.read(c).make(layer(layer, 2))).full();
  }

  /** What numpy's quantile of these is for these shares: 0.1, 0.25, 0.55, 0.7. */
  @Test
  void theShareThatIsAskedForSeesLess() throws IOException {
    String scores = "1.000000000000000000e-01\t7.0e-01\n0.3\t1.2\n";
    double[] sparsities = {0, 0.25, 0.5, 0.7, 1};
    String[] expected = {"{0, 1}{0, 1}", "{1}{0, 1}", "{1}{1}", "{}{1}", "{}{}"};
    for (int i = 0; i < expected.length; i++) {
      Config c = config(scores, "sparsity", sparsities[i]);
      assertEquals(expected[i], full(c, 0) + "" + full(c, 1), "sparsity " + sparsities[i]);
    }
  }

  private void assertRefused(String what, String scores, int layers, Object... more)
      throws IOException {
    Config c = config(scores, more);
    var e = assertThrows(ConfigException.class, () -> DuoKeys.read(c).make(layer(0, layers)));
    assertTrue(e.getMessage().contains(what), e.getMessage());
  }

  @Test
  void whatDoesNotFitIsRefused() throws IOException {
    assertRefused("select.file has scores of 1 layers; the model has 2", "1\t0\n", 2);
    assertRefused("select.file has scores of 3 heads in layer 0; it has 2", "1\t0\t1\n", 1);
    assertRefused("not numbers in the line of layer 1", "1\t0\n1\tx\n", 2);
    assertRefused("not numbers in the line of layer 0", "NaN\t0\n", 1);
    assertRefused("has no scores", "\n", 1);
    assertRefused("must be from 0 to 1", "1\t0\n", 1, "sparsity", 1.5);
    assertRefused("one is enough", "1\t0\n", 1, "full", "0/1");
    assertRefused("cannot be read", "1\t0\n", 1, "file", folder.resolve("none").toString());
  }

  @Test
  void layersThatAreNotThereAreRefused() {
    Config c = Config.of("select", Map.of("full", "0/1+2/0"));
    var e = assertThrows(ConfigException.class, () -> DuoKeys.read(c).make(layer(0, 2)));
    assertTrue(
        e.getMessage().contains("select.full names layer 2; the model has layers 0 to 1"),
        e.getMessage());
  }
}
