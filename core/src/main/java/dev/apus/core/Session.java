package dev.apus.core;

import dev.apus.core.file.AtomicFile;
import dev.apus.core.generate.Constraint;
import dev.apus.core.generate.Generation;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.Token;
import dev.apus.core.generate.TokenSource;
import dev.apus.core.model.KeyVisits;
import dev.apus.core.routing.RouteListener;
import dev.apus.core.tokenizer.TextDecoder;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.ref.WeakReference;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * One text that a model reads and continues. A session belongs to one thread at a time; other
 * sessions of the same model may compute meanwhile.
 *
 * <p>Tokens are appended and computed when logits are asked for, so that a prompt is computed
 * together with the token before it. Whatever fails or is cancelled leaves the session as it was:
 * with the same tokens, and the same bits of whatever is computed next.
 */
public final class Session implements TokenSource, AutoCloseable {

  private final Model model;
  private final Sequence sequence;
  private final AtomicBoolean busy = new AtomicBoolean();
  private volatile WeakReference<Generation> current = new WeakReference<>(null);
  private boolean closed;

  Session(Sequence sequence) {
    this.model = sequence.model();
    this.sequence = sequence;
  }

  public Model model() {
    return model;
  }

  private boolean hasTokenizer() {
    return model.text().tokenizer() != null;
  }

  /** Logits past the tokenizer's ids belong to padding, which is never chosen. */
  @Override
  public int vocabulary() {
    return hasTokenizer() ? model.tokenizer().vocabularySize() : model.architecture().vocabulary();
  }

  @Override
  public int length() {
    return sequence.length();
  }

  @Override
  public int limit() {
    return sequence.limit();
  }

  /** The tokens of the session so far. */
  public int[] tokens() {
    return sequence.tokens();
  }

  /**
   * Memory that the session's state takes, with what is kept for marks that are open, and to go
   * back if a step fails. What it shares with forks, or with the prefix cache, counts for each of
   * them in part, so that the sum over all sessions is what they take together.
   */
  public long bytes() {
    return sequence.bytes();
  }

  /**
   * How many keys this session's queries have visited so far, and how many there were to see: what
   * a {@linkplain ModelOptions#withAttention policy} saves. Layers without softmax attention do not
   * count.
   */
  public KeyVisits keyVisits() {
    return sequence.state().visits();
  }

  @Override
  public int reusedTokens() {
    return sequence.reused();
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

  /**
   * From now on tells which experts each token is given to, in the layers that have any. What is
   * taken from other sessions' work instead of being computed is not told.
   *
   * @param listener or null for nobody
   */
  public void tellRoutes(RouteListener listener) {
    sequence.tellRoutes(listener);
  }

  /** Continues a text and hands every token to a callback. */
  public Generation generate(String prompt, Sampling sampling, Consumer<? super Token> callback) {
    Generation generation = start(encode(prompt), sampling);
    generation.forEachRemaining(callback);
    return generation;
  }

  /**
   * Looks for the likeliest continuations of a text; the session stays as it is. An interrupt of
   * the thread cancels.
   *
   * @return the best first; none if there is no room for a token
   * @throws IllegalArgumentException if the prompt does not fit into the session, or both are empty
   * @throws java.util.concurrent.CancellationException soon after an interrupt
   */
  public List<Beam> search(String prompt, BeamSearch how) {
    return search(encode(prompt), how);
  }

  /** Looks for the likeliest continuations like {@link #search(String, BeamSearch)}. */
  public List<Beam> search(int[] prompt, BeamSearch how) {
    if (prompt.length == 0 && length() == 0) {
      throw new IllegalArgumentException(
          "the prompt is empty and so is the session; there is nothing to continue");
    }
    Thread thread = Thread.currentThread();
    try (Session start = fork()) {
      start.append(prompt);
      try (Beams beams = new Beams(start, how)) {
        return beams.run(thread::isInterrupted);
      }
    }
  }

  /** Begins to continue the session by these tokens; nothing is computed yet. */
  public Generation start(int[] prompt, Sampling how) {
    Sampling sampling = model.settings().allowed(how, vocabulary());
    TextDecoder decoder = hasTokenizer() ? model.tokenizer().newDecoder() : TextDecoder.NONE;
    Set<Integer> ends = model.endTokens();
    Constraint.Follower follower = Constraint.of(sampling, ends, model.text()::bytes);
    Generation generation = new Generation(this, decoder, ends, prompt, sampling, follower);
    current = new WeakReference<>(generation);
    return generation;
  }

  /** The tokens of a text; those that begin a document are added if the session is empty. */
  public int[] encode(String text) {
    return model.tokenizer().encode(text, length() == 0, false);
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
      sequence.append(more);
    } finally {
      leave();
    }
  }

  /** The logits after the last token; computes what has been appended. */
  public float[] logits() {
    return logits(() -> false);
  }

  @Override
  public float[] logits(BooleanSupplier cancelled) {
    if (sequence.isDue()) {
      Computation.logits(model, List.of(this), cancelled);
    }
    return sequence.logits();
  }

  /**
   * The logits after each of these tokens, which are appended and computed now: for scoring a text.
   *
   * @return one row of {@code vocabulary} logits for each token
   */
  public float[][] score(int... more) {
    if (sequence.isDue() && length() > 0) {
      logits();
    }
    if (more.length == 0) {
      return new float[0][];
    }
    try (SessionMark before = mark()) {
      try {
        append(more);
        return Computation.scores(this).toArray(float[][]::new);
      } catch (RuntimeException | Error e) {
        before.rewind();
        throw e;
      }
    }
  }

  Sequence sequence() {
    return sequence;
  }

  @Override
  public void settle() {
    if (!closed && busy.compareAndSet(false, true)) {
      try {
        sequence.settle();
      } finally {
        leave();
      }
    }
  }

  void leave() {
    busy.set(false);
  }

  /** A place in a session to come back to. */
  public final class SessionMark implements TokenSource.Mark {

    private final Sequence.Place place = sequence.place();

    private SessionMark() {}

    @Override
    public void rewind() {
      enter();
      try {
        place.rewind();
      } finally {
        leave();
      }
    }

    @Override
    public void close() {
      place.close();
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

  /**
   * An independent session that is where this one is. Keys and values are shared until one of the
   * two writes to a page that both have, so that forks of a long text take little; a recurrent
   * state is small, and copied.
   */
  public Session fork() {
    enter();
    try {
      return new Session(sequence.copy());
    } finally {
      leave();
    }
  }

  /**
   * Writes the session to a file, from which {@link Model#restore(Path)} goes on with the same
   * bits: tokens, logits, and the states of all layers, of which caches write only the part that is
   * used. The file is replaced when the new one is complete; if writing fails, it is as it was.
   *
   * @throws IOException if the file cannot be written
   */
  public void save(Path file) throws IOException {
    AtomicFile.write(file, out -> save(Channels.newOutputStream(out)));
  }

  /** Writes the session like {@link #save(Path)}; the stream is not closed. */
  public void save(OutputStream out) throws IOException {
    enter();
    try {
      SessionFile.write(model.fingerprint(), sequence.head(), sequence.state(), out);
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
    sequence.close();
    leave();
  }
}
