package dev.apus.core.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The gate between two streams. */
class ProductTest {

  private static ChannelMixer built(int inputs, int outputs, String activation) {
    Site site = new Site(inputs, outputs, 3, 100, Kernels.chosen(), CacheFormat.F32, null);
    return Mixers.of(List.of(), List.of())
        .channel("product")
        .build(Config.of("product", Map.of("activation", activation)), site);
  }

  @Test
  void theFirstHalfIsMultipliedByTheFunctionOfTheSecond() {
    int width = 19;
    Matrix x = Matrix.zeros(5, 2 * width);
    Matrix y = Matrix.zeros(5, width);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = (float) Math.sin(i);
    }
    try (Workers workers = Workers.of(2)) {
      built(2 * width, width, "sigmoid").forward(new Pass(workers, Kernels.chosen()), x, y);
    }
    for (int row = 0; row < 5; row++) {
      for (int i = 0; i < width; i++) {
        double a = x.data()[x.at(row) + i];
        double b = x.data()[x.at(row) + width + i];
        assertEquals(a / (1 + Math.exp(-b)), y.data()[y.at(row) + i], 1e-6);
      }
    }
  }

  @Test
  void rowsOfAnotherWidthAreRefused() {
    var e = assertThrows(ConfigException.class, () -> built(48, 48, "sigmoid"));
    assertTrue(e.getMessage().startsWith("layer 3: \"product\" writes rows of 48"), e.getMessage());
  }
}
