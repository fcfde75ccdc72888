package dev.apus.attention.softmax;

import java.util.Arrays;

/** Which keys queries visit, as each policy's definition says it, in double precision. */
final class NaivePolicies {

  private NaivePolicies() {}

  /** Which keys each head of each query sees. */
  @FunctionalInterface
  interface Choice {
    /**
     * @param of what scores queries
     * @return for each query and query head, whether it sees each key
     */
    boolean[][][] of(NaiveAttention of, double[][] q, double[][] k);
  }

  private static boolean[][][] nobody(int tokens, int heads) {
    return new boolean[tokens][heads][tokens];
  }

  /** The first tokens and the last; {@code full} says which key–value heads see everything. */
  static Choice near(int sinks, int window, boolean... full) {
    return (of, q, k) -> {
      boolean[][][] sees = nobody(q.length, of.heads());
      for (int i = 0; i < q.length; i++) {
        for (int head = 0; head < of.heads(); head++) {
          int keyHead = head / of.group();
          boolean all = keyHead < full.length && full[keyHead];
          for (int j = 0; j <= i; j++) {
            sees[i][head][j] = all || j < sinks || j > i - window;
          }
        }
      }
      return sees;
    };
  }

  /** What a query head gives to the keys that it sees. */
  private static double[] weights(
      NaiveAttention of, int i, int head, boolean[] sees, double[][] q, double[][] k) {
    double[] weights = new double[sees.length];
    double sum = 0;
    for (int j = 0; j <= i; j++) {
      weights[j] = sees[j] ? Math.exp(of.score(i, j, head, q[i], k[j])) : 0;
      sum += weights[j];
    }
    for (int j = 0; j <= i; j++) {
      weights[j] /= sum;
    }
    return weights;
  }

  /** Of the first {@code count} values, the {@code most} largest; of equal ones, the first. */
  private static boolean[] largest(double[] values, int count, int most) {
    boolean[] chosen = new boolean[values.length];
    for (int n = 0; n < Math.min(count, most); n++) {
      int best = -1;
      for (int j = 0; j < count; j++) {
        if (!chosen[j] && (best < 0 || values[j] > values[best])) {
          best = j;
        }
      }
      chosen[best] = true;
    }
    return chosen;
  }

  static Choice quest(int page, int budget) {
    return (of, q, k) -> {
      boolean[][][] sees = nobody(q.length, of.heads());
      int dim = of.headDim();
      for (int i = 0; i < q.length; i++) {
        for (int keyHead = 0; keyHead < of.heads() / of.group(); keyHead++) {
          int own = i / page;
          double[] bounds = new double[own];
          for (int p = 0; p < own; p++) {
            for (int h = 0; h < of.group(); h++) {
              for (int d = 0; d < dim; d++) {
                double x = q[i][(keyHead * of.group() + h) * dim + d];
                double most = Double.NEGATIVE_INFINITY;
                for (int j = p * page; j < (p + 1) * page; j++) {
                  most = Math.max(most, x * k[j][keyHead * dim + d]);
                }
                bounds[p] += most;
              }
            }
          }
          boolean[] chosen = largest(bounds, own, budget / page - 1);
          for (int h = 0; h < of.group(); h++) {
            for (int j = 0; j <= i; j++) {
              sees[i][keyHead * of.group() + h][j] = j / page == own || chosen[j / page];
            }
          }
        }
      }
      return sees;
    };
  }

  static Choice h2o(int budget, int recent) {
    return (of, q, k) -> {
      boolean[][][] sees = nobody(q.length, of.heads());
      for (int keyHead = 0; keyHead < of.heads() / of.group(); keyHead++) {
        boolean[] there = new boolean[q.length];
        double[] sums = new double[q.length];
        for (int i = 0; i < q.length; i++) {
          there[i] = true;
          for (int h = 0; h < of.group(); h++) {
            int head = keyHead * of.group() + h;
            sees[i][head] = there.clone();
            double[] weights = weights(of, i, head, there, q, k);
            for (int j = 0; j <= i; j++) {
              sums[j] += weights[j];
            }
          }
          giveUp(there, sums, i, budget, i - recent);
        }
      }
      return sees;
    };
  }

  static Choice tova(int budget) {
    return (of, q, k) -> {
      boolean[][][] sees = nobody(q.length, of.heads());
      boolean[] there = new boolean[q.length];
      for (int i = 0; i < q.length; i++) {
        there[i] = true;
        double[] sums = new double[q.length];
        for (int head = 0; head < of.heads(); head++) {
          sees[i][head] = there.clone();
          double[] weights = weights(of, i, head, there, q, k);
          for (int j = 0; j <= i; j++) {
            sums[j] += weights[j];
          }
        }
        giveUp(there, sums, i, budget, i);
      }
      return sees;
    };
  }

