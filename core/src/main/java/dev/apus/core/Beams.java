package dev.apus.core;

import dev.apus.core.generate.Logits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** One beam search: the beams are forks of a session, computed together. */
final class Beams implements AutoCloseable {

  private static final Comparator<Beam> BEST_FIRST =
      Comparator.comparingDouble(Beam::score).reversed();

  private final Model model;
  private final BeamSearch search;
  private final int vocabulary;
  private final int room;
  private final Set<Integer> ends;
  private final BitSet unused = new BitSet();
  private final List<Beam> results = new ArrayList<>();
  private final Set<Session> open = new LinkedHashSet<>();
  private List<Running> running;

  /** A beam that goes on. */
  private record Running(Session session, int[] tokens, double logProbability) {}

  /** A token more for a beam. */
  private record Candidate(int beam, int token, double logProbability) {}

  /** The likelier first; among equals, that of the better beam, then the lower id. */
  private static final Comparator<Candidate> LIKELIEST_FIRST =
      Comparator.comparingDouble(Candidate::logProbability)
          .reversed()
          .thenComparingInt(Candidate::beam)
          .thenComparingInt(Candidate::token);

  /**
   * Starts.
   *
   * @param start a session of its own, closed with this
   */
  Beams(Session start, BeamSearch search) {
    this.model = start.model();
    this.search = search;
    this.vocabulary = start.vocabulary();
    this.room = Math.min(search.maxTokens(), start.limit() - start.length());
    this.ends = model.endTokens();
    model.unusedTokens().forEach(unused::set);
    this.running = List.of(new Running(start, new int[0], 0));
    this.open.add(start);
  }

  /** The results, best first. */
  List<Beam> run(BooleanSupplier cancelled) {
    for (int length = 1; length <= room && !running.isEmpty() && mayImprove(length); length++) {
      Computation.logits(model, running.stream().map(Running::session).toList(), cancelled);
      step(length);
    }
    running.forEach(beam -> add(beam.tokens(), false, beam.logProbability(), beam.tokens().length));
    return List.copyOf(results.subList(0, Math.min(search.results(), results.size())));
  }

  /** Whether the best beam could still be better than the worst result: no token adds to it. */
  private boolean mayImprove(int length) {
    if (results.size() < search.width()) {
      return true;
    }
    double best = running.getFirst().logProbability();
    int longest = search.lengthPenalty() > 0 ? room : length;
    return search.score(best, longest) > results.getLast().score();
  }

  private void step(int length) {
    List<Candidate> next = new ArrayList<>();
    int rank = 0;
    for (Candidate candidate : candidates()) {
      if (ends.contains(candidate.token())) {
        // What ends from a worse place than the beams' would not have gone on either.
        if (rank < search.width()) {
          int[] tokens = running.get(candidate.beam()).tokens();
          add(tokens, true, candidate.logProbability(), length);
        }
      } else if (next.size() < search.width()) {
        next.add(candidate);
      }
      rank++;
    }
    running = follow(next);
  }

  /** The likeliest tokens of all beams: enough for every beam to go on, whatever ends. */
  private List<Candidate> candidates() {
    int wanted = search.width() + ends.size() * running.size();
    PriorityQueue<Candidate> best = new PriorityQueue<>(LIKELIEST_FIRST.reversed());
    for (int beam = 0; beam < running.size(); beam++) {
      float[] logits = running.get(beam).session().logits();
      double before = running.get(beam).logProbability() - Logits.logSum(logits, vocabulary);
      for (int token = 0; token < vocabulary; token++) {
        if (logits[token] == Float.NEGATIVE_INFINITY || unused.get(token)) {
          continue;
        }
        double logProbability = before + logits[token];
        if (best.size() < wanted || logProbability > best.peek().logProbability()) {
          best.add(new Candidate(beam, token, logProbability));
          if (best.size() > wanted) {
            best.poll();
          }
        }
      }
    }
    return best.stream().sorted(LIKELIEST_FIRST).toList();
  }

  /** A beam that several follow is forked for all but the last of them. */
  private List<Running> follow(List<Candidate> chosen) {
    Map<Integer, Integer> followers = new HashMap<>();
    chosen.forEach(candidate -> followers.merge(candidate.beam(), 1, Integer::sum));
    for (int beam = 0; beam < running.size(); beam++) {
      if (!followers.containsKey(beam)) {
        close(running.get(beam).session());
      }
    }
    List<Running> next = new ArrayList<>();
    for (Candidate candidate : chosen) {
      Running parent = running.get(candidate.beam());
      boolean last = followers.merge(candidate.beam(), -1, Integer::sum) == 0;
      Session session = last ? parent.session() : fork(parent.session());
      next.add(
          new Running(
              session, with(parent.tokens(), candidate.token()), candidate.logProbability()));
    }
    next.forEach(beam -> beam.session().append(beam.tokens()[beam.tokens().length - 1]));
    return next;
  }

  private Session fork(Session session) {
    Session fork = session.fork();
    open.add(fork);
    return fork;
  }

  private void close(Session session) {
    open.remove(session);
    session.close();
  }

  private static int[] with(int[] tokens, int token) {
    int[] longer = Arrays.copyOf(tokens, tokens.length + 1);
    longer[tokens.length] = token;
    return longer;
  }

  private void add(int[] tokens, boolean ended, double logProbability, int length) {
    String text = model.text().tokenizer() != null ? model.tokenizer().decode(tokens) : "";
    results.add(
        new Beam(
            Arrays.stream(tokens).boxed().toList(),
            text,
            ended,
            logProbability,
            search.score(logProbability, Math.max(1, length))));
    results.sort(BEST_FIRST);
    if (results.size() > search.width()) {
      results.removeLast();
    }
  }

  @Override
  public void close() {
    open.forEach(Session::close);
  }
}
