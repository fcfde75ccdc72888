package dev.apus.benchmarks.context;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.kernels.block.WeightFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** One layer and a text that it reads ever more of. */
final class Layer implements AutoCloseable {

  /** Tokens that are read one after another to be timed, and then forgotten. */
  static final int ROOM = 16;

  /** Prompts are read in pieces of this many tokens. */
  private static final int PIECE = 512;

  private final LayerKind kind;
  private final Model model;
  private final Session session;
  private final SplittableRandom random = new SplittableRandom(1);
  private final List<Long> times = new ArrayList<>();
  private long stateBytes;

  Layer(LayerKind kind, int limit, ModelOptions options) {
    this.kind = kind;
    model = Model.random(kind.architecture(limit), 1, WeightFormat.BF16, options);
    session = model.newSession(limit);
  }

  LayerKind kind() {
    return kind;
  }

  /** Reads on until the text is so long. */
  void advance(int length) {
    times.clear();
    if (session.length() >= length) {
      return;
    }
    while (session.length() < length) {
      int piece = Math.min(PIECE, length - session.length());
      session.append(random.ints(piece, 0, model.architecture().vocabulary()).toArray());
      session.logits();
    }
    stateBytes = session.bytes();
  }

  /** Times tokens for about so long without remembering the times. */
  void warmUp(long nanos) {
    measure(nanos);
    times.clear();
  }

  /** Times single tokens after the text for about so long; the text stays as long as it is. */
  void measure(long nanos) {
    long end = System.nanoTime() + nanos;
    do {
      try (Session.SessionMark here = session.mark()) {
        for (int i = 0; i < ROOM; i++) {
          int token = random.nextInt(model.architecture().vocabulary());
          long start = System.nanoTime();
          session.append(token);
          session.logits();
          long time = System.nanoTime() - start;
          // The first token after a mark also keeps what the mark remembers.
          if (i > 0) {
            times.add(time);
          }
        }
        here.rewind();
      }
    } while (System.nanoTime() < end);
  }

  /** The middle of the times since the text became longer. */
  double medianNanos() {
    return times.stream().sorted().skip(times.size() / 2).findFirst().orElseThrow()
        / (double) kind.layers();
  }

  /** Memory that the text's state took before any token was timed, which may make it larger. */
  long stateBytes() {
    return stateBytes / kind.layers();
  }

  @Override
  public void close() {
    session.close();
    model.close();
  }
}
