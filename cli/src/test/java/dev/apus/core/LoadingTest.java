package dev.apus.core;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.file.ModelFiles;
import dev.apus.core.weight.WeightException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class LoadingTest {

  @Test
  void whatDoesNotFitIsRefusedInOneSentence() throws URISyntaxException {
    ModelFiles files =
        ModelFiles.of(Path.of(LoadingTest.class.getResource("/goldens/llama").toURI()));
    ModelOptions options = ModelOptions.standard();
    Checkpoint checkpoint = Checkpoint.open(files, options.families());
    try {
      long needed = Loading.estimate(checkpoint, options, 0).neededBytes(1);
      assertDoesNotThrow(() -> Loading.requireMemory(checkpoint, options, needed));
      // A file that is small against what is free is not looked at.
      assertDoesNotThrow(() -> Loading.requireMemory(checkpoint, options, 10_000_000));
      var e =
          assertThrows(
              WeightException.class, () -> Loading.requireMemory(checkpoint, options, 100_000));
      assertTrue(e.getMessage().contains("but 0 MB of memory are free"), e.getMessage());
    } finally {
      checkpoint.tensors().close();
    }
  }
}
