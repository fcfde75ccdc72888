package dev.apus.diffusion;

import dev.apus.core.generate.SplitMix;
import dev.apus.core.generate.StopReason;
import dev.apus.core.model.Diffusion;
import dev.apus.core.model.Diffusion.Noise;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * What denoising does to a text: one window after the other, each evaluation asks the model, lets
 * the rule decide, and gives a draft.
 */
final class Filling {

  /** Below it, what a model is told of its time would be infinite. */
  private static final double LEAST_TIME = Reverse.END;

  private final Canvas canvas;
  private final Recipe recipe;
  private final Ending ending;
  private final Proposer proposer;
  private final SplitMix random;
  private final List<Window> windows;
  private final BitSet given;
  private final double[] probabilities;
  private final boolean canvases;
  private final boolean inVectors;

  private int[] tokens;
  private BitSet noisy;
  private BitSet changed = new BitSet();
  private Passes passes;
  private int evaluationsBefore;
  private long rowsBefore;
  private int evaluations;
  private long rows;
  private int next;
  private int step;
  private double time;
  private int evaluation;
  private int atStart;
  private int edits;
  private int fixed;
  private double logLikelihood;
  private StopReason ended;

  /** The likeliest token of each position of the window, and for how long they were the same. */
  private int[] likeliest = {};

  private int stable;

  /**
   * Computes nothing yet.
   *
   * @param truth the tokens that positions are to get, whatever the model says; or null
   * @throws IllegalArgumentException if the recipe does not fit the model or the text
   */
  Filling(Canvas canvas, Recipe recipe, int[] truth) {
    this.canvas = canvas;
    this.recipe = recipe;
    noisy = (BitSet) canvas.open().clone();
    tokens = noisy.isEmpty() ? withGap() : canvas.tokens();
    random = new SplitMix(recipe.sampling().seed());
    canvases = canvas.model().architecture().hasCanvases();
    inVectors = canvas.diffusion().gaussian() != null;
    requireFit();
    recipe.rule().posterior(canvas.diffusion(), new Progress(0, 1, 1, 1, 1));
    given = (BitSet) noisy.clone();
    given.flip(0, tokens.length);
    probabilities = new double[tokens.length];
    windows = Window.of(noisy, recipe, canvas.diffusion().block(), canvases);
    noisy.stream().forEach(i -> tokens[i] = noise());
    ending = Ending.of(canvas, recipe.sampling(), given, tokens.length, truth != null);
    proposer = ending.proposer(canvas, recipe.sampling(), truth);
    begin();
  }

  private void requireFit() {
    String needed = null;
    if (inVectors) {
      needed = misfitOfVectors();
    } else if (recipe.guidance() != 0 && canvas.diffusion().noise() == Noise.UNIFORM) {
      needed = "guidance needs a mask, and the noise is uniform";
    } else if (recipe.guidance() != 0 && canvases) {
      needed = "guidance is for texts that are seen as a whole or in blocks, not for canvases";
    } else if (recipe.editing() > 0 && recipe.rule().revises()) {
      needed = "editing=" + recipe.editing() + "; needed: 0, because the rule revises all tokens";
    } else if (canvases && !recipe.cache().isExact(canvas.diffusion())) {
      needed =
          "cache="
              + recipe.cache()
              + "; needed: none or blocks, because rows of a canvas are not kept";
    }
    if (needed != null) {
      throw new IllegalArgumentException(needed);
    }
  }

  /** What a recipe asks for that has no meaning where noise is in vectors, or null. */
  private String misfitOfVectors() {
    if (!(recipe.rule() instanceof Gaussian)) {
      return "the rule "
          + recipe.rule()
          + " decides about tokens, and the noise is in vectors; needed: Gaussian";
    }
    if (recipe.guidance() != 0) {
      return "guidance="
          + recipe.guidance()
          + "; needed: 0, because guidance of vectors takes derivatives of the model, which are not"
          + " computed; tokens that are given stay as they are without it";
    }
    if (recipe.editing() > 0) {
      return "editing=" + recipe.editing() + "; needed: 0, because all vectors change at each step";
    }
    if (recipe.window() > 0) {
      return "window=" + recipe.window() + "; needed: 0, because all vectors are equally noisy";
    }
    return recipe.cache().equals(Cache.NONE)
        ? null
        : "cache=" + recipe.cache() + "; needed: none, because all vectors change at each step";
  }

