package dev.apus.core.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFilesTest {

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"model.safetensors", "model.safetensors.index.json"})
  void refusesAFolderWithTwoSetsOfTensors(String safetensors) throws IOException {
    Files.createFile(folder.resolve("model.gguf"));
    assertNull(ModelFiles.safetensorsIn(folder));
    Files.createFile(folder.resolve(safetensors));
    assertEquals(safetensors, ModelFiles.safetensorsIn(folder));
    var e = assertThrows(FormatException.class, () -> ModelFiles.of(folder).tensors());
    assertEquals(
        folder
            + ": holds both model.gguf and "
            + safetensors
            + "; remove model.gguf to open "
            + safetensors
            + ", or "
            + safetensors
            + " to open model.gguf",
        e.getMessage());
  }
}
