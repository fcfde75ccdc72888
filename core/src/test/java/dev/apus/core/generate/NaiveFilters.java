package dev.apus.core.generate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** The filters written down as they are defined, with a full sort. */
final class NaiveFilters {

  record Choice(int id, double probability) {}

  private NaiveFilters() {}

  /** The tokens that may be chosen, best first, with probabilities that sum to 1. */
  static List<Choice> apply(float[] logits, int vocabulary, Sampling sampling) {
    double max = IntStream.range(0, vocabulary).mapToDouble(i -> logits[i]).max().orElseThrow();
    List<Choice> choices =
        IntStream.range(0, vocabulary)
            .filter(i -> logits[i] > Float.NEGATIVE_INFINITY)
            .mapToObj(
                i -> new Choice(i, StrictMath.exp((logits[i] - max) / sampling.temperature())))
            .sorted(Comparator.comparing(choice -> 0 - logits[choice.id()]))
            .toList();
    if (sampling.topK() > 0) {
      choices = choices.subList(0, Math.min(sampling.topK(), choices.size()));
    }
    choices = normalised(choices);
    if (sampling.topP() < 1) {
      List<Choice> nucleus = new ArrayList<>();
      double sum = 0;
      for (int i = 0; i < choices.size() && (i == 0 || sum < sampling.topP()); i++) {
        nucleus.add(choices.get(i));
        sum += choices.get(i).probability();
      }
      choices = nucleus;
    }

    double least = sampling.minP() * choices.getFirst().probability();
    return normalised(choices.stream().filter(c -> c.probability() >= least).toList());
  }

  private static List<Choice> normalised(List<Choice> choices) {
    double sum = choices.stream().mapToDouble(Choice::probability).sum();
    return choices.stream().map(c -> new Choice(c.id(), c.probability() / sum)).toList();
  }
}