  private int[] withGap() {
    int room = Math.min(recipe.sampling().maxTokens(), canvas.limit() - canvas.length());
    if (room == 0) {
      throw new IllegalArgumentException(
          "the canvas holds " + canvas.length() + " tokens, has no gap and no room for one");
    }
    int[] all = Arrays.copyOf(canvas.tokens(), canvas.length() + room);
    noisy.set(canvas.length(), all.length);
    return all;
  }

  /** A token of noise. */
  private int noise() {
    int mask = canvas.diffusion().mask();
    int vocabulary = canvas.model().architecture().vocabulary();
    return mask >= 0 ? mask : (int) (random.nextDouble() * vocabulary);
  }

  private void begin() {
    Window window = windows.get(next);
    step = 0;
    time = 1;
    evaluation = 0;
    edits = 0;
    likeliest = new int[0];
    stable = 0;
    atStart = noisy.get(window.from(), window.to()).cardinality();
  }

  /** Why everything has been done, or null. */
  StopReason ended() {
    return ended;
  }

  int[] tokens() {
    return tokens.clone();
  }

  BitSet noisy() {
    return (BitSet) noisy.clone();
  }

  /** How often the model was asked. */
  int evaluations() {
    return evaluations;
  }

  /** How many rows went through it. */
  long rows() {
    return rows;
  }

  /** How many tokens were fixed. */
  int fixed() {
    return fixed;
  }

  /** The sum of the logarithms of the probabilities of all tokens that were fixed. */
  double logLikelihood() {
    return logLikelihood;
  }

  /**
   * Asks the model once, and fixes what the rule says.
   *
   * @param cancelled asked at every step of every layer
   */
  Draft evaluate(BooleanSupplier cancelled) {
    if (passes == null) {
      passes = canvas.passes(recipe);
      evaluationsBefore = passes.evaluations();
      rowsBefore = passes.computed();
    }
    Window window = windows.get(next);
    TransferRule rule = recipe.rule();
    int left = noisy.get(window.from(), window.to()).cardinality();
    while (left > 0 && rule.isIdle(step, window.steps(), atStart, left)) {
      step++;
    }
    Progress now = progress(window);
    time = Math.max(inVectors ? 0 : LEAST_TIME, rule.time(now, random::nextDouble));
    double level = canvas.model().noiseSchedule().at(time);
    float heat = rule.heat(step, window.steps());
    Posterior posterior = rule.posterior(canvas.diffusion(), now.at(time));
    proposer.prepare(posterior, heat, level, tokens);
    passes.begin(now.at(time), level);
    passes.evaluate(tokens, given, window, evaluation, noisy, changed, cancelled);
    canvas.seen(tokens);
    evaluations = passes.evaluations() - evaluationsBefore;
    rows = passes.computed() - rowsBefore;
    List<Proposal> noisyOnes = new ArrayList<>();
    List<Proposal> cleanOnes = new ArrayList<>();
    // Scores are ratios until they are weighed.
    float cooling = posterior == null ? heat : 1;
    List<Proposal> proposals =
        passes.proposals(asked(window), proposer, evaluations, ending.tailFrom(), cooling);
    for (Proposal proposal : proposals) {
      (noisy.get(proposal.position()) ? noisyOnes : cleanOnes).add(proposal);
    }
    int[] best = proposals.stream().mapToInt(Proposal::likeliest).toArray();
    stable = Arrays.equals(best, likeliest) ? stable + 1 : 0;
    likeliest = best;
    Moment moment = transfer(window, heat, noisyOnes, rule.revises() ? cleanOnes : List.of());
    List<Proposal> changes = new ArrayList<>();
    moment.chosen().forEach(chosen -> changes.add(proposer.told(chosen)));
    int mask = canvas.diffusion().mask();
    if (mask >= 0) {
      // A token that is none of the noise stands.
      moment.moved().stream().filter(moved -> moved.token() != mask).forEach(changes::add);
    }
    int edited = recipe.editing() > 0 ? edit(cleanOnes, changes) : 0;
    changes.sort(Comparator.comparingInt(Proposal::position));
    List<Proposal> shown =
        changes.stream()
            .filter(c -> noisy.get(c.position()) || tokens[c.position()] != c.token())
            .toList();
    apply(moment, changes);
    evaluation++;
    edits = noisyOnes.isEmpty() ? edits + 1 : 0;
    boolean settled =
        rule.revises() ? moment.isDone() : edited == 0 || edits >= recipe.editingSteps();
    if (settled && noisy.get(window.from(), window.to()).isEmpty() && ++next < windows.size()) {
      begin();
    }
    return draft(shown, settled || !rule.revises());
  }

