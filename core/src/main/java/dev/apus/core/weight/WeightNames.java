package dev.apus.core.weight;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * What a checkpoint calls each weight, and how its values become ours: the second of a family's two
 * tables.
 *
 * <p>In names {@code {i}} stands for the layer, {@code {e}} for the expert, and what {@link #place}
 * names for something else of the layer. A bias is found under its weight's name with {@code
 * .weight} replaced by {@code .bias}, rearranged like its weight.
 */
public final class WeightNames {

  /**
   * Tensors, and the conversion that makes one weight of them.
   *
   * @param ofExpert the conversion for each expert where the tensors hold all experts, otherwise
   *     null
   */
  public record Source(
      List<String> names, Conversion conversion, IntFunction<Conversion> ofExpert) {

    public Source {
      names = List.copyOf(names);
    }

    /** This source, converted further. */
    public Source as(Conversion next) {
      return new Source(
          names,
          conversion.then(next),
          ofExpert == null ? null : expert -> ofExpert.apply(expert).then(next));
    }

    /**
     * The rows of one expert in a tensor that holds all of them. What was said before about
     * conversions is about the whole tensor, what is said after about these rows.
     *
     * @param stride rows of each expert
     * @param from the first row of this weight among them
     */
    public Source ofExpert(int stride, int from, int count) {
      return ofExpert(expert -> conversion.then(Conversion.rows(expert * stride + from, count)));
    }

    /** One expert's conversion of tensors that hold all of them. */
    public Source ofExpert(IntFunction<Conversion> conversions) {
      return new Source(names, conversion, conversions);
    }

    Source renamed(UnaryOperator<String> renaming) {
      return new Source(names.stream().map(renaming).toList(), conversion, ofExpert);
    }

    Source numbered(int expert, UnaryOperator<String> renaming) {
      Conversion all = ofExpert == null ? conversion : ofExpert.apply(expert);
      return new Source(names.stream().map(renaming).toList(), all, null);
    }
  }

  private final Map<String, List<Source>> sources = new LinkedHashMap<>();
  private final Map<String, IntFunction<String>> places = new LinkedHashMap<>();
  private final Map<String, String> copies = new LinkedHashMap<>();
  private final List<Pattern> ignored = new ArrayList<>();
  private final List<String[]> prefixes = new ArrayList<>();
  private final Map<String, List<Long>> shapes = new HashMap<>();

  /** A table without rows. */
  public WeightNames() {}

  /** One tensor by its name in the file. */
  public static Source from(String name) {
    return from(List.of(name), Conversion.AS_STORED);
  }

  /** Several tensors, of which a conversion makes one weight. */
  public static Source from(List<String> names, Conversion conversion) {
    return new Source(names, conversion, null);
  }

  /** The rows of several tensors as one weight; how many each has, only the file knows. */
  public static Source joined(String... names) {
    return from(List.of(names), Conversion.JOINED);
  }

  /**
   * The rows of several tensors as one weight.
   *
   * @param rows how many each tensor has; a file may divide them otherwise
   */
  public static Source joined(int[] rows, String... names) {
    return from(List.of(names), Conversion.joined(rows));
  }

  /**
   * {@code ours} is this tensor, as stored. Rows for the same weight are alternatives, of which the
   * later is tried first: a family adds to a table what it does differently.
   */
  public WeightNames row(String ours, String stored) {
    return row(ours, from(stored));
  }

  public WeightNames row(String ours, Source source) {
    sources.computeIfAbsent(ours, key -> new ArrayList<>()).add(source);
    return this;
  }

  /**
   * What stands in the names of layers where a row says {@code {place}}, for names that differ in
   * more than the layer's number.
   */
  public WeightNames place(String place, IntFunction<String> ofLayer) {
    places.put("{" + place + "}", ofLayer);
    return this;
  }

  /**
   * Tensors whose names begin with {@code prefix} may be there as copies of those that begin with
   * {@code original}, because layers share them; they must be equal.
   */
  public WeightNames copies(String prefix, String original) {
    copies.put(prefix, original);
    return this;
  }

  /** The tensor that the one of this name is a copy of, or null. */
  String original(String stored) {
    return copies.entrySet().stream()
        .filter(copy -> stored.startsWith(copy.getKey()))
        .map(copy -> copy.getValue() + stored.substring(copy.getKey().length()))
        .findFirst()
        .orElse(null);
  }

  /**
   * Tensors that a checkpoint may hold and that no part of the model needs, as a regular
   * expression.
   */
  public WeightNames ignore(String pattern) {
    ignored.add(Pattern.compile(pattern));
    return this;
  }

  /** A tensor has these dimensions in a file, where rows and columns alone do not say them. */
  public WeightNames shaped(String stored, long... shape) {
    shapes.put(stored, Arrays.stream(shape).boxed().toList());
    return this;
  }

  /**
   * The dimensions of a tensor in a file.
   *
   * @param plain what they are if the table does not say otherwise
   */
  public List<Long> shape(String stored, List<Long> plain) {
    List<Long> ofLayer = shapes.getOrDefault(stored.replaceFirst("\\d+", "{i}"), plain);
    return shapes.getOrDefault(stored, ofLayer);
  }

  /** The names of all rows so far that begin with {@code prefix} begin with {@code other}. */
  public WeightNames rename(String prefix, String other) {
    String[] change = {prefix, other};
    sources
        .values()
        .forEach(rows -> rows.replaceAll(row -> row.renamed(name -> swapped(name, change))));
    return this;
  }

  /** Names that begin with {@code prefix} may begin with {@code other} instead. */
  public WeightNames prefix(String prefix, String other) {
    prefixes.add(new String[] {prefix, other});
    return this;
  }

  boolean ignores(String stored) {
    return ignored.stream().anyMatch(pattern -> pattern.matcher(stored).matches());
  }

  /**
   * Where a weight may be found, the likeliest first; empty if the table has no row for it.
   *
   * @param ours the name without layer and expert, such as {@code attention.q} or {@code
   *     attention.q.bias}
   */
  List<Source> find(String ours, int layer, int expert) {
    List<Source> found = sources.get(ours);
    UnaryOperator<String> kind = UnaryOperator.identity();
    if (found == null && ours.endsWith(".bias")) {
      found = sources.get(ours.substring(0, ours.length() - ".bias".length()));
      kind = WeightNames::biasOf;
    }
    if (found == null) {
      return List.of();
    }
    List<Source> result = new ArrayList<>();
    for (Source source : found.reversed()) {
      UnaryOperator<String> bias = kind;
      Source numbered =
          source.numbered(
              expert,
              name ->
                  placed(bias.apply(name), layer)
                      .replace("{i}", Integer.toString(layer))
                      .replace("{e}", Integer.toString(expert)));
      result.add(numbered);
      for (String[] prefix : prefixes) {
        result.add(numbered.numbered(expert, name -> swapped(name, prefix)));
      }
    }
    return result;
  }

  private String placed(String name, int layer) {
    String placed = name;
    for (Map.Entry<String, IntFunction<String>> place : places.entrySet()) {
      if (placed.contains(place.getKey())) {
        placed = placed.replace(place.getKey(), place.getValue().apply(layer));
      }
    }
    return placed;
  }

  private static String biasOf(String weight) {
    return weight.endsWith(".weight")
        ? weight.substring(0, weight.length() - ".weight".length()) + ".bias"
        : weight + ".bias";
  }

  private static String swapped(String name, String[] prefix) {
    return name.startsWith(prefix[0]) ? prefix[1] + name.substring(prefix[0].length()) : name;
  }
}
