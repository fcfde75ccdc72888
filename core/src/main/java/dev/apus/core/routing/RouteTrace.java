package dev.apus.core.routing;

import java.util.Arrays;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.TreeMap;

/** Remembers which experts the tokens of a text were given to, and how evenly they are loaded. */
public final class RouteTrace implements RouteListener {

  private final NavigableMap<Integer, Layer> layers = new TreeMap<>();

  /** Nothing has been routed yet. */
  public RouteTrace() {}

  @Override
  public void routed(int layer, int position, int[] experts, float[] weights, int among) {
    layers.computeIfAbsent(layer, absent -> new Layer(among)).add(position, experts, weights);
  }

  /** The layers that have experts. */
  public NavigableSet<Integer> layers() {
    return layers.navigableKeySet();
  }

  /**
   * What happened in a layer.
   *
   * @throws IllegalArgumentException if nobody was routed there
   */
  public Layer layer(int layer) {
    Layer found = layers.get(layer);
    if (found == null) {
      throw new IllegalArgumentException(
          "layer " + layer + " has no experts that were asked; those that have: " + layers());
    }
    return found;
  }

  /** The routes of one layer. */
  public static final class Layer {

    private final NavigableMap<Integer, Route> routes = new TreeMap<>();
    private final long[] load;
    private final double[] weight;

    private Layer(int experts) {
      load = new long[experts];
      weight = new double[experts];
    }

    private void add(int position, int[] experts, float[] weights) {
      routes.put(position, new Route(experts, weights));
      for (int i = 0; i < experts.length; i++) {
        load[experts[i]]++;
        weight[experts[i]] += weights[i];
      }
    }

    /** How many experts there are to choose from. */
    public int experts() {
      return load.length;
    }

    /** Where tokens went, by their positions; a text that went back has its last routes here. */
    public NavigableMap<Integer, Route> routes() {
      return routes;
    }

    /** How often an expert was chosen. */
    public long load(int expert) {
      return load[expert];
    }

    /** The sum of the weights with which an expert was chosen. */
    public double weight(int expert) {
      return weight[expert];
    }

    /** How often any of them was chosen. */
    public long total() {
      return Arrays.stream(load).sum();
    }

    /** How many experts were chosen at all. */
    public int used() {
      return (int) Arrays.stream(load).filter(count -> count > 0).count();
    }

    /** The entropy of the load, in bits: {@code log₂ experts} where it is spread evenly. */
    public double entropy() {
      double entropy = 0;
      double all = total();
      for (long count : load) {
        if (count > 0) {
          double share = count / all;
          entropy -= share * Math.log(share) / Math.log(2);
        }
      }
      return entropy;
    }

    /**
     * The load of the busiest expert, in shares of what each would have if it were spread evenly.
     */
    public double imbalance() {
      return Arrays.stream(load).max().orElse(0) * (double) load.length / Math.max(1, total());
    }
  }

  /**
   * Where a token went.
   *
   * @param experts ascending
   */
  public record Route(int[] experts, float[] weights) {}
}