  /**
   * Lets the rule decide, and again where it decided nothing and the model would say the same: what
   * was proposed and not taken is as good as proposed anew.
   */
  private Moment transfer(
      Window window, float heat, List<Proposal> noisyOnes, List<Proposal> standing) {
    TransferRule rule = recipe.rule();
    boolean revises = rule.revises();
    Diffusion diffusion = canvas.diffusion();
    boolean same = !diffusion.isTold() && diffusion.conditioning() == null;
    boolean repeats = same && recipe.editing() == 0 && !revises;
    Moment moment;
    do {
      moment =
          new Moment(
              step, window.steps(), atStart, noisyOnes, fixedIn(window), standing, stable, random);
      if (!noisyOnes.isEmpty() || revises) {
        rule.transfer(moment);
      }
      step++;
    } while (repeats
        && moment.isEmpty()
        && step < window.steps()
        && rule.heat(step, window.steps()) == heat);
    return moment;
  }

  private Progress progress(Window window) {
    int from = canvas.diffusion().block() == 0 ? 0 : window.from();
    int to = canvas.diffusion().block() == 0 ? tokens.length : window.to();
    BitSet open = new BitSet();
    open.set(from, to);
    open.andNot(given);
    int left = noisy.get(from, to).cardinality();
    return new Progress(step, window.steps(), left, open.cardinality(), time);
  }

  /** Positions of a window that proposals are needed for. */
  private int[] asked(Window window) {
    BitSet asked = noisy.get(0, window.to());
    if (recipe.editing() > 0 || recipe.rule().revises()) {
      asked.set(window.from(), window.to());
      asked.andNot(given);
    }
    return asked.stream().filter(i -> i >= window.from()).toArray();
  }

  private List<Moment.Fixed> fixedIn(Window window) {
    List<Moment.Fixed> all = new ArrayList<>();
    for (int i = window.from(); i < window.to(); i++) {
      if (!noisy.get(i) && !given.get(i)) {
        all.add(new Moment.Fixed(i, tokens[i], probabilities[i]));
      }
    }
    return all;
  }

  /** Adds the tokens that the model has become surer of than of those that stand there. */
  private int edit(List<Proposal> clean, List<Proposal> changes) {
    int count = 0;
    for (Proposal proposal : clean) {
      if (proposal.likeliest() != tokens[proposal.position()]
          && proposal.best() >= recipe.editing()) {
        changes.add(proposal.with(proposal.likeliest(), proposal.best()));
        count++;
      }
    }
    return count;
  }

  private void apply(Moment moment, List<Proposal> changes) {
    changed = new BitSet();
    for (Proposal change : changes) {
      int at = change.position();
      if (given.get(at)) {
        throw new IllegalStateException("a rule changed what was given, at position " + at);
      }
      fixed += noisy.get(at) ? 1 : 0;
      tokens[at] = change.token();
      noisy.clear(at);
      changed.set(at);
      probabilities[at] = change.probability();
      logLikelihood += StrictMath.log(Math.max(change.probability(), Double.MIN_NORMAL));
    }
    BitSet stay = new BitSet();
    for (Proposal moved : moment.moved()) {
      int at = moved.position();
      stay.set(at);
      changed.set(at, changed.get(at) || tokens[at] != moved.token());
      tokens[at] = moved.token();
    }
    for (int at : moment.renoised()) {
      fixed -= noisy.get(at) ? 0 : 1;
      noisy.set(at);
      changed.set(at);
    }
    noisy.stream().filter(i -> !stay.get(i)).forEach(i -> tokens[i] = noise());
  }

  /**
   * @param stands whether what is fixed now remains
   */
  private Draft draft(List<Proposal> changes, boolean stands) {
    Ending.Found found = stands ? ending.find(tokens, noisy) : null;
    if (found != null) {
      tokens = Arrays.copyOf(tokens, found.length());
      noisy = noisy.get(0, found.length());
    }
    if (found != null) {
      ended = found.reason();
    } else if (next == windows.size()) {
      ended = StopReason.MAX_TOKENS;
    }
    List<Proposal> shown =
        changes.stream().filter(change -> change.position() < tokens.length).toList();
    return new Draft(
        evaluations,
        tokens,
        noisy,
        shown,
        canvas.tokenizerOrNull(),
        found == null ? null : found.stop(),
        inVectors);
  }
}
