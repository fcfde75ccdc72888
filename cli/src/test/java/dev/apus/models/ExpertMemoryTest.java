package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.RandomCheckpoint;
import dev.apus.core.Session;
import dev.apus.core.config.Config;
import dev.apus.core.weight.ExpertMemory;
import dev.apus.core.weight.ExpertStatistics;
import dev.apus.core.weight.Placement;
import dev.apus.core.weight.WeightException;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Experts come into memory and leave it, and no result tells. */
class ExpertMemoryTest {

  private static final int STEPS = 40;

  private static Model model(String family, ModelOptions options) {
    return Model.random(TinyModels.architecture(family), 5, WeightFormat.Q8_0, options);
  }

  /** The memory of so many experts of a family. */
  private static ExpertMemory memory(String family, int experts) {
    ModelOptions roomy = ModelOptions.standard().withExperts(ExpertMemory.of(1L << 40));
    try (Model model = model(family, roomy)) {
      return ExpertMemory.of(experts * statistics(model).expertBytes());
    }
  }

  private static ExpertStatistics statistics(Model model) {
    return model.expertStatistics().orElseThrow();
  }

  /** The logits after a prompt, and after each of some tokens behind it. */
  private static List<float[]> logits(Model model, int seed) {
    List<float[]> logits = new ArrayList<>();
    try (Session session = model.newSession(TinyModels.LIMIT)) {
      session.append(TinyModels.tokens(31, seed));
      logits.add(session.logits().clone());
      for (int token : TinyModels.tokens(STEPS, seed + 1)) {
        session.append(token);
        logits.add(session.logits().clone());
      }
    }
    return logits;
  }

