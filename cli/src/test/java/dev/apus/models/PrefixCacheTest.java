package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.PrefixCache;
import dev.apus.core.PrefixReuse;
import dev.apus.core.Session;
import dev.apus.core.generate.Generation;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.Token;
import dev.apus.kernels.block.WeightFormat;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a prompt has in common with others is not computed again, whatever the layers are. */
class PrefixCacheTest {

  private static final long ROOM = 64 << 20;

  private static final Sampling GREEDY = Sampling.greedy().withMaxTokens(12);

  private static Model model(String family, PrefixReuse reuse) {
    var options = ModelOptions.standard().withThreads(2).withPrefixReuse(reuse);
    return Model.random(TinyModels.architecture(family), 5, WeightFormat.F32, options);
  }

  private static PrefixCache.Statistics statistics(Model model) {
    return model.prefixCache().orElseThrow().statistics();
  }

  private static int[] joined(int[]... parts) {
    return Stream.of(parts).flatMapToInt(Arrays::stream).toArray();
  }

  private record Answer(int[] tokens, int reused) {}

  private static Answer answer(Model model, int[] prompt) {
    try (Session session = model.newSession(2000)) {
      Generation generation = session.start(prompt, GREEDY);
      int[] tokens = generation.stream().mapToInt(Token::id).toArray();
      return new Answer(tokens, generation.usage().reusedTokens());
    }
  }

  private static float[] logits(Model model, int[] prompt) {
    try (Session session = model.newSession(2000)) {
      session.append(prompt);
      return session.logits();
    }
  }

  /** A chat whose client sends all of it each time: attention, windows, a hybrid, experts. */
  @ParameterizedTest
  @ValueSource(strings = {"llama", "gemma3", "mamba2", "olmo_hybrid", "qwen3_next", "qwen3_5_moe"})
  void aConversationGoesOnFromItsLastAnswer(String family) {
    try (Model model = model(family, PrefixReuse.of(ROOM));
        Model plain = model(family, PrefixReuse.NONE)) {
      int[] chat = TinyModels.tokens(100, 1);
      for (int turn = 0; turn < 4; turn++) {
        Answer answer = answer(model, chat);
        assertArrayEquals(answer(plain, chat).tokens, answer.tokens, "turn " + turn);
        int expected = turn == 0 ? 0 : chat.length - 20 - 1;
        assertEquals(expected, answer.reused, "all but the question and the last token chosen");
        chat = joined(chat, answer.tokens, TinyModels.tokens(20, turn + 2));
      }
      float[] logits = logits(model, chat);
      assertArrayEquals(logits(plain, chat), logits);
      long reused = statistics(model).reusedTokens();
      assertArrayEquals(logits, logits(model, chat));
      assertEquals(
          reused + chat.length, statistics(model).reusedTokens(), "a known prompt is not computed");
      assertTrue(plain.prefixCache().isEmpty());
    }
  }

  /** The first two prompts show where they part; from the third on, that is where one starts. */
  @ParameterizedTest
  @ValueSource(strings = {"llama", "qwen3_next"})
  void promptsThatPartShareWhatComesBefore(String family) {
    int[] system = TinyModels.tokens(300, 1);
    try (Model model = model(family, PrefixReuse.of(ROOM).exactly());
        Model plain = model(family, PrefixReuse.NONE)) {
      int[] reused = new int[4];
      for (int i = 0; i < reused.length; i++) {
        int[] prompt = joined(system, new int[] {i}, TinyModels.tokens(30, 10 + i));
        Answer answer = answer(model, prompt);
        reused[i] = answer.reused;
        assertArrayEquals(answer(plain, prompt).tokens, answer.tokens);
        assertArrayEquals(logits(plain, prompt), logits(model, prompt), "to the bit");
      }
      assertArrayEquals(new int[] {0, 0, 300, 300}, reused);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "qwen3_next"})
  void longPromptsAreKeptOnTheWay(String family) {
    int[] book = TinyModels.tokens(700, 1);
    try (Model model = model(family, PrefixReuse.of(ROOM).every(250).exactly());
        Model plain = model(family, PrefixReuse.NONE)) {
      float[] expected = logits(plain, book);
      assertArrayEquals(expected, logits(model, book), "stops on the way do not show");
      int kept = family.equals("llama") ? 500 : 504;
      int[] other = joined(Arrays.copyOf(book, kept + 30), TinyModels.tokens(50, 2));
      assertEquals(kept, answer(model, other).reused, "the last stop before they part");
      assertArrayEquals(logits(plain, other), logits(model, other));
    }
  }

  @Test
  void whatIsNotUsedForLongestIsDroppedFirst() {
    int[][] prompts =
        IntStream.range(0, 6).mapToObj(i -> TinyModels.tokens(64, i)).toArray(int[][]::new);
    try (Model model = model("qwen3_next", PrefixReuse.of(ROOM).exactly())) {
      logits(model, prompts[0]);
      long one = statistics(model).bytes();
      int states = statistics(model).states();
      assertEquals(1, states);
      try (Model small = model("qwen3_next", PrefixReuse.of(3 * one + one / 2).exactly())) {
        for (int i = 0; i < 6; i++) {
          logits(small, prompts[i]);
          logits(small, prompts[0]);
          assertTrue(statistics(small).bytes() <= 3 * one + one / 2);
        }
        var statistics = statistics(small);
        assertEquals(3, statistics.states());
        assertEquals(3, statistics.dropped());
        assertEquals(6, statistics.hits(), "the first prompt is used again each time");
        assertEquals(12, statistics.lookups());
        assertEquals(6 * 64, statistics.reusedTokens());
        small.prefixCache().orElseThrow().clear();
        assertEquals(0, statistics(small).bytes());
        assertEquals(0, statistics(small).states());
      }
    }
  }

