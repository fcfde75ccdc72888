package dev.apus.ssm.hyena;

import dev.apus.core.model.MixerState;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.kernels.conv.LongConvolution;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ObjLongConsumer;

/**
 * What a sequence remembers of a Hyena layer: the block it is in, of constant size, and the spectra
 * of all blocks before. A block that is complete never changes, so marks and copies share it.
 */
final class HyenaState implements MixerState {

  private static final int CHUNK = 1 << 14;

  private final int blockFloats;
  private final int limit;
  private final RecurrentState recent;
  private List<float[]> blocks = List.of();
  private int length;

  private HyenaState(int blockFloats, int limit, RecurrentState recent) {
    this.blockFloats = blockFloats;
    this.limit = limit;
    this.recent = recent;
  }

  /**
   * A sequence that has not begun.
   *
   * @param blockFloats what a block's spectra take
   * @param limit the most tokens the sequence will have
   */
  static HyenaState of(int blockFloats, int limit, Region... recent) {
    return new HyenaState(blockFloats, limit, RecurrentState.of(recent));
  }

  RecurrentState recent() {
    return recent;
  }

  /** The spectra of the blocks that are complete, and room for those that so many tokens fill. */
  float[][] spectra(int tokens) {
    float[][] spectra = blocks.toArray(new float[(length + tokens) / LongConvolution.BLOCK][]);
    for (int i = blocks.size(); i < spectra.length; i++) {
      spectra[i] = new float[blockFloats];
    }
    return spectra;
  }

  /** Must be called when the layer is past so many tokens, with all spectra. */
  void advance(int tokens, float[][] spectra) {
    length += tokens;
    blocks = List.of(spectra);
    recent.changed();
  }

  int length() {
    return length;
  }

  private final class Point implements Mark {

    private final Mark then;
    private final List<float[]> blocksThen = blocks;
    private final int lengthThen = length;

    Point(Mark then) {
      this.then = then;
    }

    @Override
    public void rewind() {
      then.rewind();
      blocks = blocksThen;
      length = lengthThen;
    }

    @Override
    public long bytes() {
      return then.bytes();
    }

    @Override
    public void close() {
      then.close();
    }
  }

  @Override
  public Mark mark(Mark reuse) {
    return new Point(recent.mark(reuse instanceof Point point ? point.then : null));
  }

  @Override
  public HyenaState copy() {
    HyenaState copy = new HyenaState(blockFloats, limit, recent.copy());
    copy.blocks = blocks;
    copy.length = length;
    return copy;
  }

  @Override
  public void become(MixerState other) {
    HyenaState there = (HyenaState) other;
    recent.become(there.recent);
    blocks = there.blocks;
    length = there.length;
  }

  @Override
  public void blocks(ObjLongConsumer<Object> visitor) {
    recent.blocks(visitor);
    blocks.forEach(block -> visitor.accept(block, (long) Float.BYTES * block.length));
  }

  /** Counts the blocks that are shared with others, too. */
  @Override
  public long bytes() {
    return recent.bytes() + 4L * blockFloats * blocks.size();
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeInt(length);
    ByteBuffer chunk = ByteBuffer.allocate(4 * CHUNK).order(ByteOrder.LITTLE_ENDIAN);
    for (float[] block : blocks) {
      for (int at = 0; at < block.length; at += CHUNK) {
        int count = Math.min(CHUNK, block.length - at);
        chunk.asFloatBuffer().put(block, at, count);
        out.write(chunk.array(), 0, 4 * count);
      }
    }
    recent.write(out);
  }

  /** Changes nothing before all is read. */
  @Override
  public void read(DataInput in) throws IOException {
    int written = in.readInt();
    if (written < 0 || written > limit) {
      throw new IOException("a layer past " + written + " tokens does not fit a limit of " + limit);
    }
    List<float[]> readBlocks = new ArrayList<>();
    ByteBuffer chunk = ByteBuffer.allocate(4 * CHUNK).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < written / LongConvolution.BLOCK; i++) {
      float[] block = new float[blockFloats];
      for (int at = 0; at < block.length; at += CHUNK) {
        int count = Math.min(CHUNK, block.length - at);
        in.readFully(chunk.array(), 0, 4 * count);
        chunk.asFloatBuffer().get(block, at, count);
      }
      readBlocks.add(block);
    }
    recent.read(in);
    blocks = List.copyOf(readBlocks);
    length = written;
  }

  /** Blocks go when no mark and no copy has them any more. */
  @Override
  public void close() {
    recent.close();
    blocks = List.of();
    length = 0;
  }
}
