package dev.apus.core.generate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** A sequence whose logits are any function of its tokens, and that keeps account of its use. */
final class FakeSource implements TokenSource {

  final List<Integer> tokens = new ArrayList<>();
  final int vocabulary;
  int limit = Integer.MAX_VALUE;
  int steps;
  int openMarks;

  /** Runs inside each step, before cancellation is looked at. */
  Runnable insideStep = () -> {};

  private final Function<List<Integer>, float[]> model;

  FakeSource(int vocabulary, Function<List<Integer>, float[]> model) {
    this.vocabulary = vocabulary;
    this.model = model;
  }

  /** A source that says {@code script} after {@code promptTokens} tokens. */
  static FakeSource saying(int vocabulary, int promptTokens, int... script) {
    return new FakeSource(
        vocabulary,
        tokens -> {
          float[] logits = new float[vocabulary];
          logits[script[tokens.size() - promptTokens]] = 1;
          return logits;
        });
  }

  /** A source whose logits depend on every token and its place. */
  static FakeSource mixing(int vocabulary) {
    return new FakeSource(
        vocabulary,
        tokens -> {
          float[] logits = new float[vocabulary];
          var random = new SplitMix(tokens.hashCode());
          for (int i = 0; i < vocabulary; i++) {
            logits[i] = (float) (4 * random.nextDouble());
          }
          return logits;
        });
  }

  @Override
  public int vocabulary() {
    return vocabulary;
  }

  @Override
  public int length() {
    return tokens.size();
  }

  @Override
  public int limit() {
    return limit;
  }

  @Override
  public void append(int... more) {
    if (more.length > limit - tokens.size()) {
      throw new IllegalArgumentException(more.length + " tokens do not fit");
    }
    Arrays.stream(more).forEach(tokens::add);
  }

  @Override
  public float[] logits(BooleanSupplier cancelled) {
    steps++;
    insideStep.run();
    if (cancelled.getAsBoolean()) {
      throw new CancellationException("as asked");
    }
    return model.apply(List.copyOf(tokens));
  }

  @Override
  public Mark mark() {
    List<Integer> marked = List.copyOf(tokens);
    openMarks++;
    return new Mark() {
      private boolean closed;

      @Override
      public void rewind() {
        if (closed) {
          throw new IllegalStateException("the mark is closed");
        }
        tokens.clear();
        tokens.addAll(marked);
      }

      @Override
      public void close() {
        openMarks -= closed ? 0 : 1;
        closed = true;
      }
    };
  }
}