  @Test
  void whatIsTooLargeIsRefusedAndCounted() {
    try (Model model = model("qwen3_next", PrefixReuse.of(1000));
        Model plain = model("qwen3_next", PrefixReuse.NONE)) {
      int[] prompt = TinyModels.tokens(50, 1);
      assertArrayEquals(answer(plain, prompt).tokens, answer(model, prompt).tokens);
      var statistics = statistics(model);
      assertEquals(0, statistics.bytes());
      assertEquals(2, statistics.refused(), "the end of the prompt and that of the generation");
    }
  }

  /** Keys and values are in memory once, however many states know them. */
  @Test
  void keptStatesOfOneTextShareItsPages() {
    try (Model model = model("llama", PrefixReuse.of(ROOM).every(64))) {
      int[] text = TinyModels.tokens(1000, 1);
      logits(model, text);
      var statistics = statistics(model);
      assertEquals(16, statistics.states());
      // The first page grew twice, and the states that know it small keep it.
      long whole = (64 + 128 + 1024) * model.stateBytesPerToken() + 16 * 4 * 1000 + 4 * 192;
      assertTrue(statistics.bytes() <= whole, statistics.bytes() + " bytes, of " + whole);
    }
  }

  /** The limits of sessions differ, and where that shows in the keys, they keep to themselves. */
  @Test
  void sessionsOfOtherLimitsReuseWhatFits() {
    int[] prompt = TinyModels.tokens(40, 1);
    int[] limits = {41, 60, 512, 600, 900, 901, 512, 900};
    for (var architecture :
        List.of(TinyModels.architecture("qwen3_next"), TinyModels.dependentOnLimit())) {
      var options = ModelOptions.standard().withThreads(2);
      try (Model plain = Model.random(architecture, 5, WeightFormat.F32, options);
          Model model =
              Model.random(
                  architecture,
                  5,
                  WeightFormat.F32,
                  options.withPrefixReuse(PrefixReuse.of(ROOM)))) {
        for (int limit : limits) {
          try (Session session = model.newSession(limit);
              Session alone = plain.newSession(limit)) {
            session.append(prompt);
            alone.append(prompt);
            assertArrayEquals(alone.logits(), session.logits(), "a limit of " + limit);
          }
        }
        int kinds = architecture.family().equals("llama") ? 4 : 1;
        assertEquals(limits.length - kinds, statistics(model).hits());
      }
    }
  }

  @Test
  void aSessionThatGoesBackToItsBeginningBeginsAnew() {
    int[] prompt = TinyModels.tokens(50, 1);
    try (Model model = model("qwen3_next", PrefixReuse.of(ROOM))) {
      float[] expected = logits(model, prompt);
      try (Session session = model.newSession(2000)) {
        Session.SessionMark empty = session.mark();
        session.append(prompt);
        assertArrayEquals(expected, session.logits());
        assertEquals(50, session.reusedTokens());
        Session.SessionMark full = session.mark();
        empty.rewind();
        assertEquals(0, session.reusedTokens());
        session.append(TinyModels.tokens(9, 2));
        session.logits();
        full.rewind();
        assertEquals(50, session.reusedTokens());
        session.append(4);
        float[] next = session.logits();
        full.rewind();
        session.append(4);
        assertArrayEquals(next, session.logits());
      }
    }
  }

  /** Threads that read, keep and drop the same states get what they get alone. */
  @Test
  void threadsShareACacheThatIsAlwaysFull() throws Exception {
    int[] system = TinyModels.tokens(260, 1);
    int[][] prompts =
        IntStream.range(0, 8)
            .mapToObj(i -> joined(system, TinyModels.tokens(20 + i, 10 + i)))
            .toArray(int[][]::new);
    for (String family : List.of("llama", "qwen3_next")) {
      List<int[]> expected;
      try (Model plain = model(family, PrefixReuse.NONE)) {
        expected = Stream.of(prompts).map(prompt -> answer(plain, prompt).tokens).toList();
      }
      long room;
      try (Model probe = model(family, PrefixReuse.of(ROOM).exactly())) {
        answer(probe, prompts[0]);
        room = 3 * statistics(probe).bytes();
      }
      try (Model model = model(family, PrefixReuse.of(room).exactly());
          ExecutorService threads = Executors.newFixedThreadPool(4)) {
        for (int round = 0; round < 3; round++) {
          List<Future<Answer>> answers =
              Stream.of(prompts).map(p -> threads.submit(() -> answer(model, p))).toList();
          for (int i = 0; i < prompts.length; i++) {
            assertArrayEquals(expected.get(i), answers.get(i).get().tokens, family + " " + i);
          }
        }
        assertTrue(statistics(model).hits() > 0);
        assertTrue(statistics(model).bytes() <= room);
      }
    }
  }
}