  /** Gives up the least up to {@code last}, if there are more than the budget. */
  private static void giveUp(boolean[] there, double[] sums, int i, int budget, int last) {
    int count = 0;
    int least = -1;
    for (int j = 0; j <= i; j++) {
      count += there[j] ? 1 : 0;
      if (there[j] && j <= last && (least < 0 || sums[j] < sums[least])) {
        least = j;
      }
    }
    if (count > budget) {
      there[least] = false;
    }
  }

  /** After a prompt, whose length is given, and then token by token. */
  static Choice snapKv(int budget, int window, int pool, int prompt) {
    return (of, q, k) -> {
      boolean[][][] sees = nobody(q.length, of.heads());
      int voted = prompt - window;
      for (int keyHead = 0; keyHead < of.heads() / of.group(); keyHead++) {
        double[] votes = new double[voted];
        boolean[] all = new boolean[q.length];
        Arrays.fill(all, true);
        for (int i = voted; i < prompt; i++) {
          for (int h = 0; h < of.group(); h++) {
            double[] weights = weights(of, i, keyHead * of.group() + h, all, q, k);
            for (int j = 0; j < voted; j++) {
              votes[j] += weights[j];
            }
          }
        }
        double[] pooled = new double[voted];
        for (int j = 0; j < voted; j++) {
          for (int near = j - pool / 2; near <= j + pool / 2; near++) {
            if (near >= 0 && near < voted) {
              pooled[j] = Math.max(pooled[j], votes[near]);
            }
          }
        }
        boolean[] elected = largest(pooled, voted, budget - window);
        for (int i = 0; i < q.length; i++) {
          for (int h = 0; h < of.group(); h++) {
            for (int j = 0; j <= i; j++) {
              sees[i][keyHead * of.group() + h][j] = i < prompt || j >= voted || elected[j];
            }
          }
        }
      }
      return sees;
    };
  }

  static Choice xAttention(int block, int stride, double mass) {
    return (of, q, k) -> {
      boolean[][][] sees = nobody(q.length, of.heads());
      for (int head = 0; head < of.heads(); head++) {
        for (int i = 0; i < q.length; i++) {
          int own = i / block;
          boolean whole = (own + 1) * block <= q.length;
          boolean[] chosen = whole ? blocks(of, own, block, stride, mass, head, q, k) : null;
          for (int j = 0; j <= i; j++) {
            sees[i][head][j] = !whole || chosen[j / block];
          }
        }
      }
      return sees;
    };
  }

  private static boolean[] blocks(
      NaiveAttention of,
      int own,
      int block,
      int stride,
      double mass,
      int head,
      double[][] q,
      double[][] k) {
    double[] masses = new double[own + 1];
    int groups = block / stride;
    for (int a = own * groups; a < (own + 1) * groups; a++) {
      double[] scores = new double[a + 1];
      double sum = 0;
      for (int b = 0; b <= a; b++) {
        for (int i = 0; i < stride; i++) {
          int query = a * stride + stride - 1 - i;
          scores[b] += of.score(query, b * stride + i, head, q[query], k[b * stride + i]) / stride;
        }
        scores[b] = Math.exp(scores[b]);
        sum += scores[b];
      }
      for (int b = 0; b <= a; b++) {
        masses[b / groups] += scores[b] / sum;
      }
    }
    boolean[] chosen = new boolean[own + 1];
    chosen[0] = true;
    chosen[own] = true;
    double reached = own == 0 ? masses[0] : masses[0] + masses[own];
    while (reached < mass * groups) {
      int best = -1;
      for (int j = 0; j <= own; j++) {
        if (!chosen[j] && (best < 0 || masses[j] > masses[best])) {
          best = j;
        }
      }
      if (best < 0) {
        break;
      }
      chosen[best] = true;
      reached += masses[best];
    }
    return chosen;
  }

  static Choice verticalSlash(int block, int vertical, int slash) {
    return (of, q, k) -> {
      boolean[][][] sees = nobody(q.length, of.heads());
      boolean[] all = new boolean[q.length];
      Arrays.fill(all, true);
      for (int head = 0; head < of.heads(); head++) {
        for (int from = 0; from < q.length; from += block) {
          int end = Math.min(q.length, from + block);
          double[] verticals = new double[end];
          double[] slashes = new double[end];
          for (int i = end - 64; end == from + block && i < end; i++) {
            double[] weights = weights(of, i, head, all, q, k);
            for (int j = 0; j <= i; j++) {
              verticals[j] += weights[j];
              slashes[i - j] += weights[j];
            }
          }
          Arrays.fill(verticals, 0, Math.min(end, 30), 1e9);
          Arrays.fill(slashes, 0, Math.min(end, 100), 1e9);
          boolean[] keys = largest(verticals, end, vertical);
          boolean[] distances = largest(slashes, end, slash);
          for (int i = from; i < end; i++) {
            for (int j = 0; j <= i; j++) {
              boolean seen = keys[j] || end < from + block;
              for (int row = i / 64 * 64; row < i / 64 * 64 + 64; row++) {
                seen |= row >= j && row - j < end && distances[row - j];
              }
              sees[i][head][j] = seen;
            }
          }
        }
      }
      return sees;
    };
  }
}
