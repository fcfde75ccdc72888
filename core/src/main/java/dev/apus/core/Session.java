package dev.apus.core;

import dev.apus.core.compute.Pass;
import dev.apus.core.generate.Generation;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.Token;
import dev.apus.core.generate.TokenSource;
import dev.apus.core.model.SequenceState;
import dev.apus.core.tokenizer.TextDecoder;
import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * One text that a model reads and continues. A session belongs to one thread at a time; other
 * sessions of the same model may compute meanwhile.
 *
 * <p>Tokens are appended and computed when logits are asked for, so that a prompt is computed
 * together with the token before it. Whatever fails or is cancelled leaves the session as it was.
 */
public final class Session implements TokenSource, AutoCloseable {

  private final Model model;
  private final Pass pass;
  private final SequenceState state;
  private final AtomicBoolean busy = new AtomicBoolean();
  private int[] tokens;
  private int length;
  private SequenceState.Mark undo;
  private float[] logits;
  private int logitsAt = -1;
  private volatile WeakReference<Generation> current = new WeakReference<>(null);
  private boolean closed;

  Session(Model model, SequenceState state, int[] history) {
    this.model = model;
    this.state = state;
    this.pass = model.newPass();
    this.tokens = history;
    this.length = tokens.length;
  }

  public Model model() {
    return model;
  }

  /** Logits past the tokenizer's ids belong to padding, which is never chosen. */
  @Override
  public int vocabulary() {
    return model.hasTokenizer()
        ? model.tokenizer().vocabularySize()
        : model.architecture().vocabulary();
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public int limit() {
    return state.limit();
  }

  /** The tokens of the session so far. */
  public int[] tokens() {
    return Arrays.copyOf(tokens, length);
  }

  /** Memory that the session's state takes. */
  public long bytes() {
    return state.bytes();
  }

  /**
   * Continues a text: tokens are computed as the stream is read. Close the stream to stop early.
   *
   * @throws IllegalStateException if the checkpoint has no tokenizer
   * @throws IllegalArgumentException if the prompt does not fit into the session
   */
  public Stream<Token> generate(String prompt, Sampling sampling) {
    return start(encode(prompt), sampling).stream();
  }

  /** Continues a text and hands every token to a callback. */
  public Generation generate(String prompt, Sampling sampling, Consumer<? super Token> callback) {
    Generation generation = start(encode(prompt), sampling);
    generation.forEachRemaining(callback);
    return generation;
  }

  /** Begins to continue the session by these tokens; nothing is computed yet. */
  public Generation start(int[] prompt, Sampling sampling) {
    TextDecoder decoder = model.hasTokenizer() ? model.tokenizer().newDecoder() : NO_TEXT;
    Generation generation = new Generation(this, decoder, model.endTokens(), prompt, sampling);
    current = new WeakReference<>(generation);
    return generation;
  }

  /** The tokens of a text; those that begin a document are added if the session is empty. */
  public int[] encode(String text) {
    return model.tokenizer().encode(text, length == 0, false);
  }

  /** Stops the generation that runs, if any; any thread may call this. */
  public void cancel() {
    Generation generation = current.get();
    if (generation != null) {
      generation.cancel();
    }
  }

  @Override
  public void append(int... more) {
    enter();
    try {
      checkTokens(more);
      if (length + more.length > tokens.length) {
        long wanted = Math.max(2L * tokens.length, length + (long) more.length);
        tokens = Arrays.copyOf(tokens, (int) Math.min(wanted, limit()));
      }
      System.arraycopy(more, 0, tokens, length, more.length);
      length += more.length;
    } finally {
      leave();
    }
  }

  private void checkTokens(int[] more) {
    if (more.length > limit() - length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the session is at %d tokens of at most %d; %d more do not fit; open it with a larger"
                  + " limit",
              length,
              limit(),
              more.length));
    }
    int vocabulary = model.architecture().vocabulary();
    for (int i = 0; i < more.length; i++) {
      if (more[i] < 0 || more[i] >= vocabulary) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "token %d at %d is not in the vocabulary of %d",
                more[i],
                i,
                vocabulary));
      }
    }
  }

  /** The logits after the last token; computes what has been appended. */
  public float[] logits() {
    return logits(() -> false);
  }

  @Override
  public float[] logits(BooleanSupplier cancelled) {
    if (isDue()) {
      Computation.logits(model, List.of(this), cancelled);
    }
    return logits;
  }

  /**
   * The logits after each of these tokens, which are appended and computed now: for scoring a text.
   *
   * @return one row of {@code vocabulary} logits for each token
   */
  public float[][] score(int... more) {
    if (isDue() && length > 0) {
      logits();
    }
    if (more.length == 0) {
      return new float[0][];
    }
    append(more);
    float[][] rows;
    try {
      rows = Computation.scores(this).toArray(float[][]::new);
    } catch (RuntimeException | Error e) {
      length -= more.length;
      throw e;
    }
    computed(rows[more.length - 1]);
    return rows;
  }

  /** Whether there is something to compute before the logits are known. */
  boolean isDue() {
    return logitsAt != length;
  }

  void computed(float[] row) {
    logits = row;
    logitsAt = length;
  }

  SequenceState state() {
    return state;
  }

  Pass pass() {
    return pass;
  }

  /** Remembers this place for {@link #undo}. */
  void keep() {
    undo = state.mark(undo);
  }

  /** Goes back to where {@link #keep} was called last. */
  void undo() {
    undo.rewind();
  }

  /** Forgets the place that {@link #keep} remembered. */
  void release() {
    undo.close();
  }

  /** The next {@code count} tokens that have not been computed. */
  int[] due(int count) {
    return Arrays.copyOfRange(tokens, state.length(), state.length() + count);
  }

  void leave() {
    busy.set(false);
  }

  /** A place in a session to come back to. */
  public final class SessionMark implements TokenSource.Mark {

    private final SequenceState.Mark mark = state.mark(null);
    private final int[] history = Arrays.copyOf(tokens, length);
    private final float[] logitsThen = logitsAt == length ? logits : null;

    private SessionMark() {}

    @Override
    public void rewind() {
      enter();
      try {
        mark.rewind();
        tokens = history.clone();
        length = history.length;
        logits = logitsThen;
        logitsAt = logitsThen == null ? -1 : length;
      } finally {
        leave();
      }
    }

    @Override
    public void close() {
      mark.close();
    }
  }

  @Override
  public SessionMark mark() {
    enter();
    try {
      return new SessionMark();
    } finally {
      leave();
    }
  }

  /** An independent session that is where this one is. */
  public Session fork() {
    enter();
    try {
      Session fork = new Session(model, state.copy(), tokens());
      fork.logits = logits;
      fork.logitsAt = logitsAt;
      return fork;
    } finally {
      leave();
    }
  }

  /** Makes sure that nobody else uses the session until {@link #leave}. */
  void enter() {
    if (!busy.compareAndSet(false, true)) {
      throw new IllegalStateException("the session is in use by another thread");
    }
    if (closed) {
      leave();
      throw new IllegalStateException("the session is closed");
    }
  }

  /**
   * Stops the generation that runs, and gives the memory back; closing again does nothing.
   *
   * @throws IllegalStateException if another thread computes just now; close again when it has
   *     stopped
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    cancel();
    enter();
    closed = true;
    state.close();
    leave();
  }

  private static final TextDecoder NO_TEXT =
      new TextDecoder() {
        @Override
        public String append(int id) {
          return "";
        }

        @Override
        public String flush() {
          return "";
        }
      };
}