  private static void assertSame(List<float[]> expected, List<float[]> found) {
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), found.get(i), "step " + i);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"olmoe", "qwen2_moe", "nemotron_h", "zaya", "granitemoe"})
  void anyMemoryGivesTheSameBits(String family) {
    try (Model all = model(family, ModelOptions.standard())) {
      List<float[]> expected = logits(all, 1);
      for (int experts : new int[] {1, 2, 5, 1000}) {
        ExpertMemory memory = memory(family, experts);
        for (ExpertMemory either : List.of(memory, memory.foreseen())) {
          try (Model model = model(family, ModelOptions.standard().withExperts(either))) {
            assertSame(expected, logits(model, 1));
            ExpertStatistics of = statistics(model);
            assertEquals(Math.min(experts, of.experts()), of.places());
            assertTrue(of.asked() >= STEPS, of::toString);
            assertEquals(of.asked() - of.present(), of.loaded() + of.streamed(), of::toString);
          }
        }
      }
    }
  }

  /** Experts of attention are smaller than those of the blocks, and have places of their own. */
  @Test
  void expertsOfTwoSizesShareAMemory() {
    try (Model all = model("jetmoe", ModelOptions.standard())) {
      List<float[]> expected = logits(all, 1);
      for (int experts : new int[] {1, 3, 6, 1000}) {
        ExpertMemory memory = memory("jetmoe", experts);
        for (ExpertMemory either : List.of(memory, memory.foreseen())) {
          try (Model model = model("jetmoe", ModelOptions.standard().withExperts(either))) {
            assertSame(expected, logits(model, 1));
            ExpertStatistics of = statistics(model);
            int layers = TinyModels.architecture("jetmoe").layers().size();
            assertEquals(0, of.experts() % (2 * layers), of::toString);
            assertTrue(of.bytes() <= memory.bytes(), of::toString);
            assertTrue(of.places() >= Math.min(experts, of.experts()), of::toString);
            assertTrue(
                of.bytes() > memory.bytes() - of.expertBytes() || of.places() == of.experts());
            assertEquals(of.asked() - of.present(), of.loaded() + of.streamed(), of::toString);
          }
        }
      }
    }
  }

  /** Also where experts are converted as they are read. */
  @ParameterizedTest
  @ValueSource(strings = {"olmoe", "gpt_oss", "dbrx", "jetmoe", "granitemoe"})
  void nothingIsKeptOfExpertsThatAFileHolds(String family, @TempDir Path folder)
      throws IOException {
    Config config = Config.read(Path.of("src/test/resources/configs/" + family + ".json"));
    for (WeightFormat format : List.of(WeightFormat.F32, WeightFormat.BF16, WeightFormat.Q8_0)) {
      Path written = folder.resolve(format.name());
      RandomCheckpoint.of(config, ModelOptions.standard()).writeFolder(written, format, 3);
      ModelOptions tight = ModelOptions.standard().withExperts(memory(family, 5));
      try (Model all = Model.load(written);
          Model some = Model.load(written, tight)) {
        assertSame(logits(all, 1), logits(some, 1));
        ExpertStatistics of = statistics(some);
        assertEquals(0, of.held(), of::toString);
        assertTrue(of.places() < of.experts() && of.loaded() > 0, of::toString);
      }
    }
    try (Model random = model(family, ModelOptions.standard().withExperts(memory(family, 5)))) {
      assertTrue(statistics(random).held() > 0);
    }
  }

  @Test
  void whoeverIsInMemoryStaysThereWhileThereIsRoom() {
    ModelOptions roomy = ModelOptions.standard().withExperts(ExpertMemory.of(1L << 40));
    try (Model model = model("olmoe", roomy)) {
      logits(model, 1);
      ExpertStatistics first = statistics(model);
      assertTrue(first.loaded() <= first.experts(), first::toString);
      assertEquals(0, first.streamed());
      logits(model, 1);
      ExpertStatistics second = statistics(model);
      assertEquals(first.loaded(), second.loaded());
      assertEquals(second.asked() - second.loaded(), second.present());
    }
  }

  @Test
  void aPromptDrivesNobodyOut() {
    ExpertMemory two = memory("olmoe", 2);
    try (Model model = model("olmoe", ModelOptions.standard().withExperts(two));
        Session session = model.newSession(TinyModels.LIMIT)) {
      session.append(TinyModels.tokens(60, 3));
      session.logits();
      ExpertStatistics of = statistics(model);
      assertEquals(2, of.loaded());
      assertEquals(of.asked() - 2, of.streamed());
    }
  }

  @Test
  void lessMemoryIsTakenThanByAllExperts() {
    try (Model all = model("olmoe", ModelOptions.standard());
        Model some = model("olmoe", ModelOptions.standard().withExperts(memory("olmoe", 3)))) {
      ExpertStatistics of = statistics(some);
      long absent = (of.experts() - 3) * of.expertBytes();
      assertEquals(all.weightBytes() - absent, some.weightBytes());
      assertEquals(all.parameters(), some.parameters());
      assertTrue(all.expertStatistics().isEmpty());
    }
  }

  @Test
  void sessionsOnManyThreadsDoNotTakeExpertsFromEachOther() throws Exception {
    List<List<float[]>> expected = new ArrayList<>();
    try (Model all = model("olmoe", ModelOptions.standard())) {
      for (int i = 0; i < 6; i++) {
        expected.add(logits(all, i));
      }
    }
    ModelOptions tight = ModelOptions.standard().withExperts(memory("olmoe", 3).foreseen());
    try (Model model = model("olmoe", tight.withWeights(Placement.MAPPED));
        ExecutorService threads = Executors.newFixedThreadPool(6)) {
      List<Future<List<float[]>>> found = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        int seed = i;
        found.add(threads.submit(() -> logits(model, seed)));
      }
      for (int i = 0; i < 6; i++) {
        assertSame(expected.get(i), found.get(i).get());
      }
    }
  }

  @Test
  void aMemoryThatHoldsNoExpertIsRefused() {
    ModelOptions tiny = ModelOptions.standard().withExperts(ExpertMemory.of(100));
    var thrown = assertThrows(WeightException.class, () -> model("olmoe", tiny));
    assertTrue(thrown.getMessage().contains("given 100 bytes"), thrown.getMessage());
  }
}
