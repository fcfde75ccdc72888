package dev.apus.diffusion;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.DoubleSupplier;

/** In which order noisy positions are fixed: those with the greatest score first. */
public enum Ranking {
  /** The probability of the chosen token; LLaDA's low-confidence remasking. */
  CONFIDENCE {
    @Override
    double score(Proposal of, DoubleSupplier random) {
      return of.probability();
    }
  },
  /** The probability of the likeliest token, whichever was chosen; MaskGIT's. */
  TOP_PROBABILITY {
    @Override
    double score(Proposal of, DoubleSupplier random) {
      return of.best();
    }
  },
  /** How far the likeliest token leads. */
  MARGIN {
    @Override
    double score(Proposal of, DoubleSupplier random) {
      return of.best() - of.second();
    }
  },
  /** The smallest entropy first. */
  ENTROPY {
    @Override
    double score(Proposal of, DoubleSupplier random) {
      return -of.entropy();
    }
  },
  /** Any order. */
  RANDOM {
    @Override
    double score(Proposal of, DoubleSupplier random) {
      return random.getAsDouble();
    }
  },
  /** From left to right. */
  SEQUENTIAL {
    @Override
    double score(Proposal of, DoubleSupplier random) {
      return -of.position();
    }
  };

  private record Scored(Proposal proposal, double score) {}

  abstract double score(Proposal of, DoubleSupplier random);

  /** The proposals in order; of equal ones, that of the lower position first. */
  List<Proposal> sorted(List<Proposal> proposals, DoubleSupplier random) {
    List<Scored> scored = new ArrayList<>(proposals.size());
    for (Proposal proposal : proposals) {
      scored.add(new Scored(proposal, score(proposal, random)));
    }
    scored.sort(Comparator.comparingDouble(Scored::score).reversed());
    return scored.stream().map(Scored::proposal).toList();
  }
}
