package dev.apus.moe;

import dev.apus.core.routing.GroupLimit;
import dev.apus.core.routing.GroupLimit.Worth;
import dev.apus.core.routing.Router;
import dev.apus.core.routing.Score;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** What a router chooses, straight from its definition and in double precision. */
final class ExactRouter {

  private ExactRouter() {}

  static double[] scores(Score score, double[] logits) {
    double sum = Arrays.stream(logits).map(Math::exp).sum();
    return Arrays.stream(logits)
        .map(
            x ->
                switch (score) {
                  case SOFTMAX -> Math.exp(x) / sum;
                  case SIGMOID -> 1 / (1 + Math.exp(-x));
                  case SQRT_SOFTPLUS -> Math.sqrt(Math.log1p(Math.exp(x)));
                  case RELU -> Math.max(x, 0);
                  case EVEN -> 1;
                  case SPARSE_MIXER -> throw new IllegalArgumentException("its scores depend");
                })
        .toArray();
  }

  /** The chosen experts in ascending order. */
  static int[] chosen(Router router, double[] scores, float[] correction) {
    IntToDoubleFunction rank = e -> scores[e] + (router.biased() ? correction[e] : 0);
    IntStream experts = IntStream.range(0, router.experts());
    GroupLimit limit = router.limit();
    if (limit != null) {
      int size = router.experts() / limit.groups();
      int counted = limit.worth() == Worth.BEST ? 1 : 2;
      List<Integer> stay =
          best(
              IntStream.range(0, limit.groups()),
              group ->
                  IntStream.range(group * size, (group + 1) * size)
                      .mapToDouble(rank)
                      .sorted()
                      .skip(size - counted)
                      .sum(),
              limit.top());
      experts = experts.filter(e -> stay.contains(e / size));
    }
    return best(experts, rank, router.top()).stream().mapToInt(e -> e).sorted().toArray();
  }

  private static List<Integer> best(IntStream of, IntToDoubleFunction rank, int count) {
    return of.boxed()
        .sorted(Comparator.comparing(i -> -rank.applyAsDouble(i)))
        .limit(count)
        .toList();
  }

  /** The weights of the chosen. */
  static double[] weights(Router router, double[] scores, int[] chosen) {
    Router.Shares shares = router.shares();
    double sum = Arrays.stream(chosen).mapToDouble(e -> scores[e]).sum() + shares.epsilon();
    double divisor = shares.normalized() && sum != 0 ? sum : 1;
    return Arrays.stream(chosen).mapToDouble(e -> shares.scale() * scores[e] / divisor).toArray();
  }
}
