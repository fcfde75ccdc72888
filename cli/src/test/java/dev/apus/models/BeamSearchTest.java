package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Beam;
import dev.apus.core.BeamSearch;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.TensorFile;
import dev.apus.core.generate.Sampling;
import dev.apus.kernels.block.WeightFormat;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Beam search beside all there is to find, and beside transformers 5.17. */
class BeamSearchTest {

  private static final int[] TEXT = TinyModels.tokens(20, 1);

  private static Model hybrid() {
    return Model.random(
        TinyModels.architecture("qwen3_next"),
        5,
        WeightFormat.F32,
        ModelOptions.standard().withThreads(2));
  }

  private static double logSum(float[] logits) {
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    return Math.log(sum);
  }

  @Test
  void aSearchThatIsWideEnoughFindsTheBest() {
    try (Model model = hybrid();
        Session session = model.newSession(100)) {
      int vocabulary = session.vocabulary();
      session.append(TEXT);
      float[] first = session.logits().clone();
      double best = Double.NEGATIVE_INFINITY;
      List<Integer> tokens = List.of();
      for (int a = 0; a < vocabulary; a++) {
        float[] second;
        try (Session fork = session.fork()) {
          fork.append(a);
          second = fork.logits().clone();
        }
        for (int b = 0; b < vocabulary; b++) {
          double p = first[a] - logSum(first) + second[b] - logSum(second);
          if (p > best) {
            best = p;
            tokens = List.of(a, b);
          }
        }
      }
      BeamSearch wide = BeamSearch.of(vocabulary).withMaxTokens(2);
      Beam found = session.search(new int[0], wide).getFirst();
      assertEquals(tokens, found.tokens());
      assertEquals(best, found.logProbability(), 1e-4);
      assertEquals(best / 2, found.score(), 1e-4);
      assertEquals(TEXT.length, session.length());
      assertArrayEquals(first, session.logits(), "the session is as it was");
    }
  }

  @Test
  void oneBeamIsGreedy() {
    try (Model model = hybrid();
        Session session = model.newSession(100);
        Session other = model.newSession(100)) {
      List<Integer> greedy =
          other.start(TEXT, Sampling.greedy().withMaxTokens(12)).stream()
              .map(token -> token.id())
              .toList();
      Beam beam = session.search(TEXT, BeamSearch.of(1).withMaxTokens(12)).getFirst();
      assertEquals(greedy, beam.tokens());
      assertEquals(0, session.length());
    }
  }

  /** A checkpoint whose texts end with another token. */
  private static ModelFiles ending(int token) {
    ModelFiles files;
    try {
      files = ModelFiles.of(Path.of(BeamSearchTest.class.getResource("/goldens/llama").toURI()));
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
    return new ModelFiles() {
      @Override
      public String name() {
        return files.name();
      }

      @Override
      public byte[] read(String file) {
        byte[] content = files.read(file);
        return content == null || !file.equals("config.json")
            ? content
            : new String(content, StandardCharsets.UTF_8)
                .replace("\"eos_token_id\": 2", "\"eos_token_id\": " + token)
                .getBytes(StandardCharsets.UTF_8);
      }

      @Override
      public TensorFile tensors() {
        return files.tensors();
      }
    };
  }

  private static final int[] PROMPT = {
    177, 101, 97, 78, 18, 119, 160, 124, 58, 139, 91, 89, 52, 132, 61, 149, 6, 165, 191, 25
  };

  private static List<Beam> search(int end, BeamSearch how) {
    try (Model model = Model.load(ending(end), ModelOptions.standard().withThreads(2));
        Session session = model.newSession(60)) {
      return session.search(PROMPT, how);
    }
  }

  @Test
  void findsWhatTheReferenceFinds() {
    List<Beam> beams = search(2, BeamSearch.of(4).withResults(4).withMaxTokens(8));
    assertEquals(
        List.of(
            List.of(110, 34, 102, 78, 68, 187, 135, 81),
            List.of(110, 34, 102, 78, 68, 187, 135, 124),
            List.of(110, 34, 102, 78, 68, 187, 52, 53),
            List.of(110, 34, 102, 78, 68, 187, 135, 118)),
        beams.stream().map(Beam::tokens).toList());
    double[] scores = {-2.797694206, -2.874092340, -2.876734733, -2.891366004};
    assertArrayEquals(scores, beams.stream().mapToDouble(Beam::score).toArray(), 1e-5);
  }

  @ParameterizedTest
  @ValueSource(floats = {1, 0.5f})
  void endsWhereTheReferenceEnds(float lengthPenalty) {
    List<Beam> beams =
        search(
            78, BeamSearch.of(4).withResults(4).withMaxTokens(8).withLengthPenalty(lengthPenalty));
    assertEquals(
        List.of(
            List.of(110, 34, 102),
            List.of(110, 9, 1, 29, 113, 135, 81, 135),
            List.of(110, 9, 1, 29, 113, 135, 124, 93),
            List.of(110, 9, 1, 29, 113, 135, 81, 23)),
        beams.stream().map(Beam::tokens).toList());
    assertEquals(List.of(true, false, false, false), beams.stream().map(Beam::ended).toList());
    double[] scores =
        lengthPenalty == 1
            ? new double[] {-2.844136953, -2.924690723, -2.930823087, -2.958123683}
            : new double[] {-5.688273906, -8.272274971, -8.289619445, -8.366837501};
    assertArrayEquals(scores, beams.stream().mapToDouble(Beam::score).toArray(), 1e-5);
  }

  @Test
  void interruptsAndWrongSettings() {
    try (Model model = hybrid();
        Session session = model.newSession(100)) {
      BeamSearch search = BeamSearch.of(3);
      assertThrows(IllegalArgumentException.class, () -> session.search(new int[0], search));
      Thread.currentThread().interrupt();
      assertThrows(CancellationException.class, () -> session.search(TEXT, search));
      assertTrue(Thread.interrupted());
      assertEquals(0, session.length());
      assertEquals(2, session.search(TEXT, search.withResults(2).withMaxTokens(3)).size());
      assertThrows(IllegalArgumentException.class, () -> search.withResults(4));
      assertThrows(IllegalArgumentException.class, () -> BeamSearch.of(0));
      assertThrows(IllegalArgumentException.class, () -> search.withLengthPenalty(Float.NaN));
    }
  }
}
