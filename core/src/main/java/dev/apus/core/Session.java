package dev.apus.core;

import dev.apus.core.compute.Pass;
import dev.apus.core.generate.Generation;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.Token;
import dev.apus.core.generate.TokenSource;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceState;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.tokenizer.TextDecoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CancellationException;
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

  /**
   * Rows of one forward pass: long prompts are computed in pieces, to bound the memory they take.
   */
  private static final int CHUNK = 512;

  private final Model model;
  private final Pass pass;
  private final SequenceState state;
  private final AtomicBoolean busy = new AtomicBoolean();
  private int[] tokens;
  private int length;
  private SequenceState.Mark undo;
  private float[] logits;
  private int logitsAt = -1;
  private volatile Generation current;
  private boolean closed;

  Session(Model model, SequenceState state, List<Integer> history) {
    this.model = model;
    this.state = state;
    this.pass = model.newPass();
    this.tokens = history.stream().mapToInt(Integer::intValue).toArray();
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
    current = generation;
    return generation;
  }

  /** The tokens of a text; those that begin a document are added if the session is empty. */
  public int[] encode(String text) {
    return model.tokenizer().encode(text, length == 0, false);
  }

  /** Stops the generation that runs, if any; any thread may call this. */
  public void cancel() {
    Generation generation = current;
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
      busy.set(false);
    }
  }

  private void checkTokens(int[] more) {
    if (more.length > limit() - length) {
      throw new IllegalArgumentException(
          "the session is at %d tokens of at most %d; %d more do not fit; open it with a larger limit"
              .formatted(length, limit(), more.length));
    }
    int vocabulary = model.architecture().vocabulary();
    for (int i = 0; i < more.length; i++) {
      if (more[i] < 0 || more[i] >= vocabulary) {
        throw new IllegalArgumentException(
            "token %d at %d is not in the vocabulary of %d".formatted(more[i], i, vocabulary));
      }
    }
  }

  /** The logits after the last token; computes what has been appended. */
  public float[] logits() {
    return logits(() -> false);
  }

  @Override
  public float[] logits(BooleanSupplier cancelled) {
    if (logitsAt != length) {
      pass.cancelledBy(cancelled);
      compute(model, List.of(this));
    }
    return logits;
  }

  /**
   * The logits after each of these tokens, which are appended and computed now: for scoring a text.
   *
   * @return one row of {@code vocabulary} logits for each token
   */
  public float[][] score(int... more) {
    if (logitsAt != length && length > 0) {
      logits();
    }
    append(more);
    if (more.length == 0) {
      return new float[0][];
    }
    Matrix all = Matrix.zeros(more.length, model.architecture().vocabulary());
    int[] wanted = new int[more.length];
    Arrays.setAll(wanted, i -> i);
    boolean done = false;
    try {
      forward(List.of(this), wanted, all);
      done = true;
    } finally {
      if (!done) {
        length -= more.length;
      }
    }
    float[][] rows = new float[more.length][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = Arrays.copyOfRange(all.data(), all.at(i), all.at(i) + all.cols());
    }
    logits = rows[more.length - 1];
    logitsAt = length;
    return rows;
  }

  static void compute(Model model, List<Session> sessions) {
    if (new HashSet<>(sessions).size() != sessions.size()) {
      throw new IllegalArgumentException("a session is there twice");
    }
    for (Session session : sessions) {
      if (session.model != model) {
        throw new IllegalArgumentException("a session belongs to another model");
      }
      if (session.length == 0) {
        throw new IllegalStateException("a session is empty; append tokens first");
      }
    }
    List<Session> due = sessions.stream().filter(s -> s.logitsAt != s.length).toList();
    if (due.isEmpty()) {
      return;
    }
    int vocabulary = model.architecture().vocabulary();
    Matrix rows = Matrix.zeros(due.size(), vocabulary);
    forward(due, null, rows);
    for (int i = 0; i < due.size(); i++) {
      Session session = due.get(i);
      session.logits = Arrays.copyOfRange(rows.data(), rows.at(i), rows.at(i) + vocabulary);
      session.logitsAt = session.length;
    }
  }

  /**
   * One or more forward passes over what the sessions have not computed yet; all of it or nothing.
   */
  private static void forward(List<Session> sessions, int[] wanted, Matrix logits) {
    List<Session> entered = new ArrayList<>();
    try {
      for (Session session : sessions) {
        session.enter();
        entered.add(session);
      }
      for (Session session : sessions) {
        session.undo = session.state.mark(session.undo);
      }
      try {
        passes(sessions, wanted, logits);
      } catch (RuntimeException | Error e) {
        throw undone(sessions, e);
      }
    } finally {
      entered.forEach(session -> session.busy.set(false));
    }
  }

  private static void passes(List<Session> sessions, int[] wanted, Matrix logits) {
    Model model = sessions.getFirst().model;
    Pass pass = sessions.getFirst().pass;
    for (Session session : sessions) {
      while (wanted == null && session.length - session.state.length() > CHUNK) {
        int[] none = new int[0];
        Matrix nothing = Matrix.zeros(0, logits.cols());
        model
            .network()
            .forward(pass, batch(List.of(session), CHUNK), session.next(CHUNK), none, nothing);
      }
    }
    Batch<SequenceState> batch = batch(sessions, Integer.MAX_VALUE);
    int[] rows = new int[batch.rows()];
    for (int i = 0; i < sessions.size(); i++) {
      Run<SequenceState> run = batch.runs().get(i);
      System.arraycopy(sessions.get(i).tokens, run.position(), rows, run.from(), run.length());
    }
    int[] last = batch.runs().stream().mapToInt(run -> run.to() - 1).toArray();
    model.network().forward(pass, batch, rows, wanted == null ? last : wanted, logits);
  }

  private static Batch<SequenceState> batch(List<Session> sessions, int most) {
    List<Run<SequenceState>> runs = new ArrayList<>();
    int from = 0;
    for (Session session : sessions) {
      int computed = session.state.length();
      int rows = Math.min(most, session.length - computed);
      runs.add(new Run<>(session.state, from, from + rows, computed));
      from += rows;
    }
    return new Batch<>(runs);
  }

  private int[] next(int count) {
    return Arrays.copyOfRange(tokens, state.length(), state.length() + count);
  }

  /** Takes the sessions back to before the call, and says what went wrong. */
  private static RuntimeException undone(List<Session> sessions, Throwable e) {
    Model model = sessions.getFirst().model;
    if (model.isClosed()) {
      return new GenerationException("the model was closed while a session computed", e);
    }
    sessions.forEach(session -> session.undo.rewind());
    return switch (e) {
      case CancellationException cancelled -> cancelled;
      case InternalError fault ->
          new GenerationException(
              "a weight could not be read; its file was changed or cut short while it was open",
              fault);
      case Error error -> throw error;
      case RuntimeException other -> other;
      default -> new GenerationException("the model failed: " + e, e);
    };
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
        busy.set(false);
      }
    }

    @Override
    public void close() {}
  }

  @Override
  public SessionMark mark() {
    enter();
    try {
      return new SessionMark();
    } finally {
      busy.set(false);
    }
  }

  /** An independent session that is where this one is. */
  public Session fork() {
    enter();
    try {
      Session fork =
          new Session(model, state.copy(), Arrays.stream(tokens(), 0, length).boxed().toList());
      fork.logits = logits;
      fork.logitsAt = logitsAt;
      return fork;
    } finally {
      busy.set(false);
    }
  }

  private void enter() {
    if (!busy.compareAndSet(false, true)) {
      throw new IllegalStateException("the session is in use by another thread");
    }
    if (closed) {
      busy.set(false);
      throw new IllegalStateException("the session is closed");
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    cancel();
    enter();
    closed = true;
    state.close();
    busy.set(false);
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
