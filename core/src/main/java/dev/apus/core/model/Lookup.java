package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RowTable;

/** A table with a row for each token, {@code y = table[token]}, whatever the rows it reads are. */
final class Lookup implements ChannelMixer {

  private final RowTable table;

  private Lookup(RowTable table) {
    this.table = table;
  }

  @Override
  public void forward(Pass pass, Matrix x, Matrix y) {
    int[] tokens = pass.tokens();
    pass.eachRow(
        y.rows(),
        y.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            table.read(tokens[row], y.data(), y.at(row));
          }
        });
  }

  /**
   * The type {@code lookup}, whose table is the weight {@code table} of {@code rows} rows, as many
   * as there are tokens.
   */
  static final class Type implements ChannelType {

    @Override
    public String name() {
      return "lookup";
    }

    @Override
    public ChannelMixer build(Config settings, Site site) {
      return new Lookup(site.weights().lookup("table", settings.positive("rows"), site.outputs()));
    }
  }
}
