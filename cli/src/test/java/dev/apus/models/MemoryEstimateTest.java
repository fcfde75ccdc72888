package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.MemoryEstimate;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Outline;
import dev.apus.core.Session;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import dev.apus.core.weight.ExpertMemory;
import dev.apus.core.weight.Placement;
import dev.apus.fable.Fable;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is foreseen of a model's memory beside what it takes. */
class MemoryEstimateTest {

  private static final ModelOptions OPTIONS =
      ModelOptions.standard().withThreads(1).withoutEasing();

  static Stream<Path> checkpoints() throws IOException, URISyntaxException {
    Path goldens = Path.of(MemoryEstimateTest.class.getResource("/goldens").toURI());
    try (Stream<Path> all = Files.list(goldens)) {
      return all.sorted().toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("checkpoints")
  void isWhatTheModelTakes(Path folder) {
    for (Placement placement : Placement.values()) {
      assertRight(ModelFiles.of(folder), OPTIONS.withWeights(placement));
    }
  }

  @Test
  void isWhatQuantisedModelsTake() {
    Fable.names().forEach(name -> assertRight(Fable.files(name), OPTIONS));
  }

  private static void assertRight(ModelFiles files, ModelOptions options) {
    MemoryEstimate estimate = Model.estimate(files, options);
    try (Model model = Model.load(files, options)) {
      assertEquals(model.weightBytes(), estimate.weightBytes());
      assertEquals(model.stateBytesPerToken(), estimate.stateBytesPerToken());
      assertEquals(model.windowBytes(), estimate.windowBytes());
      if (!model.architecture().isEncoder() && model.architecture().diffusion() == null) {
        try (Session session = model.newSession(1)) {
          assertEquals(session.bytes(), estimate.stateBytes());
        }
      }
    }
  }

  /** A model on a slow disk need not be found out about three times. */
  @Test
  void anOutlineOpensEachFileOnce() throws URISyntaxException {
    var files =
        ModelFiles.of(Path.of(MemoryEstimateTest.class.getResource("/goldens/llama").toURI()));
    List<String> opened = new ArrayList<>();
    ModelFiles counted =
        new ModelFiles() {
          @Override
          public String name() {
            return files.name();
          }

          @Override
          public byte[] read(String file) {
            byte[] content = files.read(file);
            if (content != null) {
              opened.add(file);
            }
            return content;
          }

          @Override
          public TensorFile tensors() {
            opened.add("tensors");
            return files.tensors();
          }
        };
    try (Outline outline = Outline.open(counted, OPTIONS)) {
      outline.requireLanguage();
      assertEquals("llama", outline.architecture().family());
      assertTrue(outline.memory().weightBytes() > 0);
      long stored = outline.storedTensors().stream().mapToLong(StoredTensor::elements).sum();
      try (Model model = Model.load(files, OPTIONS)) {
        assertEquals(model.parameters(), stored);
      }
    }
    assertTrue(opened.contains("tensors"), opened.toString());
    assertEquals(Set.copyOf(opened).size(), opened.size(), opened.toString());
  }

  @Test
  void limitedExpertsAreWithinTheirLimit() throws URISyntaxException {
    ModelFiles files =
        ModelFiles.of(Path.of(MemoryEstimateTest.class.getResource("/goldens/mixtral").toURI()));
    ModelOptions limited = OPTIONS.withExperts(ExpertMemory.of(100_000));
    MemoryEstimate estimate = Model.estimate(files, limited);
    assertTrue(estimate.weightBytes() < Model.estimate(files, OPTIONS).weightBytes());
    try (Model model = Model.load(files, limited)) {
      long over = estimate.weightBytes() - model.weightBytes();
      assertTrue(over >= 0 && over < 100_000, over + " more than it takes");
    }
  }

  @Test
  void saysHowLongASessionMayBecome() {
    long beside = new MemoryEstimate(0, 0, 0, 0, 1, 0).neededBytes(0);
    MemoryEstimate estimate = new MemoryEstimate(1000, 100, 10, 50, 4096, beside + 1650);
    assertEquals(50, estimate.largestContext());
    assertEquals(150 + 500, estimate.sessionBytes(50));
    assertEquals(0, new MemoryEstimate(1000, 100, 10, 50, 4096, beside + 999).largestContext());
    assertEquals(4096, new MemoryEstimate(1, 1, 0, 0, 4096, beside + 10).largestContext());
  }
}
