package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.StoredRows;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.core.weight.WeightSource;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.models.TinyModels.Tiny;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Everything that a checkpoint says must matter: a weight or a number that changes nothing is lost.
 */
class SensitivityTest {

  static final List<String> families = TinyModels.ALL;

  /** Enough tokens that every expert is chosen by some. */
  private static final int[] TOKENS = TinyModels.tokens(120, 23);

  /** Random weights of which one may be changed, and which remembers what was asked for. */
  private static final class Perturbed implements WeightSource {

    private final WeightSource source = new RandomWeights(3, WeightFormat.F32);
    private final Set<Key> asked = new LinkedHashSet<>();
    private final Key changed;

    Perturbed(Key changed) {
      this.changed = changed;
    }

    @Override
    public StoredRows find(Key key, int rows, int cols, Typical typical) {
      asked.add(key);
      StoredRows stored = source.find(key, rows, cols, typical);
      if (!key.equals(changed)) {
        return stored;
      }
      if (typical != null && typical.whole()) {
        return Conversion.values(x -> x < 1 ? x + 1 : x - 1).apply(List.of(stored));
      }
      // What chooses matters where it makes something else the best.
      boolean chooses = key.name().endsWith("correction") || key.name().contains(".index.");
      float factor = chooses ? -4 : 1.25f;
      return Conversion.values(x -> factor * x + 0.01f).apply(List.of(stored));
    }

    @Override
    public List<String> unread() {
      return List.of();
    }
  }

  @ParameterizedTest
  @FieldSource("families")
  void everyWeightMatters(String family) {
    Architecture architecture = TinyModels.architecture(family);
    Perturbed original = new Perturbed(null);
    float[][] expected = logits(architecture, original);
    List<String> ignored = new ArrayList<>();
    for (WeightSource.Key key : original.asked) {
      if (Arrays.deepEquals(expected, logits(architecture, new Perturbed(key)))) {
        ignored.add(key.toString());
      }
    }
    assertTrue(ignored.isEmpty(), () -> "weights that change nothing: " + ignored);
  }

  @ParameterizedTest
  @FieldSource("families")
  void everyNumberOfADocumentMatters(String family) {
    Architecture architecture = TinyModels.architecture(family);
    float[][] expected = logits(architecture, new Perturbed(null));
    List<String> ignored = new ArrayList<>();
    for (Map.Entry<String, Architecture> changed : DocumentChanges.of(architecture).entrySet()) {
      if (!refused(changed.getValue())
          && Arrays.deepEquals(expected, logits(changed.getValue(), new Perturbed(null)))) {
        ignored.add(changed.getKey());
      }
    }
    assertTrue(ignored.isEmpty(), () -> "numbers that change nothing: " + ignored);
  }

  /** Layers that share a state have to agree on what it holds. */
  private static boolean refused(Architecture architecture) {
    try {
      TinyModels.of(architecture, new Perturbed(null), Kernels.chosen(), 1).close();
      return false;
    } catch (ConfigException e) {
      return true;
    }
  }

  private static float[][] logits(Architecture architecture, WeightSource source) {
    try (Tiny tiny = TinyModels.of(architecture, source, Kernels.chosen(), 1)) {
      return tiny.run(tiny.state(), TOKENS, 0, TOKENS.length);
    }
  }
}
