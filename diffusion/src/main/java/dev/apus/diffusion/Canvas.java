package dev.apus.diffusion;

import dev.apus.core.Model;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Diffusion;
import dev.apus.core.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One text that a diffusion model fills in: what a session is to a model that continues texts. It
 * holds tokens and gaps, anywhere; {@link #denoise} fills the gaps, and what is filled is text like
 * any other, which may be erased again.
 *
 * <p>A canvas belongs to one thread at a time; other canvases of the same model may compute
 * meanwhile. What fails leaves the canvas as it was.
 */
public final class Canvas implements AutoCloseable {

  private static final Pattern GAP = Pattern.compile(" ?<gap:(\\d{1,9})>");

  private final Model model;
  private final int limit;
  private final AtomicBoolean busy = new AtomicBoolean();
  private volatile Denoising current;
  private int[] tokens = new int[0];
  private BitSet open = new BitSet();
  private Passes kept;
  private Recipe keptFor;
  private int[] keptTokens = new int[0];
  private boolean closed;

  private Canvas(Model model, int limit) {
    this.model = model;
    this.limit = limit;
  }

  /** A canvas that may become as long as the model was made for. */
  public static Canvas of(Model model) {
    return of(model, model.architecture().context());
  }

  /**
   * A canvas of at most {@code limit} tokens.
   *
   * @throws IllegalArgumentException if the model is no diffusion model
   */
  public static Canvas of(Model model, int limit) {
    Architecture architecture = model.architecture();
    if (architecture.diffusion() == null) {
      throw new IllegalArgumentException(refusal(architecture));
    }
    if (limit < 1) {
      throw new IllegalArgumentException("a canvas of " + limit + " tokens; needed is 1 at least");
    }
    return new Canvas(model, limit);
  }

  /** Names the first mixer that keeps a model from looking ahead, if it has one. */
  private static String refusal(Architecture architecture) {
    String mixers =
        String.join(
            ", ",
            architecture.layers().stream()
                .flatMap(layer -> layer.steps().stream())
                .flatMap(step -> step.branches().stream())
                .filter(branch -> branch.role() == Architecture.Role.MIXER)
                .map(branch -> branch.part().type())
                .distinct()
                .toList());
    return String.format(
        Locale.ROOT,
        "%s was not made to fill texts in: its mixers (%s) read a text %s; a canvas needs a"
            + " diffusion model, such as fable-diffusion",
        architecture.family(),
        mixers,
        architecture.isEncoder() ? "as a whole, and no noise" : "from left to right");
  }

  public Model model() {
    return model;
  }

  Diffusion diffusion() {
    return model.architecture().diffusion();
  }

  /** How many tokens it has, with those of its gaps. */
  public int length() {
    return tokens.length;
  }

  public int limit() {
    return limit;
  }

  /** The tokens; what stands in a gap is noise. */
  public int[] tokens() {
    return tokens.clone();
  }

  /** How many positions are to be filled. */
  public int noise() {
    return open.cardinality();
  }

  public boolean isOpen(int position) {
    return open.get(position);
  }

  BitSet open() {
    return open;
  }

  /** Whether these are the tokens that it holds, and no others of the same values. */
  boolean holds(int[] these) {
    return tokens == these;
  }

  int[] held() {
    return tokens;
  }

  /** The text with {@code ░} for each position that is to be filled. */
  public String text() {
    return draft().text("░");
  }

  /** What it holds now. */
  public Draft draft() {
    return new Draft(0, tokens, open, List.of(), tokenizerOrNull(), null, false);
  }

  Tokenizer tokenizerOrNull() {
    try {
      return model.tokenizer();
    } catch (IllegalStateException e) {
      return null;
    }
  }

  /**
   * Adds tokens to the end; those that stand for noise are gaps.
   *
   * @throws IllegalArgumentException if an id is unknown or the tokens do not fit
   */
  public Canvas append(int... more) {
    return change(tokens.length, tokens.length, more, false);
  }

  /** Adds a gap of so many tokens to the end. */
  public Canvas gap(int count) {
    return change(tokens.length, tokens.length, new int[count], true);
  }

  /** Puts a gap of so many tokens in the place of the tokens {@code [from, to)}. */
  public Canvas replace(int from, int to, int count) {
    return change(from, to, new int[count], true);
  }

  /** Makes a gap of the tokens {@code [from, to)}, which are forgotten. */
  public Canvas erase(int from, int to) {
    return replace(from, to, to - from);
  }

  /**
   * Adds text to the end, in which {@code <gap:24>} is a gap of 24 tokens. A space before a gap is
   * left out, because tokens of words begin with it.
   *
   * @throws IllegalStateException if the checkpoint has no tokenizer
   */
  public Canvas write(String text) {
    Tokenizer tokenizer = model.tokenizer();
    Canvas whole = fork();
    int at = 0;
    Matcher gap = GAP.matcher(text);
    while (gap.find()) {
      whole.add(tokenizer, text.substring(at, gap.start()));
      whole.gap(Integer.parseInt(gap.group(1)));
      at = gap.end();
    }
    whole.add(tokenizer, text.substring(at));
    enter();
    try {
      tokens = whole.tokens;
      open = whole.open;
    } finally {
      leave();
    }
    return this;
  }

  private void add(Tokenizer tokenizer, String text) {
    if (!text.isEmpty()) {
      append(tokenizer.encode(text, length() == 0, false));
    }
  }

  private Canvas change(int from, int to, int[] added, boolean noise) {
    enter();
    try {
      if (from < 0 || from > to || to > tokens.length) {
        throw new IllegalArgumentException(
            "tokens " + from + " to " + to + " of a canvas of " + tokens.length);
      }
      int length = Math.addExact(tokens.length - (to - from), added.length);
      if (length > limit) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "the canvas would have %d tokens, and may have %d; open it with a larger limit",
                length,
                limit));
      }
      int mask = diffusion().mask();
      int[] all = new int[length];
      System.arraycopy(tokens, 0, all, 0, from);
      System.arraycopy(tokens, to, all, from + added.length, tokens.length - to);
      BitSet opened = open.get(0, from);
      for (int i = 0; i < added.length; i++) {
        int token = noise ? Math.max(0, mask) : added[i];
        if (token < 0 || token >= model.architecture().vocabulary()) {
          throw new IllegalArgumentException(
              String.format(
                  Locale.ROOT,
                  "token %d at %d is not in the vocabulary of %d",
                  token,
                  i,
                  model.architecture().vocabulary()));
        }
        all[from + i] = token;
        opened.set(from + i, noise || token == mask);
      }
      for (int i = to; i < tokens.length; i++) {
        opened.set(i - to + from + added.length, open.get(i));
      }
      tokens = all;
      open = opened;
      return this;
    } finally {
      leave();
    }
  }

  /**
   * Begins to fill the gaps; computes nothing yet. A canvas without a gap gets one of {@link
   * dev.apus.core.generate.Sampling#maxTokens()} at its end, or as long as fits.
   *
   * @throws IllegalArgumentException if the recipe does not fit the model
   */
  public Denoising denoise(Recipe recipe) {
    Denoising denoising = new Denoising(this, recipe);
    current = denoising;
    return denoising;
  }

  /** Fills the gaps: drafts that sharpen, each computed when it is asked for. */
  public Stream<Draft> fill(Recipe recipe) {
    return denoise(recipe).stream();
  }

  /** Stops the denoising that runs, if any; any thread may call this. */
  public void cancel() {
    Denoising denoising = current;
    if (denoising != null) {
      denoising.cancel();
    }
  }

  /** An independent canvas that holds what this one does. */
  public Canvas fork() {
    enter();
    try {
      Canvas fork = new Canvas(model, limit);
      fork.tokens = tokens;
      fork.open = open;
      return fork;
    } finally {
      leave();
    }
  }

  /** What denoising has made of the text. */
  void become(int[] all, BitSet noisy) {
    tokens = all;
    open = noisy;
  }

  /** The passes of an earlier denoising by the same cache, with what still holds of them. */
  Passes passes(Recipe recipe) {
    boolean fits =
        kept != null
            && keeps()
            && keptFor.cache().equals(recipe.cache())
            && keptFor.guidance() == 0
            && recipe.guidance() == 0;
    if (!fits) {
      forget();
      kept = Passes.of(model, limit, recipe);
    }
    int same = Arrays.mismatch(keptTokens, tokens);
    kept.keep(same < 0 ? tokens.length : same);
    keptFor = recipe;
    return kept;
  }

  /** Takes note of the tokens that the passes have seen. */
  void seen(int[] all) {
    keptTokens = all.clone();
  }

  /** Nothing is left to compute: what may not be used again is given back. */
  void ended() {
    if (!keeps()) {
      forget();
    }
  }

  /** Whether anything that is computed holds for a text with other tokens at its end. */
  private boolean keeps() {
    return diffusion().block() > 0 || model.architecture().hasCanvases();
  }

  void forget() {
    if (kept != null) {
      kept.close();
      kept = null;
      keptTokens = new int[0];
    }
  }

  void enter() {
    if (!busy.compareAndSet(false, true)) {
      throw new IllegalStateException("the canvas is in use by another thread");
    }
    if (closed) {
      leave();
      throw new IllegalStateException("the canvas is closed");
    }
  }

  void leave() {
    busy.set(false);
  }

  /**
   * Stops the denoising that runs, and gives the memory back; closing again does nothing.
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
    forget();
    leave();
  }
}
