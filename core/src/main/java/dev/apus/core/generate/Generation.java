package dev.apus.core.generate;

import dev.apus.core.tokenizer.TextDecoder;
import java.time.Duration;
import java.util.BitSet;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * One continuation of a sequence, computed token by token as it is pulled.
 *
 * <p>What the source holds is its tokens before, the prompt, and every token chosen, except one
 * that ends the text ({@link StopReason#END_OF_TEXT}, {@link StopReason#STOP_TOKEN}). That is so at
 * any time and however the generation ends, with one exception: when the model, a processor or a
 * callback fails, the source goes back to where it was before the prompt. Text that is held back is
 * not handed out where a generation is cancelled.
 */
public final class Generation extends Pull<Token> {

  private final TokenSource source;
  private final TextDecoder decoder;
  private final Sampling sampling;
  private final Sampler sampler;
  private final Constraint.Follower follower;
  private final StopTexts stopTexts;
  private final BitSet endTokens;
  private final BitSet stopTokens;
  private final Stopwatch stopwatch;
  private final TokenSource.Mark mark;
  private final int promptTokens;
  private final int reusedBefore;
  private final int[] single = new int[1];

  private int expectedLength;
  private int generatedTokens;

  /**
   * Appends the prompt to the source; computes nothing yet.
   *
   * @param decoder as new; turns the chosen tokens into text
   * @param endTokens with which the model ends a text
   * @param prompt may be empty if the source holds tokens already
   * @throws IllegalArgumentException if the source cannot take the prompt, there is nothing to
   *     continue, or a stop token is not in the vocabulary; the source is then as it was
   */
  public Generation(
      TokenSource source,
      TextDecoder decoder,
      Set<Integer> endTokens,
      int[] prompt,
      Sampling sampling) {
    this(source, decoder, endTokens, prompt, sampling, null, System::nanoTime);
  }

  /**
   * Appends the prompt to the source, to continue it by a text that is constrained.
   *
   * @param follower of the sampling's constraint, as new; null if there is none
   * @throws IllegalArgumentException also if one of the two is there alone
   */
  public Generation(
      TokenSource source,
      TextDecoder decoder,
      Set<Integer> endTokens,
      int[] prompt,
      Sampling sampling,
      Constraint.Follower follower) {
    this(source, decoder, endTokens, prompt, sampling, follower, System::nanoTime);
  }

  Generation(
      TokenSource source,
      TextDecoder decoder,
      Set<Integer> endTokens,
      int[] prompt,
      Sampling sampling,
      Constraint.Follower follower,
      LongSupplier nanos) {
    super("generation", "token");
    this.source = source;
    this.decoder = decoder;
    this.sampling = sampling;
    if (prompt.length == 0 && source.length() == 0) {
      throw new IllegalArgumentException(
          "the prompt is empty and so is the sequence; there is nothing to continue");
    }
    if ((follower == null) != (sampling.constraint() == null)) {
      throw new IllegalArgumentException("needed: a constraint and what follows it, or neither");
    }
    this.endTokens = TokenHistory.ids("endTokens", endTokens, source.vocabulary());
    stopTokens = TokenHistory.ids("stopTokens", sampling.stopTokens(), source.vocabulary());
    stopTexts = new StopTexts(sampling.stopTexts());
    this.follower = follower;
    sampler = new Sampler(sampling, source.vocabulary(), prompt, follower);
    stopwatch = new Stopwatch(nanos);
    promptTokens = prompt.length;
    reusedBefore = source.reusedTokens();
    mark = source.mark();
    try {
      source.append(prompt);
    } catch (RuntimeException | Error e) {
      mark.close();
      throw e;
    }
    expectedLength = source.length();
  }

  /** What the generation took so far; to be asked on the thread that pulls. */
  public Usage usage() {
    return new Usage(
        promptTokens,
        Math.min(promptTokens, Math.max(0, source.reusedTokens() - reusedBefore)),
        Duration.ofNanos(stopwatch.promptNanos()),
        generatedTokens,
        Duration.ofNanos(stopwatch.generationNanos()));
  }

  @Override
  protected StopReason before() {
    if (source.length() != expectedLength) {
      end(StopReason.FAILED);
      throw new IllegalStateException(
          "the sequence holds "
              + source.length()
              + " tokens instead of "
              + expectedLength
              + ": it was changed while it was being continued");
    }
    if (follower != null && follower.isFinished()) {
      return StopReason.COMPLETE;
    }
    if (source.length() >= source.limit()) {
      return cut(StopReason.CONTEXT_FULL);
    }
    stopwatch.start();
    return null;
  }

  @Override
  protected Token compute(BooleanSupplier cancellation) {
    int id = sampler.choose(source.logits(cancellation));
    generatedTokens++;
    String text = textUpTo(id);
    return new Token(id, text, sampler.logProbability(), sampler.topProbabilities());
  }

  @Override
  protected void after() {
    stopwatch.stop(generatedTokens);
  }

  @Override
  protected void undo() {
    mark.rewind();
  }

  @Override
  protected void ended(StopReason reason) {
    source.settle();
  }

  @Override
  protected void release() {
    mark.close();
  }

  /** Decides whether token {@code id} is the last, and returns the text that is certain with it. */
  private String textUpTo(int id) {
    if (endTokens.get(id)) {
      return lastText("", StopReason.END_OF_TEXT);
    }
    if (stopTokens.get(id)) {
      return lastText("", StopReason.STOP_TOKEN);
    }
    single[0] = id;
    source.append(single);
    expectedLength++;
    String text = stopTexts.append(decoder.append(id));
    if (stopTexts.found()) {
      end(StopReason.STOP_TEXT);
      return text;
    }
    if (follower != null && follower.isFinished()) {
      return lastText(text, StopReason.COMPLETE);
    }
    if (generatedTokens == sampling.maxTokens()) {
      return lastText(text, cut(StopReason.MAX_TOKENS));
    }
    return source.length() < source.limit() ? text : lastText(text, cut(StopReason.CONTEXT_FULL));
  }

  /** Why a text was cut that could have gone on. */
  private StopReason cut(StopReason reason) {
    return follower == null || follower.isComplete() ? reason : StopReason.INCOMPLETE;
  }

  private String lastText(String text, StopReason reason) {
    String rest = stopTexts.append(decoder.flush());
    String last = text + rest + stopTexts.flush();
    end(stopTexts.found() ? StopReason.STOP_TEXT : reason);
    return last;
  }

  private static BitSet ids(String name, Set<Integer> ids, int vocabulary) {
    BitSet bits = new BitSet();
    for (int id : ids) {
      if (id < 0 || id >= vocabulary) {
        throw new IllegalArgumentException(
            name + " holds " + id + "; the vocabulary has the ids 0 to " + (vocabulary - 1));
      }
      bits.set(id);
    }
    return bits;
  }
}
